package serve

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
)

// unwritten is how many answers beside those to calls may wait to be written.
// Beyond it nothing more is read, so a client that sends without reading fills
// its own pipe and not our memory.
const unwritten = 256

// Stdio serves one client on two streams, a JSON-RPC message a line. It returns
// when in ends, after every request that was read is answered, or when ctx is
// done, after the same within the grace.
func (s *Server) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	c := &stream{
		server: s, ctx: context.WithoutCancel(ctx), out: out, broken: make(chan struct{}),
		pending: make(chan struct{}, cap(s.queue)+unwritten),
		calls:   map[*request]bool{},
	}
	ended := make(chan error, 1)
	go func() { ended <- c.read(in) }()

	var failure error
	select {
	case failure = <-ended:
	case <-c.broken:
	case <-ctx.Done():
	}
	answered := c.end()
	select {
	case <-answered:
		return errors.Join(failure, c.failure())
	case <-ctx.Done():
	}
	if !within(s.Grace, answered) {
		within(lastWords, c.giveUp(answered))
	}
	return errors.Join(failure, c.failure())
}

// within tells whether something was done in that time.
func within(limit time.Duration, done <-chan struct{}) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// A stream is the one client of a stdio server.
type stream struct {
	server   *Server
	ctx      context.Context // of every call
	requests sync.WaitGroup
	pending  chan struct{} // one for each message that is not answered yet

	writing sync.Mutex
	out     io.Writer
	err     error         // why writing failed
	broken  chan struct{} // closed then

	mu     sync.Mutex
	ending bool
	calls  map[*request]bool // and other requests, under way
}

// A request is one that its client can cancel.
type request struct {
	id     json.RawMessage
	cancel context.CancelFunc
}

// read takes messages until the stream or the server ends. A stream has no
// deadline, so a read that waits outlives the server.
func (c *stream) read(in io.Reader) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(lines, c.server.MaxMessage)
		if err != nil && err != io.EOF && !errors.Is(err, errTooLong) {
			return fmt.Errorf("reading standard input: %w", err)
		}
		if err == io.EOF && len(line) == 0 {
			return nil
		}
		c.pending <- struct{}{}
		if !c.begin() {
			return nil
		}
		answer, length := c.accept(line, err)
		go func() {
			defer c.requests.Done()
			c.write(answer())
			c.server.held.give(length)
			<-c.pending
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
// answers it, and how much of the budget is held for that. What needs no answer
// is answered with nil.
func (c *stream) accept(line []byte, err error) (answer func() []byte, held int) {
	refuse := func(id json.RawMessage, fault *mcp.JSONRPCErrorDetails) (func() []byte, int) {
		id = bytes.Clone(id) // for the line is not held
		return func() []byte { return encode(id, nil, fault) }, 0
	}
	if errors.Is(err, errTooLong) {
		return refuse(nil, c.server.tooLong())
	}
	m, fault := parse(line)
	switch {
	case fault != nil:
		return refuse(m.id, fault)
	case m.id == nil && m.method == string(mcp.MethodNotificationCancelled):
		c.cancel(m)
		return func() []byte { return nil }, 0
	case m.id == nil || m.method == "":
		return func() []byte { return nil }, 0
	case m.method != string(mcp.MethodToolsCall):
		c.server.held.take(len(line))
	case !c.server.held.try(len(line)):
		return refuse(m.id, busy)
	}
	ctx, end := c.start(m.id)
	return func() []byte {
		result, fault := c.server.handle(ctx, m, access.Caller{}, "stdio")
		if !end() {
			return nil
		}
		answer := encode(m.id, result, fault)
		if first := acknowledgement(m.id, result); first != nil {
			return append(first, answer...)
		}
		return answer
	}, len(line)
}

// start counts a request among those under way. Its end tells whether it is still
// to be answered.
func (c *stream) start(id json.RawMessage) (ctx context.Context, end func() bool) {
	ctx, cancel := context.WithCancel(c.ctx)
	r := &request{id, cancel}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[r] = true
	return ctx, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		wanted := c.calls[r]
		delete(c.calls, r)
		cancel()
		return wanted
	}
}

func (c *stream) cancel(m message) {
	for name, value := range members(m.params) {
		if string(name) == "requestId" {
			c.drop(func(id json.RawMessage) bool { return key(id) == key(value) })
		}
	}
}

// giveUp answers what is under way, because the server ends, and tells when that
// is done and all has ended.
func (c *stream) giveUp(answered <-chan struct{}) (done <-chan struct{}) {
	dropped := c.drop(func(json.RawMessage) bool { return true })
	c.server.Log.Warn("ending with calls under way", "calls", len(dropped), "grace", c.server.Grace)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for _, id := range dropped {
			c.write(encode(id, nil, newFault(mcp.INTERNAL_ERROR,
				"the server ended first; whether the call was carried out is unknown: list before creating again")))
		}
		<-answered
	}()
	return told
}

// drop cancels requests, which then are not answered any more.
func (c *stream) drop(which func(id json.RawMessage) bool) (dropped []json.RawMessage) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for r := range c.calls {
		if which(r.id) {
			r.cancel()
			delete(c.calls, r)
			dropped = append(dropped, r.id)
		}
	}
	return dropped
}

// key is an id as requests are told apart by: a string by what it says, however
// that is written.
func key(id json.RawMessage) string {
	if len(id) > 0 && id[0] == '"' {
		return `"` + string(text(id))
	}
	return string(id)
}

// write writes an answer, unless that has failed before.
func (c *stream) write(answer []byte) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if answer == nil || c.err != nil {
		return
	}
	if _, err := c.out.Write(answer); err != nil {
		c.err = fmt.Errorf("writing standard output: %w", err)
		close(c.broken)
	}
}

// failure is why writing failed, if it did.
func (c *stream) failure() error {
	select {
	case <-c.broken:
		return c.err
	default:
		return nil
	}
}

var errTooLong = errors.New("line too long")

// readLine reads a line of at most limit bytes, and takes its end off; a last
// line needs none. A longer line is read to its end and thrown away.
func readLine(r *bufio.Reader, limit int) (line []byte, err error) {
	var tooLong bool
	for {
		part, err := r.ReadSlice('\n')
		content := bytes.TrimRight(part, "\r\n")
		if tooLong = tooLong || len(line)+len(content) > limit; tooLong {
			line = nil
		} else {
			line = append(line, content...)
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
