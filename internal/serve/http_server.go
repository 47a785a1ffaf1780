package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"twilio-conversations-mcp/internal/access"
)

// ErrNotLoopback is the error of [Listen] for an address that other machines
// can reach.
var ErrNotLoopback = errors.New("not a loopback address such as 127.0.0.1:8080")

// Listen listens on a TCP address. Unless allowRemote is set, it refuses an
// address that is not loopback, because anyone who can connect may call.
func Listen(address string, allowRemote bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("address %q must be HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if !allowRemote && !access.IsLoopback(host) {
		return nil, fmt.Errorf("address %s is %w", address, ErrNotLoopback)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("address %s: %w", address, err)
	}
	return ln, nil
}

// Run serves a handler on a listener until ctx is done. Then it closes all
// connections.
func Run(ctx context.Context, h http.Handler, ln net.Listener) error {
	return newHTTPServer(h).serve(ctx, ln)
}

// maxReadTime is how long a request may take to arrive. It limits for how long
// a connection holds memory for a body that it does not send.
const maxReadTime = 10 * time.Second

// An httpServer is an HTTP server that shuts down when a context is done.
type httpServer struct {
	http.Server
	drain, grace, abortTime time.Duration
	abort                   func() // answers what the grace period left; may be nil
	cancel                  func() // cancels all requests
}

func newHTTPServer(h http.Handler) *httpServer {
	ctx, cancel := context.WithCancel(context.Background())
	return &httpServer{cancel: cancel, Server: http.Server{
		Handler:        h,
		ReadTimeout:    maxReadTime,
		WriteTimeout:   10 * time.Minute, // longer than a call waits and takes; then a handler sets its own deadline
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		BaseContext:    func(net.Listener) context.Context { return ctx },

		DisableGeneralOptionsHandler: true,
	}}
}

// serve serves until ctx is done, continues for the drain time, and then lets
// requests in flight finish within the grace period.
func (s *httpServer) serve(ctx context.Context, ln net.Listener) error {
	defer s.cancel()
	ended := make(chan error, 1)
	go func() {
		if s.TLSConfig != nil {
			ended <- s.ServeTLS(ln, "", "")
		} else {
			ended <- s.Serve(ln)
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return err
	case <-time.After(s.drain):
	}
	if !s.shutdown(s.grace) {
		if s.abort != nil {
			s.abort()
		}
		s.cancel()
		s.shutdown(s.abortTime)
		_ = s.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// shutdown waits until no request is in flight, and reports whether that was so
// within a time limit.
func (s *httpServer) shutdown(limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	return s.Shutdown(ctx) == nil
}
