package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// queueLength is how many calls over HTTP are under way or wait, for each that
// may be under way. More get 503.
const queueLength = 64

// HTTPOptions say who may reach a server over HTTP, and how it ends.
type HTTPOptions struct {
	AllowedHosts      []string      // besides loopback; any port
	AllowedOrigins    []string      // of web pages, besides loopback; scheme and host, any port
	Tokens            []string      // bearer tokens, one of which callers must bring; none: all may call
	CallerCredentials bool          // callers bring Twilio's credentials as HTTP Basic
	Drain             time.Duration // how long requests are still taken once the server ends
	CertFile, KeyFile string        // TLS, PEM files; empty: plain HTTP
}

// HTTP serves MCP at /mcp on a listener until ctx is done; then what is under
// way is answered within the grace. It is stateless: no session is issued or
// needed. /healthz says that the server lives, /readyz whether it takes calls.
// The listener is closed when HTTP returns.
func (s *Server) HTTP(ctx context.Context, ln net.Listener, o HTTPOptions) error {
	h := onlyPost(http.HandlerFunc(s.post))
	if len(o.Tokens) > 0 {
		h = requireToken(o.Tokens)(h)
	}
	if o.CallerCredentials {
		h = requireBasic(h)
	}
	h = allowOrigins(o.AllowedOrigins)(h)
	h = allowHosts(o.AllowedHosts)(h)

	mux := http.NewServeMux()
	mux.Handle("/mcp", h)
	mux.HandleFunc("GET /healthz", sign(func() bool { return true }))
	mux.HandleFunc("GET /readyz", sign(func() bool { return ctx.Err() == nil }))

	scheme := "http"
	if o.CertFile != "" {
		scheme = "https"
	}
	s.Log.Info("listening", "url", scheme+"://"+ln.Addr().String()+"/mcp")
	return listen(ctx, closing(ctx, mux), ln, o, s.Grace)
}

// sign answers whether something is so, and nothing else.
func sign(is func() bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if !is() {
			http.Error(w, "no", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	}
}

// closing asks clients for new connections once ctx is done, so that they find
// another server.
func closing(ctx context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ctx.Err() != nil {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// Handler serves any handler on a listener until ctx is done.
func Handler(ctx context.Context, h http.Handler, ln net.Listener) error {
	return listen(ctx, h, ln, HTTPOptions{}, 0)
}

func listen(ctx context.Context, h http.Handler, ln net.Listener, o HTTPOptions, grace time.Duration) error {
	srv := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      10 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	ended := make(chan error, 1)
	go func() {
		if o.CertFile != "" {
			ended <- srv.ServeTLS(ln, o.CertFile, o.KeyFile)
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
	case <-time.After(o.Drain):
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if srv.Shutdown(limit) != nil {
		_ = srv.Close() // the grace is over
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Listen listens on an address such as 127.0.0.1:8080. Unless it is open to
// others, it refuses any that is not loopback, because whoever reaches the port
// may call.
func Listen(address string, open bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("--http %q is no HOST:PORT, such as 127.0.0.1:8080", address)
	}
	if !open && !isLoopback(host) {
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
func (s *Server) post(w http.ResponseWriter, r *http.Request) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		http.Error(w, "Content-Type must be application/json", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.MaxMessage)))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		reply(w, http.StatusRequestEntityTooLarge, nil, nil,
			newFault(mcp.INVALID_REQUEST, fmt.Sprintf("the message is longer than %d bytes", s.MaxMessage)))
		return
	}
	if err != nil {
		return // the client is gone
	}
	m, fault := parse(body)
	if fault != nil {
		reply(w, http.StatusBadRequest, m.id, nil, fault)
		return
	}
	_, version := m.meta()
	if fault := checkHeaders(r.Header, m, version); fault != nil {
		reply(w, http.StatusBadRequest, m.id, nil, fault)
		return
	}
	if m.id == nil || m.method == "" {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	if m.method == string(mcp.MethodToolsCall) {
		select {
		case s.queue <- struct{}{}:
			defer func() { <-s.queue }()
		default:
			w.Header().Set("Retry-After", "1")
			reply(w, http.StatusServiceUnavailable, m.id, nil, newFault(mcp.INTERNAL_ERROR, "too many calls wait; nothing was sent"))
			return
		}
	}
	result, fault := s.handle(r.Context(), m, r.RemoteAddr)
	status := http.StatusOK
	if fault != nil && mcp.IsModernProtocol(version) {
		status = statusOf(fault.Code)
	}
	if first := acknowledgement(m.id, result); first != nil {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		_, _ = fmt.Fprintf(w, "data: %s\ndata: %s\n", first, encode(m.id, result, nil))
		return
	}
	reply(w, status, m.id, result, fault)
}

func reply(w http.ResponseWriter, status int, id json.RawMessage, result any, fault *mcp.JSONRPCErrorDetails) {
	answer := encode(id, result, fault)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(status)
	_, _ = w.Write(answer) // a client that is gone reads nothing
}

// checkHeaders holds the headers of a request against its body, as the
// streamable HTTP transport of 2026-07-28 demands; before, only a revision that
// nobody knows is refused.
func checkHeaders(h http.Header, m message, version string) *mcp.JSONRPCErrorDetails {
	header := h.Get(mcp.HeaderProtocolVersion)
	if !mcp.IsModernProtocol(header) && !mcp.IsModernProtocol(version) {
		if header != "" && !mcp.IsValidProtocolVersion(header) && m.method != string(mcp.MethodInitialize) {
			return newFault(mcp.INVALID_REQUEST, fmt.Sprintf("%s %.32q is not supported", mcp.HeaderProtocolVersion, header))
		}
		return nil
	}
	switch {
	case h.Get(mcp.HeaderLastEventID) != "":
		return newFault(mcp.HEADER_MISMATCH, mcp.HeaderLastEventID+" has no meaning here: there are no streams to resume")
	case header == "":
		return newFault(mcp.HEADER_MISMATCH, mcp.HeaderProtocolVersion+" is required with "+mcp.MetaKeyProtocolVersion)
	case version == "":
		return newFault(mcp.INVALID_PARAMS, "missing or invalid _meta field "+mcp.MetaKeyProtocolVersion)
	case header != version:
		return newFault(mcp.HEADER_MISMATCH, fmt.Sprintf("%s is %.32q, but %s is %.32q", mcp.HeaderProtocolVersion, header, mcp.MetaKeyProtocolVersion, version))
	}
	if fault := unsupported(version); fault != nil {
		return fault
	}
	if err := mcp.ValidateStandardHeaders(h.Get, version, mcp.MCPMethod(m.method), m.params); err != nil {
		return newFault(mcp.HEADER_MISMATCH, err.Error())
	}
	return nil
}

// statusOf is the HTTP status that 2026-07-28 gives to a JSON-RPC error.
func statusOf(code int) int {
	switch code {
	case mcp.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case mcp.INTERNAL_ERROR:
		return http.StatusOK
	default:
		return http.StatusBadRequest
	}
}
