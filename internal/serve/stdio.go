package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/mark3labs/mcp-go/server"
)

// Stdio serves one client on two streams, a JSON-RPC message a line. It returns
// when in ends or ctx is done, after every message that was read is answered.
// Each message has a goroutine of its own, so a slow call holds up no other.
func Stdio(ctx context.Context, s *server.MCPServer, in io.Reader, out io.Writer) error {
	lines, readErr := read(ctx, in)
	var calls sync.WaitGroup
	defer calls.Wait()
	w := &lineWriter{out: out}
	calling := context.WithoutCancel(ctx)
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, more := <-lines:
			if !more {
				return <-readErr
			}
			calls.Go(func() {
				if answer := s.HandleMessage(calling, line); answer != nil {
					w.write(answer)
				}
			})
		}
	}
}

// read passes lines on until the stream ends; a last line needs no newline. A
// stream has no deadline, so a read that waits outlives ctx.
func read(ctx context.Context, in io.Reader) (<-chan json.RawMessage, <-chan error) {
	lines, failure := make(chan json.RawMessage), make(chan error, 1)
	go func() {
		defer close(lines)
		buffered := bufio.NewReader(in)
		for {
			line, err := buffered.ReadBytes('\n')
			if len(line) > 0 {
				select {
				case lines <- line:
				case <-ctx.Done():
					return
				}
			}
			if errors.Is(err, io.EOF) {
				err = nil
			} else if err == nil {
				continue
			} else {
				err = fmt.Errorf("reading standard input: %w", err)
			}
			failure <- err
			return
		}
	}()
	return lines, failure
}

// A lineWriter writes messages whole, one at a time.
type lineWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lineWriter) write(message any) {
	line, err := json.Marshal(message)
	if err != nil {
		panic(err) // every answer is made of JSON
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	// A client that is gone reads no answer; the end of its input ends us.
	_, _ = w.out.Write(append(line, '\n'))
}
