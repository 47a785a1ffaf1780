package serve_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

func TestShutdownAnswersCallsInFlight(t *testing.T) {
	t.Parallel()
	b := newFixture()
	s := b.listen(t, serve.HTTPOptions{Drain: 200 * time.Millisecond})
	answered := make(chan string, 1)
	go func() { _, body := s.do(t, "POST", "/mcp", call("1", "hold"), nil); answered <- body }()
	await(t, func() bool { return b.started.Load() == 1 })
	s.end()
	res, body := s.do(t, "GET", "/readyz", "", nil)
	require.Equal(t, 503, res.StatusCode)
	require.Equal(t, "shutting down\n", body)
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

func TestShutdownOverStdioWaitsForCallsInFlight(t *testing.T) {
	t.Parallel()
	b := newFixture()
	s := b.start(t)
	s.send(call("1", "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.end()
	close(b.release)
	require.Contains(t, s.answer(), "released")
	require.NoError(t, <-s.done)
}

const (
	outcomeUnknown = `"error":{"code":-32603,"message":"the server shut down before the call finished; whether it was carried out is unknown: list before creating again"}`
	notStarted     = `"error":{"code":-32603,"message":"the server shut down before the call started; nothing was sent","data":{"retryAfter":1}}`
)

// A tool that does not end delays neither the response nor the shutdown. A call
// that waited for it was never sent.
func TestShutdownOverStdioAnswersWhatTheGracePeriodLeaves(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.MaxConcurrent, o.Grace = 1, 10*time.Millisecond })
	s := b.start(t)
	s.send(call("1", "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.send(call("2", "hold"), ping)
	require.Contains(t, s.answer(), `"id":"p"`)
	s.end()
	require.ElementsMatch(t, []string{
		`{"jsonrpc":"2.0","id":1,` + outcomeUnknown + `}`,
		`{"jsonrpc":"2.0","id":2,` + notStarted + `}`,
	}, []string{s.answer(), s.answer()})
	_, err := s.out.ReadByte()
	require.ErrorIs(t, err, io.EOF, "each is answered once")
	require.NoError(t, <-s.done)
	require.EqualValues(t, 1, b.started.Load())
	require.Contains(t, b.log.String(), `msg="shutting down with requests in flight" requests=2`)
	require.Contains(t, b.log.String(), `tool=hold outcome="error, cancelled"`)
}

func TestShutdownOverHTTPAnswersWhatTheGracePeriodLeaves(t *testing.T) {
	t.Parallel()
	for name, stuck := range map[string]bool{"a call that can be cancelled": false, "a call that cannot": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			release := make(chan struct{})
			defer close(release)
			b := newFixture(func(o *serve.Options) {
				o.MaxConcurrent, o.Grace = 1, 10*time.Millisecond
				o.Tools = append(o.Tools, tool("stuck", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult {
					<-release
					return mcp.NewToolResultText("released")
				}))
			})
			s := b.listen(t, serve.HTTPOptions{})
			answers, running := make(chan string, 2), "hold"
			if stuck {
				running = "stuck"
			}
			var inFlight, queued atomic.Int32
			b.Metrics = serve.Metrics{InFlight: func(n int) { inFlight.Add(int32(n)) }, Queued: func(n int) { queued.Add(int32(n)) }}
			post := func(id, name string, counter *atomic.Int32) {
				go func() {
					res, body := s.do(t, "POST", "/mcp", call(id, name), nil)
					answers <- fmt.Sprint(res.StatusCode, " ", body)
				}()
				await(t, func() bool { return counter.Load() == 1 })
			}
			post("1", running, &inFlight)
			post("2", "hold", &queued)
			s.end()
			require.ElementsMatch(t, []string{
				`200 {"jsonrpc":"2.0","id":1,` + outcomeUnknown + "}\n",
				`503 {"jsonrpc":"2.0","id":2,` + notStarted + "}\n",
			}, []string{<-answers, <-answers})
			require.NoError(t, <-s.done)
			require.Contains(t, b.log.String(), `msg="shutting down with requests in flight" requests=2`)
			if !stuck {
				require.EqualValues(t, 1, b.started.Load(), "the waiting call never ran")
			}
		})
	}
}

// Over HTTP/2 a connection is closed only after the responses are complete.
func TestShutdownOverHTTP2AnswersWhatTheGracePeriodLeaves(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.Grace = 10 * time.Millisecond })
	certFile, keyFile, roots := writeCertificate(t, t.TempDir(), 1)
	s := b.listen(t, serve.HTTPOptions{CertFile: certFile, KeyFile: keyFile})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}}
	answered := make(chan string, 1)
	go func() {
		res, err := client.Post(strings.Replace(s.url, "http:", "https:", 1)+"/mcp", "application/json", strings.NewReader(call("1", "hold")))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		answered <- fmt.Sprint(res.Proto, " ", string(body), err)
	}()
	await(t, func() bool { return b.started.Load() == 1 })
	s.end()
	require.Equal(t, `HTTP/2.0 {"jsonrpc":"2.0","id":1,`+outcomeUnknown+"}\n<nil>", <-answered)
	require.NoError(t, <-s.done)
}
