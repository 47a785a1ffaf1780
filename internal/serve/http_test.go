package serve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// A site is a server over HTTP.
type site struct {
	url  string
	end  context.CancelFunc
	done chan error
}

func (b *bench) listen(t testing.TB, o serve.HTTPOptions) *site {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ln, err := serve.Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	s := &site{url: "http://" + ln.Addr().String(), end: cancel, done: make(chan error, 1)}
	if o.Access == nil {
		o.Access = access.New(access.Options{})
	}
	go func() { s.done <- b.HTTP(ctx, ln, o) }()
	t.Cleanup(cancel)
	return s
}

// header changes a request.
type header map[string]string

// do sends one request, by default a ping as JSON.
func (s *site) do(t testing.TB, method, path, body string, h header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.url+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	for name, value := range h {
		if name == "Host" {
			req.Host = value
		}
		req.Header.Set(name, value)
		if value == "" {
			req.Header.Del(name)
		}
	}
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(answer)
}

func TestWhoGetsInAndWhoDoesNot(t *testing.T) {
	t.Parallel()
	s := newBench().listen(t, serve.HTTPOptions{Access: access.New(access.Options{
		AllowedHosts:   []string{"mcp.example.com", "Other.example:443"},
		AllowedOrigins: []string{"https://App.example.com", "http://dev.example:3000"},
	})})
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
		{"localhost", "POST", "/mcp", ping, header{"Host": "localhost:1"}, 200, ""},
		{"IPv6 loopback", "POST", "/mcp", ping, header{"Host": "[::1]:1"}, 200, ""},
		{"a listed host", "POST", "/mcp", ping, header{"Host": "MCP.example.com:8443"}, 200, ""},
		{"another listed host", "POST", "/mcp", ping, header{"Host": "other.example"}, 200, ""},
		{"another host", "POST", "/mcp", ping, header{"Host": "evil.example"}, 403, "--allowed-host"},
		{"a host that begins well", "POST", "/mcp", ping, header{"Host": "localhost.evil.example"}, 403, "--allowed-host"},
		{"a loopback origin", "POST", "/mcp", ping, header{"Origin": "http://localhost:6274"}, 200, ""},
		{"a listed origin", "POST", "/mcp", ping, header{"Origin": "https://app.example.com:8443"}, 200, ""},
		{"another scheme", "POST", "/mcp", ping, header{"Origin": "http://app.example.com"}, 403, "--allowed-origin"},
		{"another origin", "POST", "/mcp", ping, header{"Origin": "https://evil.example"}, 403, "--allowed-origin"},
		{"origin null", "POST", "/mcp", ping, header{"Origin": "null"}, 403, "--allowed-origin"},
		{"origin file", "POST", "/mcp", ping, header{"Origin": "file://localhost"}, 403, "--allowed-origin"},
		{"an origin that begins well", "POST", "/mcp", ping, header{"Origin": "https://app.example.com.evil.example"}, 403, "--allowed-origin"},
		{"preflight", "OPTIONS", "/mcp", "", preflight("https://app.example.com"), 204, ""},
		{"preflight of another", "OPTIONS", "/mcp", "", preflight("https://evil.example"), 403, "--allowed-origin"},
		{"OPTIONS alone", "OPTIONS", "/mcp", "", nil, 405, ""},
		{"GET", "GET", "/mcp", "", nil, 405, ""},
		{"DELETE", "DELETE", "/mcp", "", nil, 405, ""},
		{"HEAD", "HEAD", "/mcp", "", nil, 405, ""},
		{"PUT", "PUT", "/mcp", ping, nil, 405, ""},
		{"another path", "POST", "/", ping, nil, 404, ""},
		{"a longer path", "POST", "/mcp/", ping, nil, 404, ""},
		{"a path not clean", "POST", "//mcp", ping, nil, 404, ""},
		{"a path of dots", "POST", "/x/../mcp", ping, nil, 404, ""},
		{"IPv6 loopback, written long", "POST", "/mcp", ping, header{"Host": "[0:0::1]:1"}, 200, ""},
		{"well-known", "GET", "/.well-known/oauth-protected-resource", "", nil, 404, ""},
		{"text", "POST", "/mcp", ping, header{"Content-Type": "text/plain"}, 415, "application/json"},
		{"no type", "POST", "/mcp", ping, header{"Content-Type": ""}, 415, "application/json"},
		{"junk", "POST", "/mcp", "junk", nil, 400, `"id":null,"error":{"code":-32700`},
		{"nothing", "POST", "/mcp", "", nil, 400, `"id":null,"error":{"code":-32700`},
		{"a batch", "POST", "/mcp", "[]", nil, 400, `"code":-32600`},
		{"a large one", "POST", "/mcp", strings.Repeat(" ", 1<<20+1), nil, 413, "longer than 1048576 bytes"},
		{"a notification", "POST", "/mcp", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, nil, 202, ""},
		{"a response", "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"result":{}}`, nil, 202, ""},
		{"an unknown method", "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, nil, 200, `"code":-32601`},
		{"an unknown revision", "POST", "/mcp", ping, header{"Mcp-Protocol-Version": "1999-01-01"}, 400, "not supported"},
		{"a known revision", "POST", "/mcp", ping, header{"Mcp-Protocol-Version": "2025-06-18"}, 200, ""},
		{"live", "GET", "/healthz", "", header{"Host": "anything"}, 200, "ok\n"},
		{"ready", "GET", "/readyz", "", header{"Host": "anything", "Origin": "null"}, 200, "ok\n"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			res, body := s.do(t, row.method, row.path, row.body, row.header)
			require.Equal(t, row.status, res.StatusCode, body)
			require.Contains(t, body, row.want)
			require.Empty(t, res.Header.Get("Mcp-Session-Id"))
			switch {
			case row.status == 405:
				require.Equal(t, "POST, OPTIONS", res.Header.Get("Allow"))
			case row.status == 204:
				for _, name := range []string{"Authorization", "Content-Type", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name", "Mcp-Session-Id"} {
					require.Contains(t, res.Header.Get("Access-Control-Allow-Headers"), name)
				}
				require.Contains(t, res.Header.Get("Access-Control-Allow-Methods"), "POST")
			}
			if row.header["Origin"] != "" && row.status < 300 && row.path == "/mcp" {
				require.Equal(t, row.header["Origin"], res.Header.Get("Access-Control-Allow-Origin"))
			} else {
				require.Empty(t, res.Header.Get("Access-Control-Allow-Origin"))
			}
		})
	}
}

