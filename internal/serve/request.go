package serve

import (
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
)

// A request is a message that is to be answered.
type request struct {
	message
	caller    access.Caller
	client    string // the log's name for a caller without a name
	transport string // the metrics' name for the transport
	header    string // MCP protocol version in the HTTP header, or empty
	share     *share // of the caller, while the request runs as a call
	state     atomic.Int32
}

// The states of a request. It waits until its tool runs, if it is a tool call,
// and otherwise until it is done.
const (
	waiting int32 = iota
	running
	aborted
)

// Responses to requests that are aborted because the server shuts down.
var (
	errNotStarted     = unavailable("the server shut down before the call started; nothing was sent")
	errOutcomeUnknown = newRPCError(mcp.INTERNAL_ERROR, "the server shut down before the call finished; whether it was carried out is unknown: list before creating again")
)

// start reports whether the tool may run. It may not once the request is
// aborted.
func (r *request) start() bool { return r.state.CompareAndSwap(waiting, running) }

// abort keeps the tool from running, if it does not run yet, and returns the
// error that answers the request.
func (r *request) abort() *rpcError {
	if r.state.Swap(aborted) == running {
		return errOutcomeUnknown
	}
	return errNotStarted
}

// waitUntil reports whether done is closed within a time limit.
func waitUntil(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
