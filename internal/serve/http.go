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
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// HTTP serves MCP at /mcp and a sign of life at /healthz on a listener, until
// ctx is done; then what is under way is answered within the grace. It is
// stateless: no session is issued or needed. The listener is closed when HTTP
// returns.
func (s *Server) HTTP(ctx context.Context, ln net.Listener) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mcp", s.post)
	mux.HandleFunc("/mcp", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "use POST", http.StatusMethodNotAllowed)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "ok\n")
	})
	s.Log.Info("listening", "url", "http://"+ln.Addr().String()+"/mcp")
	return Listener(ctx, mux, ln, s.Grace)
}

// Listener serves a handler on a listener, with time limits, until ctx is done;
// then requests under way are answered within the grace. The listener is closed
// when Listener returns.
func Listener(ctx context.Context, h http.Handler, ln net.Listener, grace time.Duration) error {
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
	version := metaVersion(m.params)
	if fault := checkHeaders(r.Header, m, version); fault != nil {
		reply(w, http.StatusBadRequest, m.id, nil, fault)
		return
	}
	if m.id == nil || m.method == "" {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	result, fault := s.handle(r.Context(), m)
	status := http.StatusOK
	if fault != nil && mcp.IsModernProtocol(version) {
		status = statusOf(fault.Code)
	}
	reply(w, status, m.id, result, fault)
}

func reply(w http.ResponseWriter, status int, id json.RawMessage, result any, fault *mcp.JSONRPCErrorDetails) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(id, result, fault)) // a client that is gone reads nothing
}

// metaVersion is the revision that a request itself names; only since
// 2026-07-28 does it.
func metaVersion(params json.RawMessage) string {
	var fields struct {
		Meta *mcp.Meta `json:"_meta"`
	}
	if json.Unmarshal(params, &fields) != nil {
		return ""
	}
	return fields.Meta.ProtocolVersion()
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
	case !mcp.IsValidProtocolVersion(version):
		unsupported := mcp.UnsupportedProtocolVersionError{Version: version, Supported: mcp.ValidProtocolVersions}.JSONRPCError()
		return &unsupported.Error
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