const (
	newest = "2026-07-28"
	meta   = `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + newest + `","io.modelcontextprotocol/clientCapabilities":{}}`
)

func TestTheHeadersOfTheNewestRevisionAreHeldAgainstTheBody(t *testing.T) {
	t.Parallel()
	s := newBench().listen(t, serve.HTTPOptions{})
	callEcho := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{},` + meta + `}}`
	full := header{"Mcp-Protocol-Version": newest, "Mcp-Method": "tools/call", "Mcp-Name": "echo"}
	with := func(name, value string) header {
		h := header{}
		for k, v := range full {
			h[k] = v
		}
		h[name] = value
		return h
	}
	for _, row := range []struct {
		name, body string
		header     header
		status     int
		want       string
	}{
		{"as it should be", callEcho, full, 200, `"resultType":"complete"`},
		{"no version", callEcho, with("Mcp-Protocol-Version", ""), 400, `"code":-32020`},
		{"an older version", callEcho, with("Mcp-Protocol-Version", "2025-11-25"), 400, `"code":-32020`},
		{"no method", callEcho, with("Mcp-Method", ""), 400, `"code":-32020`},
		{"another method", callEcho, with("Mcp-Method", "tools/list"), 400, `"code":-32020`},
		{"no name", callEcho, with("Mcp-Name", ""), 400, `"code":-32020`},
		{"another name", callEcho, with("Mcp-Name", "hold"), 400, `"code":-32020`},
		{"to be resumed", callEcho, with("Last-Event-ID", "7"), 400, `"code":-32020`},
		{"no version within", call("1", "echo"), full, 400, `"code":-32602`},
		{"no capabilities", strings.Replace(callEcho, `,"io.modelcontextprotocol/clientCapabilities":{}`, "", 1), full, 400, `"code":-32602`},
		{"a newer version", strings.Replace(callEcho, newest, "2099-01-01", 1), with("Mcp-Protocol-Version", "2099-01-01"), 400, `"supported":["2026-07-28"`},
		{"an unknown tool", strings.Replace(callEcho, "echo", "nope", 1), with("Mcp-Name", "nope"), 400, `"code":-32602`},
		{"an unknown method", `{"jsonrpc":"2.0","id":1,"method":"nope","params":{` + meta + `}}`, header{"Mcp-Protocol-Version": newest, "Mcp-Method": "nope"}, 404, `"code":-32601`},
		{"a method that is gone", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{` + meta + `}}`, header{"Mcp-Protocol-Version": newest, "Mcp-Method": "ping"}, 404, `"code":-32601`},
		{"discover", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`, header{"Mcp-Protocol-Version": newest, "Mcp-Method": "server/discover"}, 200, `"supportedVersions":["2026-07-28"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			res, body := s.do(t, "POST", "/mcp", row.body, row.header)
			require.Equal(t, row.status, res.StatusCode, body)
			require.Contains(t, body, row.want)
			require.Contains(t, body, `"id":1`)
		})
	}
}

