package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// maxPendingReplies is how many requests besides tool calls may wait until
// their replies are written. Then nothing more is read, so that a client that
// sends without reading cannot fill the memory.
const maxPendingReplies = 256

// Stdio serves one client on two streams, one JSON-RPC message a line. It
// returns when in ends, after every request that was read is answered, or when
// ctx is done, after the same within the grace period.
func (s *Server) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	c := &stdioConn{
		server: s, ctx: context.WithoutCancel(ctx), out: out, broken: make(chan struct{}),
		replies: make(chan struct{}, (queueFactor+1)*s.MaxConcurrent+maxPendingReplies),
		pending: map[string][]*stdioRequest{}, workers: newWorkers(),
	}
	defer close(c.workers.stopped)
	ended := make(chan error, 1)
	go func() { ended <- c.read(in) }()

	var readErr error
	select {
	case readErr = <-ended:
	case <-c.broken:
	case <-ctx.Done():
	}
	answered := c.stopAccepting()
	select {
	case <-answered:
		return errors.Join(readErr, c.writeErr())
	case <-ctx.Done():
	}
	if !waitUntil(answered, s.Grace) {
		waitUntil(c.abortPending(answered), s.limits.abortTime)
	}
	return errors.Join(readErr, c.writeErr())
}

// A stdioConn is the connection to the client of a stdio server.
type stdioConn struct {
	server   *Server
	ctx      context.Context // of every request
	requests sync.WaitGroup
	workers  *workers
	replies  chan struct{} // one for each message whose reply is not written yet

	writing sync.Mutex
	out     io.Writer
	err     error         // of the first write that failed
	broken  chan struct{} // closed then

	mu       sync.Mutex
	stopping bool
	pending  map[string][]*stdioRequest // by key; clients should not use an id twice, but may
}

// A stdioRequest is one that its client can cancel.
type stdioRequest struct {
	request
	key    string
	cancel context.CancelFunc
}

// read handles messages until the stream ends or the server shuts down. A read
// from a stream has no deadline, so one that blocks outlives the server.
func (c *stdioConn) read(in io.Reader) error {
	lines := bufio.NewReaderSize(in, 64<<10)
	for {
		line, err := readLine(lines, c.server.MaxMessage)
		if err != nil && err != io.EOF && !errors.Is(err, errTooLong) {
			return fmt.Errorf("reading standard input: %w", err)
		}
		if len(bytes.Trim(line, " \t\r\ufeff")) > 0 || errors.Is(err, errTooLong) {
			c.replies <- struct{}{}
			if !c.admit() {
				return nil
			}
			reply := c.accept(line, err)
			c.workers.run(func() {
				defer c.requests.Done()
				c.write(reply())
				<-c.replies
			})
		}
		if err == io.EOF {
			return nil
		}
	}
}

// admit counts a request, unless the server shuts down.
func (c *stdioConn) admit() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopping {
		c.requests.Add(1)
	}
	return !c.stopping
}

// stopAccepting admits no more requests. The channel is closed when all are
// answered.
func (c *stdioConn) stopAccepting() (answered <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping = true
	done := make(chan struct{})
	go func() { c.requests.Wait(); close(done) }()
	return done
}

// accept handles a message, in the order in which messages arrive, as far as
// that takes no time, and returns a function that does the rest and returns the
// reply, or nil if there is none.
func (c *stdioConn) accept(line []byte, err error) (reply func() *bytes.Buffer) {
	refuse := func(id jsontext.Value, rpcErr *rpcError) func() *bytes.Buffer {
		id = id.Clone() // the line is not kept
		return func() *bytes.Buffer { return encode(id, nil, rpcErr) }
	}
	if errors.Is(err, errTooLong) {
		c.server.Metrics.refused("message_too_long")
		return refuse(nil, c.server.tooLong())
	}
	m, rpcErr := parse(line)
	switch {
	case rpcErr != nil:
		return refuse(m.id, rpcErr)
	case m.id == nil:
		if m.method == string(mcp.MethodNotificationCancelled) {
			c.cancel(m.requestID)
		}
		return func() *bytes.Buffer { return nil }
	}
	reserved := countedBytes(len(line))
	if !c.server.bytes.TryAcquire(reserved) {
		c.server.Metrics.refused("memory")
		return refuse(m.id, errMemoryFull)
	}
	ctx, r := c.track(&m)
	return func() *bytes.Buffer {
		defer c.server.bytes.Release(reserved)
		return c.answer(ctx, r)
	}
}

