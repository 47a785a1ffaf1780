// Package logging writes the log to a stream that may be read slowly, or not at
// all. Some AI tools start a server and never read its standard error: once that
// pipe is full, lines of the log are dropped, and calls go on.
package logging

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	maxBuffered  = 1 << 20     // bytes of the log that wait to be written
	flushTimeout = time.Second // for the last lines at the end of the process
)

// New returns a logger that writes lines of text or JSON to a stream in the
// background, and a function that waits until they are written, for at most a
// second. A line that does not fit into the buffer is dropped; the log says how
// many were.
func New(out io.Writer, format string, level slog.Leveler) (logger *slog.Logger, flush func()) {
	w := &writer{out: out, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	options := &slog.HandlerOptions{Level: level}
	if format == "json" {
		logger = slog.New(slog.NewJSONHandler(w, options))
	} else {
		logger = slog.New(slog.NewTextHandler(w, options))
	}
	go w.run(logger)
	return logger, w.flush
}

// A writer buffers lines for a stream.
type writer struct {
	out        io.Writer
	wake       chan struct{}
	stop, done chan struct{}

	mu      sync.Mutex
	lines   []byte
	dropped int // lines since the last report
}

// Write never blocks and never fails.
func (w *writer) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines)+len(line) <= maxBuffered {
		w.lines = append(w.lines, line...)
	} else {
		w.dropped++
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(line), nil
}

// run writes what is buffered until the writer is stopped.
func (w *writer) run(logger *slog.Logger) {
	defer close(w.done)
	for {
		select {
		case <-w.wake:
			time.Sleep(time.Millisecond) // to write several lines at once
			w.drain(logger)
		case <-w.stop:
			w.drain(logger)
			return
		}
	}
}

func (w *writer) drain(logger *slog.Logger) {
	for spare := []byte(nil); ; {
		lines, dropped := w.take(spare)
		if len(lines) == 0 && dropped == 0 {
			return
		}
		_, _ = w.out.Write(lines) // there is nowhere else to report an error
		if dropped > 0 {
			logger.Warn(fmt.Sprintf("%d log lines dropped", dropped))
		}
		spare = lines
	}
}

// take returns what is buffered, and buffers further lines in spare.
func (w *writer) take(spare []byte) (lines []byte, dropped int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	lines, dropped = w.lines, w.dropped
	w.lines, w.dropped = spare[:0], 0
	return lines, dropped
}

// flush waits until the lines so far are written. Later ones are lost.
func (w *writer) flush() {
	close(w.stop)
	select {
	case <-w.done:
	case <-time.After(flushTimeout):
	}
}

// DefaultWriter returns an output for the default logger of package log, which
// net/http uses. Its messages become debug lines, without what the peer sent.
func DefaultWriter(logger *slog.Logger) io.Writer { return defaultWriter{logger} }

type defaultWriter struct{ logger *slog.Logger }

func (w defaultWriter) Write(message []byte) (int, error) {
	text, _, _ := bytes.Cut(message, []byte("starting with"))
	text, _, _ = bytes.Cut(text, []byte(`"`))
	w.logger.Debug(string(bytes.TrimSpace(text)))
	return len(message), nil
}
