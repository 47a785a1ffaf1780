package docs_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
)

const authToken = "0123456789abcdef0123456789abcdef"

// receivers are the languages of the examples in the skill receive-twilio-webhooks:
// the name of the file, and the command that runs it.
var receivers = map[string]struct {
	file    string
	command []string
}{
	"js":     {"receiver.mjs", []string{"node", "receiver.mjs"}},
	"python": {"receiver.py", []string{"python3", "receiver.py"}},
	"go":     {"receiver.go", []string{"./receiver"}},
}

func TestTheReceiversOfTheSkillCheckTheSignature(t *testing.T) {
	t.Parallel()
	for language, receiver := range receivers {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(receiver.command[0]); err != nil && language != "go" {
				t.Skipf("%s is not installed", receiver.command[0])
			}
			address := startReceiver(t, language)
			form := url.Values{
				"EventType": {"onMessageAdded"}, "ConversationSid": {"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "Body": {"Zoë & \U0001F600 +1"},
				"MessagingBinding.Address": {"whatsapp:+15558675310", "+15558675310", "+15558675310"}, "Attributes": {""},
			}
			const path = "/hook?a=1%202&b=%2B"
			signed := sign("http://"+address+path, form)
			changed := url.Values{"EventType": {"onMessageAdded"}}
			require.Equal(t, 200, deliver(t, "POST", address+path, form, signed))
			require.Equal(t, 403, deliver(t, "POST", address+path, changed, signed))
			require.Equal(t, 403, deliver(t, "POST", address+"/hook", form, signed))
			require.Equal(t, 403, deliver(t, "POST", address+path, form, ""))
			require.Equal(t, 403, deliver(t, "POST", address+path, form, "é"))
			require.Equal(t, 200, deliver(t, "GET", address+path, nil, sign("http://"+address+path, nil)))
			require.Equal(t, 403, deliver(t, "GET", address+"/hook?a=2", nil, sign("http://"+address+path, nil)))
			long := url.Values{"Body": {strings.Repeat("x", 1<<17)}}
			req := newDelivery(t, "POST", address+path, long, sign("http://"+address+path, long))
			res, err := http.DefaultClient.Do(req)
			if err == nil { // else the connection was closed before all was sent
				require.NoError(t, res.Body.Close())
				require.GreaterOrEqual(t, res.StatusCode, 400)
			}
			require.Equal(t, 200, deliver(t, "POST", address+path, form, signed), "it goes on")
		})
	}
}

// startReceiver runs the example of a language and returns its address.
func startReceiver(t *testing.T, language string) string {
	t.Helper()
	skill := docs.Skills()[1].Files[0].Content()
	_, code, found := strings.Cut(skill, "\n```"+language+"\n")
	require.True(t, found, language)
	code, _, _ = strings.Cut(code, "\n```\n")
	dir := t.TempDir()
	receiver := receivers[language]
	require.NoError(t, os.WriteFile(filepath.Join(dir, receiver.file), []byte(code), 0o600))

	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := ln.Addr().String()
	require.NoError(t, ln.Close())
	_, port, _ := net.SplitHostPort(address)
	if language == "go" {
		build := exec.CommandContext(t.Context(), "go", "build", receiver.file)
		build.Dir = dir
		out, err := build.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	cmd := exec.CommandContext(t.Context(), receiver.command[0], receiver.command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TWILIO_AUTH_TOKEN="+authToken, "PORT="+port)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	require.Eventually(t, func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, time.Minute, 10*time.Millisecond, "it does not listen")
	return address
}

// sign returns the signature that Twilio makes, by the rule of the guide.
func sign(address string, form url.Values) string {
	text := address
	for _, name := range slices.Sorted(maps.Keys(form)) {
		values := slices.Sorted(slices.Values(form[name]))
		for _, value := range slices.Compact(values) {
			text += name + value
		}
	}
	mac := hmac.New(sha1.New, []byte(authToken))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func deliver(t *testing.T, method, address string, form url.Values, signature string) (status int) {
	t.Helper()
	res, err := http.DefaultClient.Do(newDelivery(t, method, address, form, signature))
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return res.StatusCode
}

func newDelivery(t *testing.T, method, address string, form url.Values, signature string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+address, strings.NewReader(form.Encode()))
	require.NoError(t, err)
	if method == http.MethodGet {
		req.Body, req.ContentLength = nil, 0
	} else {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("X-Twilio-Signature", signature)
	return req
}
