package serve

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/sync/semaphore"

	"twilio-conversations-mcp/internal/access"
)

// HTTPOptions configure [Server.HTTP].
type HTTPOptions struct {
	Access *access.Policy
	// TrustedProxies are the networks of proxies whose X-Forwarded-For says who the
	// client is.
	TrustedProxies    []netip.Prefix
	BaseURL           string        // of the server as clients see it; /mcp is appended
	Drain             time.Duration // how long requests are accepted after the context is done
	IdleTimeout       time.Duration // how long an idle connection is kept; 0: two minutes
	CertFile, KeyFile string        // TLS certificate and key, PEM; empty: plain HTTP

	// Docs is served at /docs/mcp, to anyone. It has limits of its own. It may
	// be nil.
	Docs *Server
	// Events is served below /events/, to anyone. It has limits of its own. It
	// may be nil.
	Events http.Handler
	// Documents are served at their paths, to anyone.
	Documents map[string]access.Document
	// Web is served at all other paths, to anyone. It may be nil.
	Web http.Handler
}

const (
	maxPages   = 64       // requests to Options.Web that are answered at once
	maxWebBody = 64 << 10 // bytes of the body of such a request
)

// HTTP serves MCP at /mcp on a listener until ctx is done. A path may begin with
// that of the base URL, which a proxy removes or not. Then requests in
// flight are answered within the grace period. It is stateless: no session is
// issued or needed. /healthz reports that the process lives, /readyz whether it
// accepts calls. HTTP closes the listener before it returns. Messages of
// net/http, such as those about TLS handshakes, go to the package log.
func (s *Server) HTTP(ctx context.Context, ln net.Listener, o HTTPOptions) error {
	base, err := url.Parse(o.BaseURL)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	h := &httpHandler{prefix: strings.TrimSuffix(base.Path, "/"), server: s, options: o, stopping: ctx, pages: semaphore.NewWeighted(maxPages)}
	h.exchanges = map[*exchange]struct{}{}
	srv, scheme := newHTTPServer(h), "http"
	srv.ReadTimeout = s.limits.readTime
	srv.IdleTimeout = cmp.Or(o.IdleTimeout, srv.IdleTimeout)
	srv.drain, srv.grace, srv.abortTime, srv.abort = o.Drain, s.Grace, s.limits.abortTime, func() { h.abort(s) }
	if o.CertFile != "" {
		certificate, err := newCertificate(o.CertFile, o.KeyFile, s.Log)
		if err != nil {
			return errors.Join(err, ln.Close())
		}
		srv.TLSConfig, scheme = &tls.Config{GetCertificate: certificate.get}, "https"
	}
	s.Log.Info("listening", "url", scheme+"://"+ln.Addr().String()+"/mcp")
	return srv.serve(ctx, ln)
}

// An httpHandler routes requests by their paths. [http.ServeMux] would redirect
// to them.
type httpHandler struct {
	prefix   string // the path of the base URL
	server   *Server
	options  HTTPOptions
	stopping context.Context // done when the server is about to shut down
	pages    *semaphore.Weighted
	inFlight
}

func (h *httpHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer h.recover(w)
	if h.stopping.Err() != nil { // so that clients find another server
		w.Header().Set("Connection", "close")
	}
	if h.prefix != "" && strings.HasPrefix(r.URL.Path, h.prefix+"/") {
		http.StripPrefix(h.prefix, http.HandlerFunc(h.route)).ServeHTTP(w, r)
		return
	}
	h.route(w, r)
}

