package listen_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/listen"
	"twilio-conversations-mcp/internal/signature"
)

const token, sharedKey = "0123456789abcdef0123456789abcdef", "a-shared-key"

// A fixture is a receiver and what it has printed.
type fixture struct {
	*httptest.Server
	t     *testing.T
	wrote chan struct{} // has one item for each line, as far as it has room
	mu    sync.Mutex
	bytes.Buffer
}

func (f *fixture) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case f.wrote <- struct{}{}:
	default:
	}
	return f.Buffer.Write(p)
}

func start(t *testing.T, o listen.Options) *fixture {
	t.Helper()
	f := &fixture{t: t, wrote: make(chan struct{}, 1)}
	o.AuthToken, o.Key, o.Out = token, sharedKey, f
	if o.Status == 0 {
		o.Status = 200
	}
	f.Server = httptest.NewServer(listen.New(o))
	t.Cleanup(f.Close)
	return f
}

// send sends a request, and returns the status and the line that was printed.
func (f *fixture) send(method, path, body string, header http.Header) (status int, line string) {
	f.t.Helper()
	f.mu.Lock()
	f.Reset()
	f.mu.Unlock()
	req, err := http.NewRequestWithContext(f.t.Context(), method, f.URL+path, strings.NewReader(body))
	require.NoError(f.t, err)
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		req.Header[name] = values
		if name == "Host" {
			req.Host = values[0]
		}
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(f.t, err)
	_, _ = io.Copy(io.Discard, res.Body)
	require.NoError(f.t, res.Body.Close())
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Equal(f.t, 1, strings.Count(f.String(), "\n"), f.String())
	return res.StatusCode, f.String()
}

func signed(address string, form url.Values) http.Header {
	return http.Header{signature.Header: {signature.Sign(token, address, form)}}
}

var message = url.Values{
	"EventType": {"onMessageAdded"}, "ConversationSid": {"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "Author": {"+15558675310"},
	"Body": {"Hi \"there\" \x1b[31m\u202e\u009b"}, "MessagingBinding.Address": {"b", "a", "a"},
}

func TestASignedRequestIsPrintedAndAnswered(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{})
	status, line := f.send("POST", "/hook?a=1%202", message.Encode(), signed(f.URL+"/hook?a=1%202", message))
	require.Equal(t, 200, status)
	require.Regexp(t, `^\d\d:\d\d:\d\d POST "http://127\.0\.0\.1:\d+/hook\?a=1%202" EventType=onMessageAdded ConversationSid=CHa{32} `+
		`Author=\+15558675310 Body="Hi \\"there\\" \\x1b\[31m\\u202e\\u009b" → 200 OK, signature valid\n$`, line)

	status, line = f.send("GET", "/?EventType=onMessageRemoved", "", signed(f.URL+"/?EventType=onMessageRemoved", nil))
	require.Equal(t, 200, status)
	require.Contains(t, line, "EventType=onMessageRemoved")
}

func TestJSONIsForPrograms(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{JSON: true, Status: 500})
	status, line := f.send("POST", "/", message.Encode(), signed(f.URL+"/", message))
	require.Equal(t, 500, status)
	require.NotContains(t, strings.TrimSpace(line), "\x1b")
	require.False(t, strings.ContainsFunc(strings.TrimSuffix(line, "\n"), func(r rune) bool { return !unicode.IsGraphic(r) }))
	var event struct {
		Time        time.Time
		Method, URL string
		Valid       bool
		Status      int
		Fields      url.Values
	}
	require.NoError(t, json.Unmarshal([]byte(line), &event))
	require.True(t, event.Valid)
	require.Equal(t, f.URL+"/", event.URL)
	require.Equal(t, message, event.Fields)
}

func TestARequestThatIsNotSignedRightIsRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{})
	host := strings.TrimPrefix(f.URL, "http://")
	other := url.Values{"Body": {"other"}}
	for name, row := range map[string]struct {
		path, want string
		header     http.Header
	}{
		"none":          {"/", "there is no X-Twilio-Signature", nil},
		"wrong token":   {"/", "another token than TWILIO_AUTH_TOKEN, or of another URL than " + f.URL + "/", http.Header{signature.Header: {signature.Sign("x", f.URL+"/", message)}}},
		"scheme":        {"/", "that of https://" + host + "/: a proxy changed the scheme", signed("https://"+host+"/", message)},
		"host":          {"/a?b", "that of https://bot.example.com/a?b: a proxy changed the host", with(signed("https://bot.example.com/a?b", message), "X-Forwarded-Host", "bot.example.com")},
		"query":         {"/a?x=1", "a proxy added the query", signed(f.URL+"/a", message)},
		"slash":         {"/a/?x=1", "a proxy added the slash at the end", signed(f.URL+"/a?x=1", message)},
		"no slash":      {"/a", "a proxy removed the slash at the end", signed(f.URL+"/a/", message)},
		"body":          {"/", "another token", signed(f.URL+"/", other)},
		"without body":  {"/", "a request without these fields", signed(f.URL+"/", nil)},
		"settings' key": {"/", "another token than TWILIO_WEBHOOK_KEY", with(signed(f.URL+"/", message), "X-Twilio-Webhooks-Signature-Settings", "key=k,algorithm=HMAC_SHA256")},
	} {
		status, line := f.send("POST", row.path, message.Encode(), row.header)
		require.Equal(t, 403, status, name)
		require.Contains(t, line, "→ 403 Forbidden: ", name)
		require.Contains(t, line, row.want, name)
		require.NotContains(t, line, token)
		require.NotContains(t, line, sharedKey)
	}
}

