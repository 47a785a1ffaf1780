package serve

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// LogWriter returns a writer for the messages of packages that log through the
// package log, such as net/http. It logs each message at level debug, without
// what it quotes: net/http quotes bytes that a peer sent. The command line
// installs it for the whole process with [log.SetOutput].
func LogWriter(l *slog.Logger) io.Writer { return logWriter{l} }

type logWriter struct{ log *slog.Logger }

func (w logWriter) Write(p []byte) (int, error) {
	if w.log.Enabled(context.Background(), slog.LevelDebug) {
		w.log.Debug("net/http", "message", withoutQuotes(string(p)))
	}
	return len(p), nil
}

// withoutQuotes is the first line of a message up to what it quotes.
func withoutQuotes(message string) string {
	message, _, _ = strings.Cut(message, "\n")
	for _, mark := range []string{"starting with", `"`, "`"} {
		message, _, _ = strings.Cut(message, mark)
	}
	return strings.TrimSpace(fmt.Sprintf("%.200s", message))
}
