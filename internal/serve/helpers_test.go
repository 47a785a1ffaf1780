package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// A fixture is a server with tools that tests control.
type fixture struct {
	*serve.Server
	started  atomic.Int32  // calls of hold that started
	release  chan struct{} // lets calls of hold end
	canceled atomic.Int32  // calls of hold whose context was done first
	log      *logBuffer
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A handler carries out a call of a tool in tests.
type handler func(ctx context.Context, caller access.Caller, arguments json.RawMessage) *mcp.CallToolResult

func tool(name string, handle handler) serve.Tool {
	return serve.Tool{
		Definition: mcp.Tool{Name: name, RawInputSchema: json.RawMessage(`{"type":"object"}`)},
		Call: func(ctx context.Context, caller access.Caller, in serve.Input) (*mcp.CallToolResult, []slog.Attr) {
			return handle(ctx, caller, in.Arguments), nil
		},
	}
}

func newFixture(change ...func(*serve.Options)) *fixture {
	b := &fixture{release: make(chan struct{}), log: &logBuffer{}}
	o := serve.Options{
		Instructions: "instructions", Version: "1", Log: slog.New(slog.NewTextHandler(b.log, nil)),
		MaxMessage: 1 << 20, MaxConcurrent: 32, Grace: 10 * time.Second,
		Tools: []serve.Tool{
			tool("echo", func(_ context.Context, _ access.Caller, arguments json.RawMessage) *mcp.CallToolResult {
				return mcp.NewToolResultText(string(arguments))
			}),
			tool("hold", func(ctx context.Context, _ access.Caller, _ json.RawMessage) *mcp.CallToolResult {
				b.started.Add(1)
				select {
				case <-b.release:
					return mcp.NewToolResultText("released")
				case <-ctx.Done():
					b.canceled.Add(1)
					return mcp.NewToolResultError(ctx.Err().Error())
				}
			}),
			tool("panic", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult { panic("hunter2") }),
			tool("nan", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult {
				return mcp.NewToolResultStructured(math.NaN(), "x")
			}),
		},
	}
	for _, c := range change {
		c(&o)
	}
	b.Server = serve.New(o)
	return b
}

// A stdioClient is the client of a stdio server.
type stdioClient struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	done chan error
	end  context.CancelFunc
}

func (b *fixture) start(t *testing.T) *stdioClient {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, client := io.Pipe()
	answers, out := io.Pipe()
	s := &stdioClient{t: t, in: client, out: bufio.NewReader(answers), done: make(chan error, 1), end: cancel}
	go func() { s.done <- b.Stdio(ctx, in, out); _ = out.Close() }()
	t.Cleanup(func() { cancel(); _ = client.Close(); _ = answers.Close() })
	return s
}

func (s *stdioClient) send(lines ...string) {
	s.t.Helper()
	for _, line := range lines {
		_, err := io.WriteString(s.in, line+"\n")
		require.NoError(s.t, err)
	}
}

func (s *stdioClient) answer() string {
	s.t.Helper()
	line, err := s.out.ReadString('\n')
	require.NoError(s.t, err)
	return strings.TrimSuffix(line, "\n")
}

func call(id, name string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + name + `","arguments":{}}}`
}

// longCall is a call of hold with a length in bytes.
func longCall(id string, length int) string {
	m := call(id, "hold")
	return m[:len(m)-3] + `"x":"` + strings.Repeat("x", length-len(m)-6) + `"}}}`
}

const ping = `{"jsonrpc":"2.0","id":"p","method":"ping"}`

// await waits for a condition that depends on the scheduler only.
func await(t *testing.T, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 10*time.Second, time.Millisecond)
}

func cancelled(id string) string {
	return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`
}

const (
	newest = "2026-07-28"
	meta   = `"_meta":{"io.modelcontextprotocol/protocolVersion":"` + newest + `","io.modelcontextprotocol/clientCapabilities":{}}`
)

// An httpFixture is a server over HTTP.
type httpFixture struct {
	url  string
	end  context.CancelFunc
	done chan error
}

func policy(t testing.TB, o access.Options) *access.Policy {
	t.Helper()
	p, err := access.New(o)
	require.NoError(t, err)
	return p
}

func (b *fixture) listen(t testing.TB, o serve.HTTPOptions) *httpFixture {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ln, err := serve.Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	s := &httpFixture{url: "http://" + ln.Addr().String(), end: cancel, done: make(chan error, 1)}
	if o.Access == nil {
		o.Access = policy(t, access.Options{})
	}
	go func() { s.done <- b.HTTP(ctx, ln, o) }()
	t.Cleanup(cancel)
	return s
}

// header changes a request.
type header map[string]string

// do sends one request, by default a ping as JSON.
func (s *httpFixture) do(t testing.TB, method, path, body string, h header) (*http.Response, string) {
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

// raw sends bytes to a server and returns the first line of its answer and all
// of it.
func (s *httpFixture) raw(t *testing.T, text string) (status, answer string) {
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

// post sends a message with headers that may be repeated or empty.
func (s *httpFixture) post(t testing.TB, body string, h http.Header) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", s.url+"/mcp", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	maps.Copy(req.Header, h)
	res, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}