func with(h http.Header, name, value string) http.Header {
	h.Set(name, value)
	return h
}

func TestASharedKeyOfTheWebhookSettings(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{})
	header := http.Header{
		signature.Header:                       {signature.SignSHA256(sharedKey, f.URL+"/", message)},
		"X-Twilio-Webhooks-Signature-Settings": {"key=k,algorithm=HMAC_SHA256"},
	}
	status, _ := f.send("POST", "/", message.Encode(), header)
	require.Equal(t, 200, status)
}

func TestABodyInJSONIsCheckedByItsHash(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{})
	const body = `{"a":1}`
	hash := sha256.Sum256([]byte(body))
	path := "/?bodySHA256=" + hex.EncodeToString(hash[:])
	header := with(signed(f.URL+path, nil), "Content-Type", "application/json")
	status, _ := f.send("POST", path, body, header)
	require.Equal(t, 200, status)
	status, line := f.send("POST", path, body+" ", header)
	require.Equal(t, 403, status)
	require.Contains(t, line, "bodySHA256")
}

func TestThePublicURLIsTheOneThatTwilioCalls(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"https://bot.example.com", "https://bot.example.com/"} {
		f := start(t, listen.Options{PublicURL: base})
		status, _ := f.send("POST", "/hook?a=b", message.Encode(), signed("https://bot.example.com/hook?a=b", message))
		require.Equal(t, 200, status)
		status, _ = f.send("POST", "/hook", message.Encode(), signed("https://bot.example.com:443/hook", message))
		require.Equal(t, 200, status)
	}
	f := start(t, listen.Options{PublicURL: "https://bot.example.com/twilio"})
	for _, path := range []string{"/twilio/hook", "/hook"} {
		status, _ := f.send("POST", path, message.Encode(), signed("https://bot.example.com/twilio/hook", message))
		require.Equal(t, 200, status, path)
	}
}

func TestBadRequestsAreBoundedAndTold(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{})
	for name, row := range map[string]struct {
		method, body, want string
		status             int
	}{
		"long":         {"POST", strings.Repeat("x", 10<<20), "longer than 256 KiB", 413},
		"not a form":   {"POST", "a=%zz", "not a form", 400},
		"method":       {"DELETE", "", "GET or POST", 405},
		"many fields":  {"POST", strings.Repeat("a=1&", 5000), "there is no X-Twilio-Signature", 403},
		"event in red": {"POST", "EventType=%1b%5b31m", `EventType="\x1b[31m"`, 403},
	} {
		status, line := f.send(row.method, "/", row.body, nil)
		require.Equal(t, row.status, status, name)
		require.Contains(t, line, row.want, name)
		require.Less(t, len(line), 2000, name)
	}
	status, _ := f.send("POST", "/", message.Encode(), signed(f.URL+"/", message))
	require.Equal(t, 200, status, "the next request is received")
}

// A caller that goes before the answer does not keep the receiver.
func TestTheDelayEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{Delay: time.Hour})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", f.URL+"/", strings.NewReader(message.Encode()))
	require.NoError(t, err)
	req.Header = signed(f.URL+"/", message)
	go func() { <-f.wrote; cancel() }()
	_, err = http.DefaultClient.Do(req)
	require.ErrorIs(t, err, context.Canceled)
	f.Close() // it waits for the handler
}

// A URL is in the line twice: as it was called, and in the reason.
func TestALongURLMakesNoLongLine(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{})
	for _, path := range []string{"/" + strings.Repeat("a", 50_000), "/" + strings.Repeat("%1b", 15_000), "/?" + strings.Repeat("b=%e2%80%ae&", 4000)} {
		status, line := f.send("POST", path, message.Encode(), signed(f.URL+"/other", message))
		require.Equal(t, 403, status)
		require.Less(t, len(line), 6000)
		require.Contains(t, line, "another token than TWILIO_AUTH_TOKEN")
	}
}

// Requests that arrive together on one connection are handled one after another.
func TestRequestsOfOneConnectionAreAnsweredInTheirOrder(t *testing.T) {
	t.Parallel()
	f := start(t, listen.Options{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", f.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	body := message.Encode()
	request := func(signed string) string {
		return fmt.Sprintf("POST /hook HTTP/1.1\r\nHost: %s\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n%s: %s\r\n\r\n%s",
			f.Listener.Addr(), len(body), signature.Header, signed, body)
	}
	valid := signature.Sign(token, f.URL+"/hook", message)
	_, err = io.WriteString(conn, request(valid)+request("wrong")+request(valid))
	require.NoError(t, err)
	answers := bufio.NewReader(conn)
	for _, want := range []int{200, 403, 200} {
		res, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	require.Equal(t, 3, strings.Count(f.String(), "\n"))
}
