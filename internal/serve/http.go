package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/server"
)

// grace is how long calls in flight may take to end once the server ends.
const grace = 10 * time.Second

// HTTP serves MCP at /mcp on a loopback address, and a sign of life at
// /healthz, until ctx is done; then calls in flight are answered. It is
// stateless: no session is issued or needed.
func HTTP(ctx context.Context, s *server.MCPServer, address string, log *slog.Logger) error {
	ln, err := Listen(address)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", server.NewStreamableHTTPServer(s,
		server.WithStateLess(true),
		server.WithDisableStreaming(true),
		server.WithStreamableHTTPLogger(log),
	))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	log.Info("listening", "url", "http://"+ln.Addr().String()+"/mcp")
	return Handler(ctx, mux, ln)
}

// Listen listens on a loopback address such as 127.0.0.1:8080. It refuses any
// other, because whoever reaches the port may call.
func Listen(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--http %q is no HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("--http %q is not a loopback address, such as 127.0.0.1:8080", address)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--http %s: %w; choose another port or end what uses it", address, err)
	}
	return ln, nil
}

// Handler serves a handler with time limits until ctx is done; then requests in
// flight are answered. The listener is closed when Handler returns.
func Handler(ctx context.Context, h http.Handler, ln net.Listener) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		IdleTimeout:       2 * time.Minute,
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := srv.Shutdown(limit); err != nil {
		_ = srv.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
