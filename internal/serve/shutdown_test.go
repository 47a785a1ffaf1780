package serve_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
