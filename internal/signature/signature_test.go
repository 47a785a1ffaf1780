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
