package serve

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
)

// HTTPOptions configure [Server.HTTP].
type HTTPOptions struct {
	Access            *access.Policy
	Drain             time.Duration // how long requests are still accepted after the context is done
	CertFile, KeyFile string        // TLS certificate and key, PEM; empty: plain HTTP
}

// HTTP serves MCP at /mcp on a listener until ctx is done; then what is under
// way is answered within the grace. It is stateless: no session is issued or
// needed. /healthz says that the server lives, /readyz whether it takes calls.
// The listener is closed when HTTP returns.
func (s *Server) HTTP(ctx context.Context, ln net.Listener, o HTTPOptions) error {
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, ok := o.Access.Admit(w, r)
		switch {
		case !ok:
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", "POST, OPTIONS")
			http.Error(w, "use POST", http.StatusMethodNotAllowed)
		default:
			s.post(w, r, caller)
		}
	})

	srv, scheme := newHTTPServer(paths(ctx, h)), "http"
	srv.ErrorLog = slog.NewLogLogger(s.Log.Handler(), slog.LevelWarn)
	if o.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		srv.TLSConfig, scheme = &tls.Config{Certificates: []tls.Certificate{certificate}}, "https"
	}
	s.Log.Info("listening", "url", scheme+"://"+ln.Addr().String()+"/mcp")
	err := listen(ctx, srv, ln, o.Drain, s.Grace)
	if errors.Is(err, errGraceOver) {
		s.Log.Warn("ending with calls under way", "grace", s.Grace)
		return nil
	}
	return err
}

// paths are all there are, to the letter: http.ServeMux would redirect to them.
func paths(ctx context.Context, mcp http.Handler) http.Handler {
	live, ready := sign(func() bool { return true }), sign(func() bool { return ctx.Err() == nil })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil { // so that clients find another server
			w.Header().Set("Connection", "close")
		}
		switch r.URL.Path {
		case "/mcp":
			mcp.ServeHTTP(w, r)
		case "/healthz":
			live(w, r)
		case "/readyz":
			ready(w, r)
		default:
			http.NotFound(w, r)
		}
	})
}

// sign answers whether something is so, and nothing else.
func sign(is func() bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "use GET", http.StatusMethodNotAllowed)
		case !is():
			http.Error(w, "no", http.StatusServiceUnavailable)
		default:
			_, _ = io.WriteString(w, "ok\n")
		}
	}
}

// Run serves any handler on a listener until ctx is done.
func Run(ctx context.Context, h http.Handler, ln net.Listener) error {
	if err := listen(ctx, newHTTPServer(h), ln, 0, 0); !errors.Is(err, errGraceOver) {
		return err
	}
	return nil
}

func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      10 * time.Minute, // more than a call may wait and take; then see writeTime
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,

		DisableGeneralOptionsHandler: true,
	}
}

// writeTime is how long a client may take to read an answer.
const writeTime = time.Minute

var errGraceOver = errors.New("the grace is over")

// listen serves until ctx is done, then goes on for as long as drain says, and
// lets what is under way end within the grace.
func listen(ctx context.Context, srv *http.Server, ln net.Listener, drain, grace time.Duration) error {
	var requests sync.WaitGroup
	next := srv.Handler
	srv.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		defer requests.Done()
		next.ServeHTTP(w, r)
	})
	ended := make(chan error, 1)
	go func() {
		if srv.TLSConfig != nil {
			ended <- srv.ServeTLS(ln, "", "")
		} else {
			ended <- srv.Serve(ln)
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
	case <-time.After(drain):
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if srv.Shutdown(limit) != nil {
		_ = srv.Close()
		answered := make(chan struct{})
		go func() { requests.Wait(); close(answered) }()
		within(lastWords, answered)
		return errGraceOver
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Listen listens on an address such as 127.0.0.1:8080. Unless it is open to
// others, it refuses any that is not loopback, because whoever reaches the port
// may call.
func Listen(address string, allowRemote bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--http %q is no HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if !allowRemote && !access.IsLoopback(host) {
		return nil, fmt.Errorf("--http %s is not a loopback address, and whoever reaches it could call; use one such as 127.0.0.1:8080, "+
			"or say who may call: set MCP_AUTH_TOKEN, or give --credentials caller, or --allow-anonymous behind a proxy that authenticates", address)
	}
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--http %s: %w; choose another port or end what uses it", address, err)
	}
	return ln, nil
}

// post answers one message. In the revisions before 2026-07-28 every answer to
// a request is 200; since then the status says what the JSON-RPC error says.
func (s *Server) post(w http.ResponseWriter, r *http.Request, caller access.Caller) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	body, free, ok := s.readBody(w, r)
	defer free()
	if !ok {
		return
	}
	m, fault := parse(body)
	if fault != nil {
		refuse(w, http.StatusBadRequest, m.id, fault)
		return
	}
	if fault := checkHeaders(r.Header, m); fault != nil {
		refuse(w, http.StatusBadRequest, m.id, fault)
		return
	}
	if m.id == nil || m.method == "" {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	result, fault := s.handle(r.Context(), m, caller, r.RemoteAddr)
	status := http.StatusOK
	switch {
	case fault == busy:
		status = http.StatusServiceUnavailable
	case fault != nil && mcp.IsModernProtocol(m.version):
		status = statusOf(fault.Code)
	}
	if fault != nil {
		refuse(w, status, m.id, fault)
		return
	}
	if first := acknowledgement(m.id, result); first != nil {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		_, _ = fmt.Fprintf(w, "data: %s\ndata: %s\n", first, encode(m.id, result, nil))
		return
	}
	reply(w, status, encode(m.id, result, nil))
}

func refuse(w http.ResponseWriter, status int, id json.RawMessage, fault *mcp.JSONRPCErrorDetails) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	reply(w, status, encode(id, nil, fault))
}

func reply(w http.ResponseWriter, status int, answer []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(status)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))
	_, _ = w.Write(answer) // a client that is gone reads nothing
}
