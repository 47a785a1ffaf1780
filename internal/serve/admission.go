package serve

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/sync/semaphore"
)

// Two limits bound what clients make the server do at once.
//
// Options.MaxConcurrent limits the tool calls that run. It keeps callers from
// using up the connections that Twilio allows an account. Further calls wait in
// a queue of bounded length and for a bounded time, so that callers that send
// faster than Twilio answers cannot pile up calls without end. One caller over HTTP
// uses at most seven eighths of both.
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
	errOverloaded = unavailable("too many queued calls; nothing was sent; try again later")
	errMemoryFull = unavailable("too many long messages in memory; nothing was sent; try again later")
)

// errCancelled answers a call that is cancelled while it waits.
var errCancelled = newRPCError(mcp.INTERNAL_ERROR, "the call was cancelled before it started; nothing was sent")

// unavailable returns an error that is over soon.
func unavailable(message string) *rpcError {
	return &rpcError{Code: mcp.INTERNAL_ERROR, Message: message, Data: retry{1, http.StatusServiceUnavailable}}
}

// acquire waits until a tool call may run. If it returns no error, release must
// be called when the call is done.
func (s *Server) acquire(ctx context.Context, r *request) *rpcError {
	share, rpcErr := s.callers.admit(r)
	if rpcErr != nil {
		s.Metrics.refused(refusalReason(rpcErr))
		return rpcErr
	}
	r.share = share
	if rpcErr := s.waitForSlots(ctx, share); rpcErr != nil {
		s.callers.leave(share)
		return rpcErr
	}
	s.Metrics.inFlight(1)
	if !r.start() {
		s.release(r)
		return errNotStarted
	}
	return nil
}

func refusalReason(e *rpcError) string {
	if e.Data.(retry).status == http.StatusTooManyRequests {
		return "rate"
	}
	return "queue_full"
}

func (s *Server) release(r *request) {
	s.Metrics.inFlight(-1)
	s.slots.Release(1) // to another caller, if one waits
	r.share.slots.Release(1)
	s.callers.leave(r.share)
}

// waitForSlots acquires a slot of a caller and one of the server.
func (s *Server) waitForSlots(ctx context.Context, share *share) *rpcError {
	if ctx.Err() != nil {
		return errCancelled
	}
	if share.slots.TryAcquire(1) {
		if s.slots.TryAcquire(1) {
			return nil
		}
		share.slots.Release(1)
	}
	return s.wait(ctx, share)
}

// wait queues for slots, and acquires them.
func (s *Server) wait(ctx context.Context, share *share) *rpcError {
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
	case s.acquireBoth(limited, share):
		return nil
	case ctx.Err() != nil:
		return errCancelled
	default:
		s.Metrics.refused("queue_timeout")
		return errOverloaded
	}
}

func (s *Server) acquireBoth(ctx context.Context, share *share) bool {
	if share.slots.Acquire(ctx, 1) != nil {
		return false
	}
	if s.slots.Acquire(ctx, 1) != nil {
		share.slots.Release(1)
		return false
	}
	return true
}

// countedBytes returns how many of n bytes count against maxBuffered.
func countedBytes(n int) int64 { return int64(max(0, n-smallMessage)) }

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
	more := countedBytes(r.read) - r.reserved
	if !r.bytes.TryAcquire(more) {
		return 0, errNoMemory
	}
	r.reserved += more
	return n, err
}

func (r *reservingReader) free() { r.bytes.Release(r.reserved) }