func (h *httpHandler) route(w http.ResponseWriter, r *http.Request) {
	switch path := r.URL.Path; {
	case path == "/mcp", path == "/mcp/":
		h.serveMCP(w, r, h.server, h.options.Access.Admit)
	case (path == "/docs/mcp" || path == "/docs/mcp/") && h.options.Docs != nil:
		h.serveMCP(w, r, h.options.Docs, h.admitAnyone)
	case strings.HasPrefix(path, "/events/") && h.options.Events != nil:
		if h.options.Access.AdmitAnyone(w, r) {
			h.options.Events.ServeHTTP(w, r)
		}
	case path == "/healthz":
		probe(w, r, true)
	case path == "/readyz":
		probe(w, r, h.stopping.Err() == nil)
	case h.options.Documents[path].Body != nil:
		h.options.Access.ServeDocument(w, r, h.options.Documents[path])
	case h.options.Access.ServeWellKnown(w, r):
	case r.Method == http.MethodPost, wantsEvents(r):
		h.refuseClient(w, r)
	case path == h.prefix && path != "": // the links of the pages are relative
		http.Redirect(w, r, path+"/", http.StatusPermanentRedirect)
	case h.options.Web == nil:
		http.NotFound(w, r)
	default:
		h.servePage(w, r)
	}
}

// wantsEvents reports whether a request is one for an event stream and nothing
// else, as clients of earlier transports make it.
func wantsEvents(r *http.Request) bool {
	accepted, _, err := mime.ParseMediaType(r.Header.Get("Accept"))
	return r.Method == http.MethodGet && err == nil && accepted == "text/event-stream"
}

// refuseClient answers an MCP client that uses a wrong path.
func (h *httpHandler) refuseClient(w http.ResponseWriter, r *http.Request) {
	if !h.options.Access.AdmitAnyone(w, r) {
		return
	}
	status := http.StatusNotFound
	if r.Method == http.MethodGet {
		w.Header().Set("Allow", "POST")
		status = http.StatusMethodNotAllowed
	}
	http.Error(w, "This is not an MCP endpoint. The endpoint is "+strings.TrimSuffix(h.options.BaseURL, "/")+"/mcp, for POST.", status)
}

// recover answers a request whose handler panicked.
func (h *httpHandler) recover(w http.ResponseWriter) {
	p := recover()
	if p == nil {
		return
	}
	h.server.Log.Error("panic", "panic", p, "stack", string(debug.Stack()))
	http.Error(w, "internal error", http.StatusInternalServerError)
}

// probe answers a probe of an orchestrator.
func probe(w http.ResponseWriter, r *http.Request, ok bool) {
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	case !ok:
		http.Error(w, "shutting down", http.StatusServiceUnavailable)
	default:
		_, _ = io.WriteString(w, "ok\n")
	}
}

// servePage serves a web page. Like /docs/mcp, the pages have a limit of their
// own: nobody who reads them keeps callers from /mcp.
func (h *httpHandler) servePage(w http.ResponseWriter, r *http.Request) {
	if !h.options.Access.AdmitAnyone(w, r) {
		return
	}
	if !h.pages.TryAcquire(1) {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests; try again later", http.StatusServiceUnavailable)
		return
	}
	defer h.pages.Release(1)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.server.limits.writeTime))
	r.Body = http.MaxBytesReader(w, r.Body, maxWebBody)
	h.options.Web.ServeHTTP(w, r)
}

func (h *httpHandler) admitAnyone(w http.ResponseWriter, r *http.Request) (access.Caller, bool) {
	return access.Caller{}, h.options.Access.AdmitAnyone(w, r)
}

// serveMCP serves an MCP endpoint.
func (h *httpHandler) serveMCP(w http.ResponseWriter, r *http.Request, s *Server, admit func(http.ResponseWriter, *http.Request) (access.Caller, bool)) {
	caller, ok := admit(w, r)
	switch {
	case !ok:
		if r.Method != http.MethodOptions { // a preflight request is answered, not refused
			s.Metrics.refused("access")
		}
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "POST, OPTIONS")
		http.Error(w, h.usePost(), http.StatusMethodNotAllowed)
	default:
		h.post(w, r, s, caller)
	}
}

func (h *httpHandler) usePost() string {
	if h.options.Web == nil {
		return "use POST"
	}
	return "This is an endpoint for MCP clients, which use POST; the documentation for people is at /"
}