func TestWhoWantsNewsLearnsThatThereIsNone(t *testing.T) {
	t.Parallel()
	listen := `{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + meta + `}}`
	const ack = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},"notifications":{}}}`
	res, body := newBench().listen(t, serve.HTTPOptions{}).do(t, "POST", "/mcp", listen,
		header{"Mcp-Protocol-Version": newest, "Mcp-Method": "subscriptions/listen"})
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Regexp(t, `(?s)^data: `+regexp.QuoteMeta(ack)+`\n\ndata: \{"jsonrpc":"2.0","id":"s","result":.*\}\n\n$`, body)

	s := newBench().start(t)
	s.send(listen)
	require.Equal(t, ack, s.answer())
	require.Contains(t, s.answer(), `"io.modelcontextprotocol/subscriptionId":"s"`)
}

func TestACallerNeedsOneOfTheTokens(t *testing.T) {
	t.Parallel()
	s := newBench().listen(t, serve.HTTPOptions{Access: access.New(access.Options{Tokens: []string{"old", "new"}})})
	for authorization, status := range map[string]int{
		"": 401, "Bearer": 401, "Bearer ": 401, "Bearer wrong": 401, "new": 401, "Basic bmV3Om5ldw==": 401, "Bearer newer": 401,
		"Bearer old": 200, "bearer new": 200,
	} {
		res, body := s.do(t, "POST", "/mcp", ping, header{"Authorization": authorization})
		require.Equal(t, status, res.StatusCode, authorization)
		require.NotContains(t, body, "old")
		if status == 401 {
			require.Contains(t, res.Header.Get("WWW-Authenticate"), "Bearer")
		}
	}
	res, _ := s.do(t, "POST", "/mcp?access_token=new", ping, nil)
	require.Equal(t, 401, res.StatusCode, "never in a query")
	res, _ = s.do(t, "GET", "/healthz", "", nil)
	require.Equal(t, 200, res.StatusCode)
}

func TestCallersBringTheirOwnCredentials(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) {
		o.Tools = []serve.Tool{tool("whoami", func(_ context.Context, caller access.Caller, _ json.RawMessage) *mcp.CallToolResult {
			return mcp.NewToolResultText(caller.Username + "/" + caller.Password)
		})}
	})
	at := b.listen(t, serve.HTTPOptions{Access: access.New(access.Options{CallerCredentials: true})})
	for _, authorization := range []string{"", "Bearer x", "Basic x", "Basic OnNlY3JldA==", "Basic U0s6"} {
		res, _ := at.do(t, "POST", "/mcp", call("1", "whoami"), header{"Authorization": authorization})
		require.Equal(t, 401, res.StatusCode)
		require.Contains(t, res.Header.Get("WWW-Authenticate"), "Basic")
	}
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), "POST", at.url+"/mcp", strings.NewReader(call("1", "whoami")))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.SetBasicAuth(fmt.Sprintf("SK%d", i), fmt.Sprintf("secret%d", i))
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if want := fmt.Sprintf(`"SK%d/secret%d"`, i, i); err != nil || !strings.Contains(string(body), want) {
				t.Errorf("%s instead of %s: %v", body, want, err)
			}
		})
	}
	all.Wait()
}

func TestNobodyCanStopAnothersCall(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.listen(t, serve.HTTPOptions{})
	answered := make(chan string, 2)
	for range 2 { // two clients that count their requests alike
		go func() { _, body := s.do(t, "POST", "/mcp", call("1", "hold"), nil); answered <- body }() // mcp-go knows all requests as 1
	}
	await(t, func() bool { return b.started.Load() == 2 })
	res, _ := s.do(t, "POST", "/mcp", cancelled("1"), nil)
	require.Equal(t, 202, res.StatusCode)
	close(b.release)
	require.Contains(t, <-answered, "released")
	require.Contains(t, <-answered, "released")
	require.Zero(t, b.canceled.Load())
}

