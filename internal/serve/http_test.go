package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

func TestAClientCannotCancelTheCallOfAnother(t *testing.T) {
	t.Parallel()
	b := newFixture()
	s := b.listen(t, serve.HTTPOptions{})
	answered := make(chan string, 2)
	for range 2 { // two clients that count their requests alike
		go func() { _, body := s.do(t, "POST", "/mcp", call("1", "hold"), nil); answered <- body }()
	}
	await(t, func() bool { return b.started.Load() == 2 })
	res, _ := s.do(t, "POST", "/mcp", cancelled("1"), nil)
	require.Equal(t, 202, res.StatusCode)
	close(b.release)
	require.Contains(t, <-answered, "released")
	require.Contains(t, <-answered, "released")
	require.Zero(t, b.canceled.Load())
}

func TestClosingTheConnectionCancelsTheCall(t *testing.T) {
	t.Parallel()
	b := newFixture()
	s := b.listen(t, serve.HTTPOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/mcp", strings.NewReader(call("1", "hold")))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	go func() {
		await(t, func() bool { return b.started.Load() == 1 })
		cancel()
	}()
	_, err = http.DefaultClient.Do(req)
	require.Error(t, err)
	await(t, func() bool { return b.canceled.Load() == 1 })
}

func TestHTTPRequests(t *testing.T) {
	t.Parallel()
	s := newFixture().listen(t, serve.HTTPOptions{
		BaseURL: "https://mcp.example.com", Access: policy(t, access.Options{AllowedOrigins: []string{"https://app.example.com"}}),
	})
	preflight := func(origin string) header {
		return header{"Origin": origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "mcp-method"}
	}
	for _, row := range []struct {
		name, method, path, body string
		header                   header
		status                   int
		want                     string
	}{
		{"a ping", "POST", "/mcp", ping, nil, 200, `"result":{}`},
		{"with a charset", "POST", "/mcp", ping, header{"Content-Type": "application/json; charset=utf-8"}, 200, `"result":{}`},
		{"another host", "POST", "/mcp", ping, header{"Host": "evil.example"}, 403, "Host"},
		{"a listed origin", "POST", "/mcp", ping, header{"Origin": "https://app.example.com"}, 200, ""},
		{"another origin", "POST", "/mcp", ping, header{"Origin": "https://evil.example"}, 403, "Origin"},
		{"preflight", "OPTIONS", "/mcp", "", preflight("https://app.example.com"), 204, ""},
		{"preflight of another", "OPTIONS", "/mcp", "", preflight("https://evil.example"), 403, "Origin"},
		{"OPTIONS alone", "OPTIONS", "/mcp", "", nil, 405, ""},
		{"GET", "GET", "/mcp", "", nil, 405, ""},
		{"DELETE", "DELETE", "/mcp", "", nil, 405, ""},
		{"HEAD", "HEAD", "/mcp", "", nil, 405, ""},
		{"PUT", "PUT", "/mcp", ping, nil, 405, ""},
		{"a slash at the end", "POST", "/mcp/", ping, nil, 200, `"result":{}`},
		{"GET with a slash", "GET", "/mcp/", "", nil, 405, ""},
		{"another path", "POST", "/", ping, nil, 404, "The endpoint is https://mcp.example.com/mcp,"},
		{"the path of another transport", "POST", "/sse", ping, nil, 404, "The endpoint is https://mcp.example.com/mcp,"},
		{"another case", "POST", "/MCP", ping, nil, 404, "The endpoint is https://mcp.example.com/mcp,"},
		{"two slashes at the end", "POST", "/mcp//", ping, nil, 404, "The endpoint is"},
		{"a path not clean", "POST", "//mcp", ping, nil, 404, "The endpoint is"},
		{"a path of dots", "POST", "/x/../mcp", ping, nil, 404, "The endpoint is"},
		{"another path, another host", "POST", "/sse", ping, header{"Host": "evil.example"}, 403, "Host"},
		{"a GET of another path", "GET", "/x", "", nil, 404, "not found"},
		{"text", "POST", "/mcp", ping, header{"Content-Type": "text/plain"}, 415, "application/json"},
		{"compressed", "POST", "/mcp", ping, header{"Content-Encoding": "gzip"}, 415, "Content-Encoding is not supported"},
		{"not compressed", "POST", "/mcp", ping, header{"Content-Encoding": "identity"}, 200, `"result":{}`},
		{"no type", "POST", "/mcp", ping, header{"Content-Type": ""}, 415, "application/json"},
		{"junk", "POST", "/mcp", "junk", nil, 400, `"id":null,"error":{"code":-32700`},
		{"nothing", "POST", "/mcp", "", nil, 400, `"id":null,"error":{"code":-32700`},
		{"a batch", "POST", "/mcp", "[]", nil, 400, `"code":-32600`},
		{"a large one", "POST", "/mcp", strings.Repeat(" ", 1<<20+1), nil, 413, "longer than 1048576 bytes"},
		{"a notification", "POST", "/mcp", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil, 202, ""},
		{"a notification without _meta", "POST", "/mcp", cancelled("8"), header{"Mcp-Protocol-Version": newest}, 202, ""},
		{"a notification of an unknown version", "POST", "/mcp", cancelled("8"), header{"Mcp-Protocol-Version": "1999-01-01"}, 202, ""},
		{"a response", "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"result":{}}`, nil, 202, ""},
		{"an unknown method", "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, nil, 200, `"code":-32601`},
		{"an unknown version", "POST", "/mcp", ping, header{"Mcp-Protocol-Version": "1999-01-01"}, 400, "not supported"},
		{"a session that was never issued", "POST", "/mcp", ping, header{"Mcp-Session-Id": "x"}, 200, `"result":{}`},
		{"a known version", "POST", "/mcp", ping, header{"Mcp-Protocol-Version": "2025-06-18"}, 200, ""},
		{"live", "GET", "/healthz", "", header{"Host": "anything"}, 200, "ok\n"},
		{"ready", "GET", "/readyz", "", header{"Host": "anything", "Origin": "null"}, 200, "ok\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			res, body := s.do(t, row.method, row.path, row.body, row.header)
			require.Equal(t, row.status, res.StatusCode, body)
			require.Contains(t, body, row.want)
			require.Empty(t, res.Header.Get("Mcp-Session-Id"))
			if row.status == 405 {
				require.Equal(t, "POST, OPTIONS", res.Header.Get("Allow"))
			}
			if row.header["Origin"] != "" && row.status < 300 && row.path == "/mcp" {
				require.Equal(t, row.header["Origin"], res.Header.Get("Access-Control-Allow-Origin"))
			} else {
				require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

func TestABodyThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	s := newFixture().listen(t, serve.HTTPOptions{})
	const head = "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	for name, row := range map[string]struct{ rest, want string }{
		"not chunks": {"Transfer-Encoding: chunked\r\n\r\nZZZ\r\n", "HTTP/1.1 400 Bad Request"},
		"cut off":    {"Content-Length: 50\r\n\r\n{}", "HTTP/1.1 400 Bad Request"},
		"too long":   {"Expect: 100-continue\r\nContent-Length: 999999999\r\n\r\n", "HTTP/1.1 413 Request Entity Too Large"},
	} {
		status, _ := s.raw(t, head+row.rest)
		require.Equal(t, row.want, status, name)
	}
}

// Clients that get 401 look for OAuth, and show people what they find.
func TestOAuthDiscoveryIsAnsweredWhereTokensAreRequired(t *testing.T) {
	t.Parallel()
	s := newFixture().listen(t, serve.HTTPOptions{Access: policy(t, access.Options{Tokens: []string{"0123456789abcdef"}})})
	res, body := s.do(t, "GET", "/.well-known/oauth-protected-resource/mcp", "", nil)
	require.Equal(t, 404, res.StatusCode)
	require.Contains(t, body, "does not use OAuth")
	res, _ = s.do(t, "POST", "/mcp", ping, nil)
	require.Equal(t, 401, res.StatusCode)
	res, _ = s.do(t, "POST", "/mcp", ping, header{"Authorization": "Bearer 0123456789abcdef"})
	require.Equal(t, 200, res.StatusCode)
	res, _ = s.do(t, "GET", "/healthz", "", nil)
	require.Equal(t, 200, res.StatusCode)
}

// The documentation is open to anyone whom the Host and Origin checks admit. It
// has a server with limits of its own, and nothing of it is at /mcp.
func TestTheDocumentationHasItsOwnEndpointAndPages(t *testing.T) {
	t.Parallel()
	docs := newFixture(func(o *serve.Options) {
		o.MaxMessage, o.Name = 64<<10, "docs"
		o.Tools = []serve.Tool{tool("whoami", func(_ context.Context, caller access.Caller, _ json.RawMessage) *mcp.CallToolResult {
			return mcp.NewToolResultText("caller:" + caller.Username)
		})}
	})
	b := newFixture(func(o *serve.Options) { o.MaxConcurrent = 1 })
	s := b.listen(t, serve.HTTPOptions{
		Access: policy(t, access.Options{CallerCredentials: true}),
		Docs:   docs.Server,
		Web: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/panic" {
				panic("hunter2")
			}
			_, err := io.ReadAll(r.Body)
			_, _ = fmt.Fprint(w, "page ", r.URL.Path, " ", err != nil)
		}),
	})
	basic := header{"Authorization": "Basic eDp5"} // x:y
	for _, row := range []struct {
		name, method, path, body string
		header                   header
		status                   int
		want                     string
	}{
		{"a call without credentials", "POST", "/docs/mcp", call("1", "whoami"), nil, 200, `"text":"caller:"`},
		{"credentials are not passed on", "POST", "/docs/mcp", call("1", "whoami"), basic, 200, `"text":"caller:"`},
		{"a tool of /mcp", "POST", "/docs/mcp", call("1", "echo"), nil, 200, `there is no tool \"echo\"; the tools are whoami`},
		{"a tool of /docs/mcp", "POST", "/mcp", call("1", "whoami"), basic, 200, `there is no tool \"whoami\"`},
		{"a long message", "POST", "/docs/mcp", longCall("1", 64<<10+1), nil, 413, "longer than 65536 bytes"},
		{"another host", "POST", "/docs/mcp", ping, header{"Host": "evil.example"}, 403, ""},
		{"another origin", "POST", "/docs/mcp", ping, header{"Origin": "https://evil.example"}, 403, ""},
		{"a browser at /docs/mcp", "GET", "/docs/mcp", "", nil, 405, "documentation for people is at /"},
		{"a browser at /mcp", "GET", "/mcp", "", basic, 405, "documentation for people is at /"},
		{"the start page", "GET", "/", "", nil, 200, "page / false"},
		{"another page", "GET", "/docs/guides/limits.md", "", nil, 200, "page /docs/guides/limits.md false"},
		{"a slash at the end", "POST", "/docs/mcp/", call("1", "whoami"), nil, 200, `"text":"caller:"`},
		{"not an endpoint", "GET", "/docs/mcp//", "", nil, 200, "page /docs/mcp//"},
		{"an event stream", "GET", "/", "", header{"Accept": "text/event-stream"}, 405, "The endpoint is "},
		{"an event stream elsewhere", "GET", "/sse", "", header{"Accept": "text/event-stream;q=1"}, 405, "The endpoint is "},
		{"a browser that takes anything", "GET", "/", "", header{"Accept": "text/event-stream, */*"}, 200, "page / false"},
		{"a page for another host", "GET", "/", "", header{"Host": "evil.example"}, 403, ""},
		{"a large request", "GET", "/", strings.Repeat("x", 64<<10+1), nil, 200, "page / true"},
		{"a panic", "GET", "/panic", "", nil, 500, "internal error"},
		{"liveness", "GET", "/healthz", "", nil, 200, "ok"},
	} {
		res, body := s.do(t, row.method, row.path, row.body, row.header)
		require.Equal(t, row.status, res.StatusCode, row.name)
		require.Contains(t, body, row.want, row.name)
		require.NotContains(t, body, "hunter2")
	}
	require.Contains(t, b.log.String(), "hunter2")

	var calls sync.WaitGroup
	for range 65 { // as many as run and wait
		calls.Go(func() { s.do(t, "POST", "/mcp", call("1", "hold"), basic) })
	}
	await(t, func() bool { return b.started.Load() == 1 })
	res, _ := s.do(t, "POST", "/docs/mcp", call("1", "whoami"), nil)
	require.Equal(t, 200, res.StatusCode, "calls at /mcp do not delay /docs/mcp")
	close(b.release)
	calls.Wait()
}

// A proxy may remove the path of the public URL, or pass it on.
func TestThePathOfThePublicURLMayBeThere(t *testing.T) {
	t.Parallel()
	const public = "https://mcp.example.com/base"
	pages := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "page ", r.URL.Path) })
	events := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "events ", r.URL.Path) })
	s := newFixture().listen(t, serve.HTTPOptions{
		BaseURL: public, Web: pages, Docs: newFixture().Server, Events: events,
		Access: policy(t, access.Options{Issuer: "https://login.example", PublicURL: public}),
	})
	for _, prefix := range []string{"", "/base"} {
		for _, row := range []struct {
			method, path string
			status       int
			want         string
		}{
			{"POST", "/mcp", 401, "send an access token"},
			{"POST", "/mcp/", 401, "send an access token"},
			{"POST", "/docs/mcp", 200, `"result":{}`},
			{"GET", "/", 200, "page /"},
			{"GET", "/docs/guides/limits", 200, "page /docs/guides/limits"},
			{"POST", "/events/token", 200, "events /events/token"},
			{"GET", "/healthz", 200, "ok"},
			{"POST", "/", 404, "The endpoint is https://mcp.example.com/base/mcp,"},
			{"POST", "/base/base/mcp", 404, "The endpoint is https://mcp.example.com/base/mcp,"},
			{"GET", "/.well-known/oauth-protected-resource", 200, `"resource":"https://mcp.example.com/base/mcp"`},
			{"GET", "/.well-known/oauth-protected-resource/mcp", 200, `"resource":"https://mcp.example.com/base/mcp"`},
			{"GET", "/.well-known/oauth-protected-resource/base/mcp/", 200, `"resource":"https://mcp.example.com/base/mcp"`},
		} {
			res, body := s.do(t, row.method, prefix+row.path, ping, nil)
			require.Equal(t, row.status, res.StatusCode, prefix+row.path)
			require.Contains(t, body, row.want, prefix+row.path)
		}
	}
	res, _ := s.do(t, "GET", "/base", "", nil)
	require.Equal(t, 308, res.StatusCode)
	require.Equal(t, "/base/", res.Header.Get("Location"))
	res, _ = s.do(t, "GET", "/basement/mcp", "", nil)
	require.Equal(t, 200, res.StatusCode, "a page of another path")
}

// Anyone may read the pages, so their number at a time is limited.
func TestTooManyPagesAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	s := newFixture().listen(t, serve.HTTPOptions{Web: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		started <- struct{}{}
		<-release
	})})
	statuses := make(chan int)
	for range 64 {
		go func() { res, _ := s.do(t, "GET", "/", "", nil); statuses <- res.StatusCode }()
		<-started
	}
	res, _ := s.do(t, "GET", "/", "", nil)
	require.Equal(t, 503, res.StatusCode)
	require.NotEmpty(t, res.Header.Get("Retry-After"))
	res, _ = s.do(t, "POST", "/mcp", ping, nil)
	require.Equal(t, 200, res.StatusCode)
	close(release)
	for range 64 {
		require.Equal(t, 200, <-statuses)
	}
}