// post handles one message.
func (h *httpHandler) post(w http.ResponseWriter, r *http.Request, s *Server, caller access.Caller) {
	if problem := unsupportedMedia(r.Header); problem != "" {
		http.Error(w, problem, http.StatusUnsupportedMediaType)
		return
	}
	body, reserved, ok := s.readBody(w, r)
	defer reserved.free()
	if !ok {
		return
	}
	if e := h.begin(w, r, s, body); e != nil {
		e.caller = caller
		if h.admitScope(r.Context(), e) {
			h.answer(r.Context(), e)
		}
	}
}

// begin returns the exchange that a message begins, or nil if it has answered it.
func (h *httpHandler) begin(w http.ResponseWriter, r *http.Request, s *Server, body []byte) *exchange {
	e := &exchange{server: s, arrived: time.Now(), w: w}
	var rpcErr *rpcError
	if e.message, rpcErr = parse(body); rpcErr == nil {
		e.server, rpcErr = s.checkRequest(r, &e.message)
	}
	switch {
	case rpcErr != nil:
		s.writeError(w, http.StatusBadRequest, e.id, rpcErr)
	case e.id == nil:
		w.WriteHeader(http.StatusAccepted)
	default:
		e.client, e.transport, e.header = clientOf(r, h.options.TrustedProxies), "tcp", r.Header.Get(mcp.HeaderProtocolVersion)
		return e
	}
	return nil
}

// checkRequest compares what a request and its message say, and returns the server
// that answers the message.
func (s *Server) checkRequest(r *http.Request, m *message) (*Server, *rpcError) {
	if rpcErr := checkHeaders(r.Header, m); rpcErr != nil {
		return s, rpcErr
	}
	narrowed, rpcErr := s.narrow(r)
	if rpcErr == nil {
		rpcErr = narrowed.routed.check(r.Header, m)
	}
	return narrowed, rpcErr
}

// admitScope reports whether the caller has the scope that a call needs. If it
// returns false, it has refused the request.
func (h *httpHandler) admitScope(ctx context.Context, e *exchange) bool {
	scope, called := access.ScopeNone, slog.String("method", e.method)
	if e.method == string(mcp.MethodToolsCall) {
		if tool := e.server.lookup(e.name); tool != nil { // an unknown tool is refused later
			scope, called = tool.Scope, toolName(tool)
		}
	} else if method, ok := e.server.Methods[e.method]; ok {
		scope = method.Scope
	}
	if e.caller.Allows(scope) {
		return true
	}
	e.server.Metrics.refused("scope")
	e.server.logCall(ctx, &e.request, called, "refused", e.arrived, []slog.Attr{slog.String("scope", scope)})
	h.options.Access.RefuseScope(e.w, e.caller, scope)
	return false
}

// answer answers a request, unless it is aborted first.
func (h *httpHandler) answer(ctx context.Context, e *exchange) {
	h.track(e)
	defer h.untrack(e)
	result, rpcErr := e.server.handle(ctx, &e.request)
	e.respond(func() {
		if rpcErr != nil {
			e.server.writeError(e.w, status(&e.request, rpcErr), e.id, rpcErr)
		} else {
			e.server.writeResult(e.w, &e.message, result)
		}
	})
}

// unsupportedMedia returns what is wrong with the headers that describe the body.
func unsupportedMedia(h http.Header) string {
	mediaType, err := h.Get("Content-Type"), error(nil)
	if mediaType != "application/json" { // as nearly all clients write it
		mediaType, _, err = mime.ParseMediaType(mediaType)
	}
	switch encoding := h.Get("Content-Encoding"); {
	case err != nil || mediaType != "application/json":
		return "Content-Type must be application/json"
	case encoding != "" && !strings.EqualFold(encoding, "identity"):
		return "Content-Encoding is not supported; send the message uncompressed"
	default:
		return ""
	}
}