// raw sends bytes to a server and returns the first line of its answer and all
// of it.
func (s *site) raw(t *testing.T, text string) (status, answer string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, text)
	require.NoError(t, err)
	require.NoError(t, conn.(*net.TCPConn).CloseWrite())
	all, err := io.ReadAll(conn)
	require.NoError(t, err)
	status, _, _ = strings.Cut(string(all), "\r\n")
	return status, string(all)
}

func TestABodyThatCannotBeReadIsRefused(t *testing.T) {
	t.Parallel()
	s := newBench().listen(t, serve.HTTPOptions{})
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

func TestBodiesTakeNoMoreMemoryThanTheyMay(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) { o.MaxMessage = 1000 })
	s := b.listen(t, serve.HTTPOptions{})
	statuses := make(chan int, 20)
	for range 20 {
		go func() { res, _ := s.do(t, "POST", "/mcp", longCall("1", 1000), nil); statuses <- res.StatusCode }()
	}
	for range 8 { // all but three quarters of sixteen
		require.Equal(t, 503, <-statuses)
	}
	close(b.release)
	for range 12 {
		require.Equal(t, 200, <-statuses)
	}
}

func TestAClientThatGoesAwayStopsItsCall(t *testing.T) {
	t.Parallel()
	b := newBench()
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

func TestCallersBeyondTheQueueAreSentAway(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) { o.MaxConcurrent = 1 })
	s := b.listen(t, serve.HTTPOptions{})
	statuses := make(chan int, 100)
	for range 100 {
		go func() {
			res, _ := s.do(t, "POST", "/mcp", call("1", "hold"), nil)
			if res.StatusCode == 503 && res.Header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
			statuses <- res.StatusCode
		}()
	}
	for range 100 - 64 {
		require.Equal(t, 503, <-statuses)
	}
	res, _ := s.do(t, "POST", "/mcp", ping, nil)
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, 100-64, strings.Count(b.log.String(), "tool=hold outcome=error"), "each is logged")
	close(b.release)
	for range 64 {
		require.Equal(t, 200, <-statuses)
	}
}

func TestTheEndAnswersWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.listen(t, serve.HTTPOptions{Drain: 200 * time.Millisecond})
	answered := make(chan string, 1)
	go func() { _, body := s.do(t, "POST", "/mcp", call("1", "hold"), nil); answered <- body }()
	await(t, func() bool { return b.started.Load() == 1 })
	s.end()
	res, body := s.do(t, "GET", "/readyz", "", nil)
	require.Equal(t, 503, res.StatusCode)
	require.Equal(t, "no\n", body)
	res, _ = s.do(t, "POST", "/mcp", ping, nil)
	require.Equal(t, 200, res.StatusCode, "still served")
	require.True(t, res.Close, "on a connection that is closed")
	await(t, func() bool {
		c, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = c.Close()
		}
		return err != nil
	})
	close(b.release)
	require.Contains(t, <-answered, "released")
	require.NoError(t, <-s.done)
}

func TestAStuckCallDoesNotHoldUpTheEnd(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) { o.Grace = 10 * time.Millisecond })
	s := b.listen(t, serve.HTTPOptions{})
	go func() {
		res, err := http.Post(s.url+"/mcp", "application/json", strings.NewReader(call("1", "hold")))
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	await(t, func() bool { return b.started.Load() == 1 })
	s.end()
	require.NoError(t, <-s.done)
	await(t, func() bool { return b.canceled.Load() == 1 })
}

func TestABindBeyondLoopbackNeedsAReason(t *testing.T) {
	t.Parallel()
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0", "example.com:80", "10.0.0.1:80"} {
		_, err := serve.Listen(address, false)
		require.ErrorContains(t, err, "MCP_AUTH_TOKEN", address)
		require.ErrorContains(t, err, "--credentials caller", address)
		require.ErrorContains(t, err, "--allow-anonymous", address)
	}
	ln, err := serve.Listen(":0", true)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
}

func TestTLS(t *testing.T) {
	t.Parallel()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	certificate, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	o := serve.HTTPOptions{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	require.NoError(t, os.WriteFile(o.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}), 0o600))
	require.NoError(t, os.WriteFile(o.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	roots := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(certificate)
	require.NoError(t, err)
	roots.AddCert(parsed)

	s := newBench().listen(t, o)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	res, err := client.Post(strings.Replace(s.url, "http:", "https:", 1)+"/mcp", "application/json", strings.NewReader(ping))
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	require.NoError(t, res.Body.Close())
}
