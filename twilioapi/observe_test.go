package twilioapi_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

func TestRequestsAndRetriesAreObserved(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		first  http.HandlerFunc
		status int
		reason string
	}{
		{"429", reply(429, ""), 429, "429"},
		{"503", reply(503, ""), 503, "503"},
		{"reset", reset, 0, "no_response"},
		{"truncated", truncated, 200, "unusable_response"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var observed []string
			observe := func(format string, args ...any) {
				mu.Lock()
				defer mu.Unlock()
				observed = append(observed, fmt.Sprintf(format, args...))
			}
			client, _ := record(t, twilioapi.Config{
				OnResponse: func(method string, status int, d time.Duration) {
					observe("%s %d %t", method, status, d > 0)
				},
				OnRetry: func(reason string) { observe("retry: %s", reason) },
			}, once(row.first, reply(200, emptyList)))
			require.NoError(t, list(t, client))
			require.Equal(t, []string{fmt.Sprintf("GET %d true", row.status), "retry: " + row.reason, "GET 200 true"}, observed)
		})
	}
	t.Run("not sent", func(t *testing.T) {
		t.Parallel()
		var reasons []string
		client, err := twilioapi.New(twilioapi.Config{
			BaseURL: "http://127.0.0.1:1", Credentials: give("a", "b"), Sleep: noSleep,
			OnRetry: func(reason string) { reasons = append(reasons, reason) },
		})
		require.NoError(t, err)
		require.Error(t, create(t, client))
		require.Equal(t, []string{"not_sent", "not_sent", "not_sent"}, reasons)
	})
}
