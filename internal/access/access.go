// Package access decides who may call the server over HTTP. It knows net/http
// and nothing of MCP.
package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// Options say which requests a [Policy] admits.
type Options struct {
	AllowedHosts      []string // accepted in the Host header in addition to loopback; any port
	AllowedOrigins    []string // browser origins accepted in addition to loopback; scheme and host, any port
	Tokens            []string // accepted bearer tokens; none: no token is required
	CallerCredentials bool     // require HTTP Basic with the caller's own Twilio credentials
}

// A Policy admits or refuses HTTP requests.
type Policy struct {
	hosts, origins    []string
	tokens            [][sha256.Size]byte
	callerCredentials bool
}

// A Caller is who sent an admitted request.
type Caller struct {
	// Username and Password are the caller's own Twilio credentials. They are
	// empty unless the policy requires them.
	Username, Password string
}

// String hides the credentials from fmt and from logs.
func (Caller) String() string { return "caller" }

// GoString hides the credentials from fmt's %#v.
func (Caller) GoString() string { return "caller" }

// New returns a policy.
func New(o Options) *Policy {
	p := &Policy{callerCredentials: o.CallerCredentials}
	for _, host := range o.AllowedHosts {
		p.hosts = append(p.hosts, hostname(host))
	}
	for _, text := range o.AllowedOrigins {
		if u, err := url.Parse(text); err == nil {
			p.origins = append(p.origins, origin(u))
		}
	}
	for _, token := range o.Tokens {
		p.tokens = append(p.tokens, sha256.Sum256([]byte(token)))
	}
	return p
}

// Admit checks Host, Origin and credentials of a request. If it returns false,
// it has answered the request: with a refusal, or because the request is a
// preflight request.
func (p *Policy) Admit(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	if !p.AdmitAnyone(w, r) {
		return Caller{}, false
	}
	switch {
	case len(p.tokens) > 0:
		return Caller{}, p.admitToken(w, r)
	case p.callerCredentials:
		return p.admitBasic(w, r)
	default:
		return Caller{}, true
	}
}

// AdmitAnyone checks Host and Origin only.
func (p *Policy) AdmitAnyone(w http.ResponseWriter, r *http.Request) bool {
	return p.admitHost(w, r) && p.admitOrigin(w, r)
}

// admitHost refuses a request that was sent to another host name, so that a web
// page cannot reach the server under a name of its own (DNS rebinding).
func (p *Policy) admitHost(w http.ResponseWriter, r *http.Request) bool {
	if host := hostname(r.Host); IsLoopback(host) || slices.Contains(p.hosts, host) {
		return true
	}
	http.Error(w, fmt.Sprintf("Host %.100q is not allowed; the server's option --allowed-host adds a host", r.Host), http.StatusForbidden)
	return false
}

// admitOrigin refuses requests of web pages from other origins, as the
// streamable HTTP transport demands, and answers preflight requests.
func (p *Policy) admitOrigin(w http.ResponseWriter, r *http.Request) bool {
	w.Header().Add("Vary", "Origin")
	if _, fromPage := r.Header["Origin"]; !fromPage {
		return true
	}
	header := r.Header.Get("Origin")
	if !p.allowsOrigin(r) {
		advice := "the server's option --allowed-origin adds an origin"
		if !strings.HasPrefix(header, "http") {
			advice = "the server's option --allowed-origin accepts http and https origins only"
		}
		http.Error(w, fmt.Sprintf("Origin %.100q is not allowed; %s", header, advice), http.StatusForbidden)
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", header)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return true
	}
	w.Header().Set("Access-Control-Allow-Methods", "POST")
	w.Header().Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, "+
		"Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return false
}

func (p *Policy) allowsOrigin(r *http.Request) bool {
	u, err := url.Parse(r.Header.Get("Origin"))
	if err != nil || len(r.Header.Values("Origin")) > 1 || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return IsLoopback(strings.ToLower(u.Hostname())) || slices.Contains(p.origins, origin(u))
}

// admitToken compares hashes in constant time, so that timing reveals nothing
// about the tokens.
func (p *Policy) admitToken(w http.ResponseWriter, r *http.Request) bool {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	got, known := sha256.Sum256([]byte(strings.TrimSpace(token))), 0
	for _, want := range p.tokens {
		known |= subtle.ConstantTimeCompare(got[:], want[:])
	}
	if known == 1 && strings.EqualFold(scheme, "Bearer") {
		return true
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="twilio-conversations-mcp"`)
	http.Error(w, "send one of the server's tokens as Authorization: Bearer", http.StatusUnauthorized)
	return false
}

// admitBasic accepts any credentials: they are Twilio's, and Twilio checks them.
func (p *Policy) admitBasic(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	username, password, _ := r.BasicAuth()
	if username != "" && password != "" {
		return Caller{username, password}, true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="Twilio", charset="UTF-8"`)
	http.Error(w, "send your Twilio credentials as HTTP Basic: an API key and its secret, or an account SID and its auth token", http.StatusUnauthorized)
	return Caller{}, false
}

// hostname is a Host header without its port, in one spelling.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String()
	}
	return host
}

// origin is scheme and host of a URL, without its port.
func origin(u *url.URL) string { return strings.ToLower(u.Scheme) + "://" + hostname(u.Hostname()) }

// IsLoopback reports whether a host name or address is that of this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
