package serve

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// maxPending is how many requests of one stream are under way or wait. Beyond
// it nothing more is read, so a client that sends without reading fills its
// own pipe and not our memory.
const maxPending = 1024

// Stdio serves one client on two streams, a JSON-RPC message a line. It returns
// when in ends, after every request that was read is answered, or when ctx is
// done, after the same within the grace.
func (s *Server) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	calling, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	c := &stream{server: s, ctx: calling, out: out, cancels: map[string]context.CancelCauseFunc{}}
	ended := make(chan error, 1)
	go func() { ended <- c.read(in) }()

	var failure error
	select {
	case failure = <-ended:
	case <-ctx.Done():
	}
	answered := c.end()
	select {
	case <-answered:
		return failure
	case <-ctx.Done():
	}
	select {
	case <-answered:
	case <-time.After(s.Grace):
		s.Log.Warn("ending with calls under way", "grace", s.Grace)
	}
	return failure
}

// A stream is the one client of a stdio server.
type stream struct {
	server   *Server
	ctx      context.Context // of every call
	requests sync.WaitGroup

	writing sync.Mutex
	out     io.Writer

	mu      sync.Mutex
	ending  bool
	cancels map[string]context.CancelCauseFunc // of requests under way, by id
}

var errCancelled = errors.New("cancelled by the client")

// read takes messages until the stream or the server ends. A stream has no
// deadline, so a read that waits outlives the server.
func (c *stream) read(in io.Reader) error {
	pending := make(chan struct{}, maxPending)
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(lines, c.server.MaxMessage)
		if err != nil && err != io.EOF && !errors.Is(err, errTooLong) {
			return fmt.Errorf("reading standard input: %w", err)
		}
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		pending <- struct{}{}
		if !c.begin() {
			return nil
		}
		answer := c.accept(line, err)
		go func() {
			defer c.requests.Done()
			c.write(answer())
			<-pending
		}()
		if err == io.EOF {
			return nil
		}
	}
}

// begin counts a request in, unless the server ends.
func (c *stream) begin() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ending {
		c.requests.Add(1)
	}
	return !c.ending
}

// end lets no more requests in, and tells when all are answered.
func (c *stream) end() (answered <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	done := make(chan struct{})
	go func() { c.requests.Wait(); close(done) }()
	return done
}

// accept reads a message, in the order in which messages came, and returns what
// answers it. What needs no answer is answered with nil.
func (c *stream) accept(line []byte, err error) func() []byte {
	if errors.Is(err, errTooLong) {
		fault := newFault(mcp.INVALID_REQUEST, fmt.Sprintf("the message is longer than %d bytes", c.server.MaxMessage))
		return func() []byte { return encode(nil, nil, fault) }
	}
	m, fault := parse(line)
	switch {
	case fault != nil:
		return func() []byte { return encode(m.id, nil, fault) }
	case m.method == string(mcp.MethodNotificationCancelled):
		c.cancel(m)
		return func() []byte { return nil }
	case m.id == nil || m.method == "":
		return func() []byte { return nil }
	}
	ctx, forget := c.remember(string(m.id))
	return func() []byte {
		defer forget()
		result, fault := c.server.handle(ctx, m, "stdio")
		if context.Cause(ctx) == errCancelled {
			return nil
		}
		return append(acknowledgement(m.id, result), encode(m.id, result, fault)...)
	}
}

// remember makes a request one that its client can cancel.
func (c *stream) remember(id string) (ctx context.Context, forget func()) {
	ctx, cancel := context.WithCancelCause(c.ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cancels[id] = cancel
	return ctx, func() {
		cancel(nil)
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.cancels, id)
	}
}

func (c *stream) cancel(m message) {
	var params struct {
		RequestID json.RawMessage `json:"requestId"`
	}
	_ = json.Unmarshal(m.params, &params) // what names no request cancels none
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel, ok := c.cancels[string(params.RequestID)]; ok {
		cancel(errCancelled)
	}
}

func (c *stream) write(answer []byte) {
	if answer == nil {
		return
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	if _, err := c.out.Write(answer); err != nil {
		c.server.Log.Error("an answer could not be written", "error", err)
	}
}

var errTooLong = errors.New("line too long")

// readLine reads a line of at most limit bytes; a last line needs no newline.
// A longer line is read to its end and thrown away.
func readLine(r *bufio.Reader, limit int) (line []byte, err error) {
	var tooLong bool
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > limit; tooLong {
			line = nil
		} else {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
		case err == nil && tooLong, err == io.EOF && tooLong:
			return nil, errTooLong
		default:
			return line, err
		}
	}
}
