package serve_test

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

// After 10,000 calls, 1,000 calls whose clients disconnect, 1,000 requests that
// are refused, and 2,000 times initialize, there are no more goroutines and no
// more memory in use than before.
func TestRequestsLeaveNothingBehind(t *testing.T) {
	s := newFixture(func(o *serve.Options) { o.Log = slog.New(slog.DiscardHandler) }).listen(t, serve.HTTPOptions{})
	transport := &http.Transport{MaxIdleConnsPerHost: 16}
	post := func(ctx context.Context, body, origin string) (int, error) {
		req, err := http.NewRequestWithContext(ctx, "POST", s.url+"/mcp", strings.NewReader(body))
		if err != nil {
			return 0, err
		}
		req.Header.Set("Content-Type", "application/json")
		if origin != "" {
			req.Header.Set("Origin", origin)
		}
		res, err := transport.RoundTrip(req)
		if err != nil {
			return 0, err
		}
		return res.StatusCode, res.Body.Close()
	}
	all := func(n int, each func() bool) {
		var group sync.WaitGroup
		for range 16 {
			group.Go(func() {
				for range n / 16 {
					if !each() {
						t.Fail()
					}
				}
			})
		}
		group.Wait()
	}
	level := func() (goroutines int, heap uint64) {
		transport.CloseIdleConnections()
		var m runtime.MemStats
		for last := -1; last != runtime.NumGoroutine(); {
			last = runtime.NumGoroutine()
			runtime.GC()
			time.Sleep(10 * time.Millisecond)
		}
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), m.HeapAlloc
	}
	calls := func(n int) {
		all(n, func() bool {
			status, err := post(t.Context(), call("1", "echo"), "")
			return err == nil && status == 200
		})
	}
	calls(1600)
	goroutines, heap := level()
	calls(10_000)
	all(1000, func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := post(ctx, call("1", "hold"), "")
		return err != nil
	})
	all(1000, func() bool {
		status, err := post(t.Context(), ping, "https://evil.example")
		return err == nil && status == 403
	})
	all(2000, func() bool {
		status, err := post(t.Context(), `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",`+
			`"capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`, "")
		return err == nil && status == 200
	})
	goroutinesAfter, heapAfter := level()
	t.Logf("goroutines %d before, %d after; heap %d kB before, %d kB after", goroutines, goroutinesAfter, heap>>10, heapAfter>>10)
	require.LessOrEqual(t, goroutinesAfter, goroutines)
	require.Less(t, heapAfter, heap+4<<20)
}
