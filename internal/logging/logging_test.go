package logging_test

import (
	"bytes"
	"io"
	"log"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/logging"
)

// A blockedStream blocks writes until open is closed.
type blockedStream struct {
	open chan struct{}
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *blockedStream) Write(b []byte) (int, error) {
	<-s.open
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(b)
}

func (s *blockedStream) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func TestLinesAreWrittenInOrder(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	logger, flush := logging.New(&out, "text", slog.LevelInfo)
	logger.Debug("hidden")
	for _, message := range []string{"one", "two", "three"} {
		logger.Info(message)
	}
	flush()
	require.Equal(t, 3, strings.Count(out.String(), "\n"))
	require.Regexp(t, `(?s)msg=one.*msg=two.*msg=three`, out.String())
}

func TestABlockedStreamDelaysNoCallerAndDroppedLinesAreCounted(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{"text": `level=WARN msg="\d+ log lines dropped"`, "json": `"level":"WARN","msg":"\d+ log lines dropped"}`} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			out := &blockedStream{open: make(chan struct{})}
			logger, flush := logging.New(out, format, slog.LevelInfo)
			long := strings.Repeat("x", 100_000)
			for range 50 { // more than the buffer holds
				logger.Info(long)
			}
			close(out.open)
			flush()
			require.Regexp(t, want, out.String())
			require.Less(t, strings.Count(out.String(), long), 50)
			require.GreaterOrEqual(t, strings.Count(out.String(), long), 10)
		})
	}
}

func TestFlushReturnsAfterASecondIfTheStreamIsBlocked(t *testing.T) {
	t.Parallel()
	out := &blockedStream{open: make(chan struct{})}
	logger, flush := logging.New(out, "text", slog.LevelInfo)
	logger.Info("lost")
	flush() // returns after a second
	require.Empty(t, out.String())
	close(out.open)
}

func TestMessagesOfTheDefaultLoggerBecomeDebugLinesWithoutWhatThePeerSent(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`Unsolicited response received on idle HTTP channel starting with "HTTP/1.1 200 hunter2"; err=<nil>`: `msg="Unsolicited response received on idle HTTP channel"`,
		`http: panic serving "hunter2"`: `msg="http: panic serving"`,
		"http: TLS handshake error":     `msg="http: TLS handshake error"`,
	} {
		var lines bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))
		standard := log.New(logging.DefaultWriter(logger), "", 0)
		standard.Print(message)
		require.Contains(t, lines.String(), "level=DEBUG "+want)
		require.NotContains(t, lines.String(), "hunter2")
	}
	quiet, flush := logging.New(io.Discard, "text", slog.LevelInfo)
	defer flush()
	n, err := logging.DefaultWriter(quiet).Write([]byte("message\n"))
	require.NoError(t, err)
	require.Equal(t, 8, n)
}
