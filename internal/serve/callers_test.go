package serve_test

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// byUser admits callers with a user name of their own.
func byUser(t *testing.T) *access.Policy { return policy(t, access.Options{CallerCredentials: true}) }

func as(t *testing.T, user string) header {
	t.Helper()
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, "x")
	return header{"Authorization": r.Header.Get("Authorization")}
}

// One caller whose calls take long, and who makes more of them than the server has
// room for, delays others by no more than one call.
func TestOneCallerDoesNotKeepOthersFromCalling(t *testing.T) {
	t.Parallel()
	for _, concurrent := range []int{1, 2, 8} {
		var queued atomic.Int32
		b := newFixture(func(o *serve.Options) {
			o.MaxConcurrent = concurrent
			o.Metrics.Queued = func(delta int) { queued.Add(int32(delta)) }
		})
		s := b.listen(t, serve.HTTPOptions{Access: byUser(t)})
		calls := 70 * concurrent
		statuses := make(chan int, calls)
		for range calls {
			go func() { res, _ := s.do(t, "POST", "/mcp", call("1", "hold"), as(t, "a")); statuses <- res.StatusCode }()
		}
		refused := 0
		for range calls - (concurrent - concurrent/8) - (64-64/8)*concurrent {
			require.Equal(t, 503, <-statuses, "the caller has no more room")
			refused++
		}
		waiting := int32(calls - refused - (concurrent - concurrent/8))
		await(t, func() bool { return queued.Load() == waiting })
		other := make(chan string)
		go func() { _, body := s.do(t, "POST", "/mcp", call("1", "echo"), as(t, "b")); other <- body }()
		if concurrent < 8 { // all slots are in use; the next one is free for the other caller
			await(t, func() bool { return queued.Load() == waiting+1 })
			b.release <- struct{}{}
		}
		require.Contains(t, <-other, `"text":"{}"`)
		close(b.release)
		for range calls - refused {
			<-statuses
		}
	}
}

func TestACallerThatExceedsTheRateIsRefused(t *testing.T) {
	t.Parallel()
	var refused []string
	b := newFixture(func(o *serve.Options) {
		o.Rate, o.Burst = 0.01, 3 // as many at once, and the next one after 100 s
		o.Metrics.Refused = func(reason string) { refused = append(refused, reason) }
	})
	s := b.listen(t, serve.HTTPOptions{Access: byUser(t)})
	for _, user := range []string{"a", "b"} {
		for i := range 5 {
			res, body := s.do(t, "POST", "/mcp", call("1", "echo"), as(t, user))
			if i < 3 {
				require.Equal(t, 200, res.StatusCode, body)
				continue
			}
			require.Equal(t, 429, res.StatusCode)
			require.Equal(t, "100", res.Header.Get("Retry-After"))
			require.Contains(t, body, `"id":1,"error":{"code":-32603,"message":"too many calls: the server carries out 0.01 a second for each caller; nothing was sent; try again in 100 s"`)
		}
		res, _ := s.do(t, "POST", "/mcp", ping, as(t, user))
		require.Equal(t, 200, res.StatusCode, "a ping is no call")
	}
	require.Equal(t, []string{"rate", "rate", "rate", "rate"}, refused)
	require.Contains(t, b.log.String(), "outcome=error")
}

// A model reads when to try again.
func TestOverStdioTheRateIsAToolError(t *testing.T) {
	t.Parallel()
	s := newFixture(func(o *serve.Options) { o.Rate = 0.01 }).start(t)
	s.send(call("1", "echo"))
	require.Contains(t, s.answer(), `"isError":false`)
	s.send(call("2", "echo"))
	answer := s.answer()
	require.Contains(t, answer, `"id":2,"result":{`)
	require.Contains(t, answer, `try again in 100 s"}],"isError":true`)
	require.Contains(t, answer, `"outcome":"not_sent"`)
	require.Contains(t, answer, `"retryable":true`)
	require.Contains(t, answer, `"retry_after":100`)
	s.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo",%s}}`, meta))
	require.Contains(t, s.answer(), `"resultType":"complete"`)
}
