package serve

import (
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"
)

// An exchange is a request over HTTP and its response.
type exchange struct {
	request
	server  *Server
	arrived time.Time
	w       http.ResponseWriter

	writing  sync.Mutex
	answered bool
}

// respond writes the response, unless there is one.
func (e *exchange) respond(write func()) {
	e.writing.Lock()
	defer e.writing.Unlock()
	if !e.answered {
		e.answered = true
		write()
	}
}

// An inFlight holds the exchanges without a response.
type inFlight struct {
	mu        sync.Mutex
	exchanges map[*exchange]struct{}
}

func (f *inFlight) track(e *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.exchanges[e] = struct{}{}
}

func (f *inFlight) untrack(e *exchange) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.exchanges, e)
}

// abort answers the requests in flight, because the server shuts down. It
// returns when the responses are written or after a time limit.
func (f *inFlight) abort(s *Server) {
	f.mu.Lock()
	pending := slices.Collect(maps.Keys(f.exchanges))
	f.mu.Unlock()
	s.Log.Warn("shutting down with requests in flight", "requests", len(pending), "grace", s.Grace)
	rpcErrs := make([]*rpcError, len(pending))
	for i, e := range pending { // before a response makes a client disconnect, so that no call starts in the slot of another
		rpcErrs[i] = e.abort()
	}
	var writes sync.WaitGroup
	for i, e := range pending {
		writes.Go(func() { e.writeAborted(rpcErrs[i]) })
	}
	written := make(chan struct{})
	go func() { writes.Wait(); close(written) }()
	waitUntil(written, s.limits.abortTime)
}

// writeAborted writes the response of an aborted request. It does not wait until
// the handler of the request returns, which may be never.
func (e *exchange) writeAborted(rpcErr *rpcError) {
	e.respond(func() {
		e.w.Header().Set("Connection", "close")
		e.server.writeError(e.w, status(&e.request, rpcErr), e.id, rpcErr)
		control := http.NewResponseController(e.w)
		_ = control.SetWriteDeadline(time.Now().Add(e.server.limits.abortTime))
		_ = control.Flush()
	})
}
