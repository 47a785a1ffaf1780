package signature_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/signature"
)

// The example of Twilio's documentation, which the SDKs use as a test too.
func TestASignatureIsThatOfTheDocumentation(t *testing.T) {
	t.Parallel()
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	const address = "https://mycompany.com/myapp.php?foo=1&bar=2"
	require.Equal(t, "RSOYDt4T1cUTdK1PDd93/VVr8B8=", signature.Sign("12345", address, form))
	require.True(t, signature.Valid("RSOYDt4T1cUTdK1PDd93/VVr8B8=", "12345", address, form))
	require.True(t, signature.Valid("RSOYDt4T1cUTdK1PDd93/VVr8B8=", "12345", "https://mycompany.com:8443/myapp.php?foo=1&bar=2", form), "a proxy has another port")
	for name, other := range map[string][2]string{
		"another token": {"12346", address}, "another URL": {"12345", address + "3"}, "http": {"12345", "http://mycompany.com/myapp.php?foo=1&bar=2"},
	} {
		require.False(t, signature.Valid("RSOYDt4T1cUTdK1PDd93/VVr8B8=", other[0], other[1], form), name)
	}
	form.Set("Digits", "1235")
	require.False(t, signature.Valid("RSOYDt4T1cUTdK1PDd93/VVr8B8=", "12345", address, form))
	require.False(t, signature.Valid("", "12345", address, form))
}

func TestARepeatedParameterCountsOnceForEachValue(t *testing.T) {
	t.Parallel()
	sign := func(values ...string) string {
		return signature.Sign("token", "https://example.com/", url.Values{"MessagingBinding.Address": values})
	}
	require.Equal(t, sign("a", "b"), sign("b", "a", "a"))
	require.NotEqual(t, sign("a"), sign("a", "b"))
	// What getExpectedTwilioSignature of npm twilio 6.2.0 returns.
	require.Equal(t, "knOre6ImuAY+innZQ4nM5Qkk1PI=", signature.Sign("12345", "https://example.com/hook?a=1%202", url.Values{
		"EventType": {"onParticipantAdded"}, "Body": {"Zoë & \U0001F600"},
		"MessagingBinding.Address": {"whatsapp:+15558675310", "+15558675310", "+15558675310"},
	}))
}

func TestTheDefaultPortMayBeGivenOrNot(t *testing.T) {
	t.Parallel()
	for signed, seen := range map[string]string{
		"https://example.com:443/a": "https://example.com/a", "https://example.com/a": "https://example.com:443/a",
		"http://example.com:80/": "http://example.com/", "https://[::1]:443/a?b": "https://[::1]/a?b", "https://[::1]/a": "https://[::1]:443/a",
	} {
		require.True(t, signature.Valid(signature.Sign("token", signed, nil), "token", seen, nil), signed)
	}
}

// The vectors are those of the tests of twilio-go, request_validator_test.go, and of
// twilio-node, webhooks.spec.js.
func TestTheVectorsOfTheSDKsHold(t *testing.T) {
	t.Parallel()
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"}, "From": {"+14158675309"}, "To": {"+18005551212"}}
	const path = "/myapp.php?foo=1&bar=2"
	const hash = "bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
	for _, row := range []struct {
		signed, address string
		form            url.Values
	}{
		{"RSOYDt4T1cUTdK1PDd93/VVr8B8=", "https://mycompany.com" + path, form},
		{"RSOYDt4T1cUTdK1PDd93/VVr8B8=", "https://mycompany.com:1234" + path, form},
		{"kvajT1Ptam85bY51eRf/AJRuM3w=", "https://mycompany.com" + path, form},
		{"0ZXoZLH/DfblKGATFgpif+LLRf4=", "http://mycompany.com" + path, form},
		{"Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", "http://mycompany.com:1234" + path, form},
		{"a9nBmqA0ju/hNViExpshrM61xv4=", "https://mycompany.com" + path + "&" + hash, nil},
		{"y77kIzt2vzLz71DgmJGsen2scGs=", "https://mycompany.com/myapp.php?" + hash, nil},
	} {
		require.True(t, signature.Valid(row.signed, "12345", row.address, row.form), row.address)
		require.False(t, signature.Valid(row.signed, "12345", row.address+"0", row.form), row.address)
		require.False(t, signature.Valid("WRONG SIGNATURE", "12345", row.address, row.form), row.address)
	}
	for _, signed := range []string{"param'WithQuote", "param%27WithQuote"} {
		for _, seen := range []string{"param'WithQuote", "param%27WithQuote"} {
			made := signature.Sign("s3cr3t", "https://example.com/path?test="+signed, nil)
			require.True(t, signature.Valid(made, "s3cr3t", "https://example.com/path?test="+seen, nil), "%s, %s", signed, seen)
			require.False(t, signature.Valid(made, "s3cr3t", "https://example.com/path?test="+seen+"2", nil))
		}
	}
}

// A path and a query hold what looks like a port or like the beginning of a path.
func TestOnlyTheHostHasAPort(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"https://example.com/a:1?b=:2/", "https://example.com?u=https://a:1/", "https://[::1]:8/?x", "", "?", "://"} {
		require.True(t, signature.Valid(signature.Sign("token", address, nil), "token", address, nil), address)
		require.False(t, signature.Valid(signature.Sign("token", address, nil), "token", address+"x", nil), address)
	}
}