// answer returns the reply to a request, or nil if it was cancelled or aborted.
func (c *stdioConn) answer(ctx context.Context, r *stdioRequest) *bytes.Buffer {
	result, rpcErr := c.server.handle(ctx, &r.request)
	if !c.untrack(r) {
		return nil
	}
	reply := encode(r.id, result, rpcErr)
	if first := acknowledgement(&r.message); first != nil && rpcErr == nil {
		reply = bytes.NewBuffer(append(first, reply.Bytes()...))
	}
	return reply
}

// track adds a request to those that can be cancelled.
func (c *stdioConn) track(m *message) (context.Context, *stdioRequest) {
	ctx, cancel := context.WithCancel(c.ctx)
	r := &stdioRequest{request: request{message: *m, client: "stdio", transport: "pipe"}, key: key(m.id), cancel: cancel}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending[r.key] = append(c.pending[r.key], r)
	return ctx, r
}

// untrack undoes track when a request is done. It reports whether the request
// is still to be answered.
func (c *stdioConn) untrack(r *stdioRequest) bool {
	r.cancel()
	c.mu.Lock()
	defer c.mu.Unlock()
	same := c.pending[r.key]
	i := slices.Index(same, r)
	switch {
	case i < 0:
		return false
	case len(same) == 1:
		delete(c.pending, r.key)
	default:
		c.pending[r.key] = slices.Delete(same, i, i+1)
	}
	return true
}

// cancel cancels the requests with an id. They are not answered any more.
func (c *stdioConn) cancel(id jsontext.Value) {
	k := key(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.pending[k] {
		r.cancel()
	}
	delete(c.pending, k)
}

// abortPending answers the requests that are pending, because the server shuts
// down, and cancels them. The channel is closed when that is done and all have
// ended.
func (c *stdioConn) abortPending(answered <-chan struct{}) (done <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var replies []*bytes.Buffer
	var cancels []context.CancelFunc // called when all are aborted, so that none starts in the slot of another
	for _, same := range c.pending {
		for _, r := range same {
			replies = append(replies, encode(r.id, nil, r.abort()))
			cancels = append(cancels, r.cancel)
		}
	}
	for _, cancel := range cancels {
		cancel()
	}
	clear(c.pending)
	c.server.Log.Warn("shutting down with requests in flight", "requests", len(replies), "grace", c.server.Grace)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for _, reply := range replies {
			c.write(reply)
		}
		<-answered
	}()
	return ended
}

// key identifies a request by its id. Strings are equal however they are
// escaped.
func key(id jsontext.Value) string {
	if id.Kind() == '"' {
		return `"` + text(id)
	}
	return string(id)
}

// write writes a reply, unless there is none or a write has failed before.
func (c *stdioConn) write(reply *bytes.Buffer) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if reply == nil || c.err != nil {
		return
	}
	defer free(reply)
	if _, err := c.out.Write(reply.Bytes()); err != nil {
		c.err = fmt.Errorf("writing standard output: %w", err)
		close(c.broken)
	}
}

// writeErr returns the error of the first write that failed, if any.
func (c *stdioConn) writeErr() error {
	select {
	case <-c.broken:
		return c.err
	default:
		return nil
	}
}

var errTooLong = errors.New("line too long")

// readLine reads a line of at most limit bytes, without its end; a last line
// needs none. It reads a longer line to its end and drops it.
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
