package config

import (
	"io"
	"sync"
	"time"
)

// maxUnwritten is how many bytes of the log may wait to be written.
const maxUnwritten = 1 << 20

// An asyncWriter writes lines to a stream that may be read slowly, or not at all.
// Some AI tools start a server and never read its standard error; once that is
// full, lines are dropped, and calls go on.
type asyncWriter struct {
	out        io.Writer
	wake       chan struct{}
	stop, done chan struct{}

	mu    sync.Mutex
	lines []byte
}

func newAsyncWriter(out io.Writer) *asyncWriter {
	w := &asyncWriter{out: out, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go w.run()
	return w
}

// Write never waits and never fails.
func (w *asyncWriter) Write(line []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.lines)+len(line) <= maxUnwritten {
		w.lines = append(w.lines, line...)
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return len(line), nil
}

func (w *asyncWriter) run() {
	defer close(w.done)
	var spare []byte
	for stopped := false; !stopped; {
		select {
		case <-w.wake:
			time.Sleep(time.Millisecond) // for more lines, to write them together
		case <-w.stop:
			stopped = true
		}
		w.mu.Lock()
		lines := w.lines
		w.lines = spare[:0]
		w.mu.Unlock()
		_, _ = w.out.Write(lines) // there is nowhere else to say that it failed
		spare = lines
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
