package serve

import (
	"context"
	"errors"
	"io"

	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/sync/semaphore"
)

// Two limits bound what clients make the server do at once.
//
// Options.MaxConcurrent limits the tool calls that run. It keeps callers from
// using up the connections that Twilio allows an account. Further calls wait in
// a queue of bounded length and for a bounded time, so that callers that send
// faster than Twilio answers cannot pile up calls without end.
//
// maxBuffered limits the bytes of messages in memory. It keeps callers from
// filling the memory with long messages that wait in the queue or never arrive
// whole. The first smallMessage bytes of a message do not count: they are no
// more than the buffers of its connection. So a ping, a cancellation and most
// calls are read even when long messages have used up the limit.
const (
	queueFactor  = 64       // tool calls that may wait, for each that may run
	maxBuffered  = 64 << 20 // bytes
	smallMessage = 4 << 10  // bytes
)

// errOverloaded refuses what exceeds a limit.
var errOverloaded = newRPCError(mcp.INTERNAL_ERROR, "too many queued calls; nothing was sent; try again later")

// acquire waits until a tool call may run, and returns what ends that.
func (s *Server) acquire(ctx context.Context, r *request) (release func(), rpcErr *rpcError) {
	if !s.slots.TryAcquire(1) {
		if rpcErr := s.wait(ctx); rpcErr != nil {
			return nil, rpcErr
		}
	}
	if !r.start() {
		s.slots.Release(1)
		return nil, errNotStarted
	}
	s.Metrics.inFlight(1)
	return func() {
		s.Metrics.inFlight(-1)
		s.slots.Release(1)
	}, nil
}

// wait queues for a slot, and acquires it.
func (s *Server) wait(ctx context.Context) *rpcError {
	if !s.queue.TryAcquire(1) {
		s.Metrics.refused("queue_full")
		return errOverloaded
	}
	defer s.queue.Release(1)
	s.Metrics.queued(1)
	defer s.Metrics.queued(-1)
	limited, cancel := context.WithTimeout(ctx, s.limits.queueTime)
	defer cancel()
	switch {
	case s.slots.Acquire(limited, 1) == nil:
		return nil
	case ctx.Err() != nil:
		return newRPCError(mcp.INTERNAL_ERROR, "the call was cancelled before it started; nothing was sent")
	default:
		s.Metrics.refused("queue_timeout")
		return errOverloaded
	}
}

// reserve reserves memory for a message of n bytes, or reports that there is
// none. The returned function frees it.
func (s *Server) reserve(n int) (free func(), ok bool) {
	counted := int64(max(0, n-smallMessage))
	if !s.bytes.TryAcquire(counted) {
		s.Metrics.refused("memory")
		return nil, false
	}
	return func() { s.bytes.Release(counted) }, true
}

var errNoMemory = errors.New("too many bytes of messages in memory")

// A reservingReader reserves memory for what it reads, as [Server.reserve] does.
type reservingReader struct {
	source   io.Reader
	bytes    *semaphore.Weighted
	read     int64
	reserved int64
}

func (r *reservingReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	r.read += int64(n)
	more := max(0, r.read-smallMessage) - r.reserved
	if !r.bytes.TryAcquire(more) {
		return 0, errNoMemory
	}
	r.reserved += more
	return n, err
}

func (r *reservingReader) free() { r.bytes.Release(r.reserved) }
