package serve

import (
	"bytes"
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

// These refuse what exceeds a limit.
var (
	errOverloaded = newRPCError(mcp.INTERNAL_ERROR, "too many queued calls; nothing was sent; try again later")
	errMemoryFull = newRPCError(mcp.INTERNAL_ERROR, "too many long messages in memory; nothing was sent; try again later")
)

// acquire waits until a tool call may run. If it returns no error, release must
// be called when the call is done.
func (s *Server) acquire(ctx context.Context, r *request) *rpcError {
	if !s.slots.TryAcquire(1) {
		if rpcErr := s.wait(ctx); rpcErr != nil {
			return rpcErr
		}
	}
	if !r.start() {
		s.slots.Release(1)
		return errNotStarted
	}
	s.Metrics.inFlight(1)
	return nil
}

func (s *Server) release() {
	s.Metrics.inFlight(-1)
	s.slots.Release(1)
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

// counted is the part of a message of n bytes that counts.
func counted(n int) int64 { return int64(max(0, n-smallMessage)) }

var errNoMemory = errors.New("too many bytes of messages in memory")

// A reservingReader reserves memory for the part of a message that counts while
// it reads it.
type reservingReader struct {
	source   io.Reader
	message  bytes.Buffer
	bytes    *semaphore.Weighted
	read     int
	reserved int64
}

func (r *reservingReader) Read(p []byte) (int, error) {
	n, err := r.source.Read(p)
	r.read += n
	more := counted(r.read) - r.reserved
	if !r.bytes.TryAcquire(more) {
		return 0, errNoMemory
	}
	r.reserved += more
	return n, err
}

func (r *reservingReader) free() { r.bytes.Release(r.reserved) }
