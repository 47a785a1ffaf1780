package cli

import (
	"bytes"
	"io"
	"time"
)

// An asyncWriter writes lines to a stream that may be read slowly, or not at all.
// Some AI tools start a server and never read its standard error; once that is
// full, lines are dropped, and calls go on.
type asyncWriter struct {
	lines      chan []byte
	stop, done chan struct{}
}

func newAsyncWriter(out io.Writer) *asyncWriter {
	w := &asyncWriter{lines: make(chan []byte, 1024), stop: make(chan struct{}), done: make(chan struct{})}
	go w.run(out)
	return w
}

// Write never waits and never fails.
func (w *asyncWriter) Write(line []byte) (int, error) {
	select {
	case w.lines <- bytes.Clone(line):
	default:
	}
	return len(line), nil
}

func (w *asyncWriter) run(out io.Writer) {
	defer close(w.done)
	for {
		select {
		case line := <-w.lines:
			_, _ = out.Write(line) // there is nowhere else to say that it failed
			continue
		case <-w.stop:
		}
		select {
		case line := <-w.lines:
			_, _ = out.Write(line)
		default:
			return
		}
	}
}

// flush waits until the lines so far are written, a second at most. Later ones
// are lost.
func (w *asyncWriter) flush() {
	close(w.stop)
	select {
	case <-w.done:
	case <-time.After(time.Second):
	}
}
