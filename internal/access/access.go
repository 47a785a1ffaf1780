// Package access decides who may call the server over HTTP: it checks Host,
// Origin and the credentials of requests. It knows net/http and nothing of MCP.
package access

import (
	"crypto/x509"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Options say which requests a [Policy] admits. Tokens with TokenFile,
// CallerCredentials, and Issuer are mutually exclusive, because all of them use
// the Authorization header. Without any of them no credentials are required.
type Options struct {
	AllowedHosts   []string // accepted in the Host header in addition to loopback and the host of PublicURL; any port
	AllowedOrigins []string // browser origins accepted in addition to loopback and that of PublicURL; http and https: any port
	HostHint       string   // appended to the refusal of a Host: how the operator allows it
	OriginHint     string   // appended to the refusal of an Origin: how the operator allows it

	Tokens    []string // accepted bearer tokens; see [ParseTokens]
	TokenFile string   // file with more accepted bearer tokens; changes take effect within ten seconds

	CallerCredentials bool // require HTTP Basic with the caller's own Twilio credentials

	Issuer      string         // OAuth authorization server whose access tokens are required; https, or http on loopback
	PublicURL   string         // base URL of the server as clients see it, without /mcp; required with Issuer
	ScopePrefix string         // of the scopes that clients have to ask the issuer for
	Audiences   []string       // accepted audiences of access tokens; default: PublicURL + "/mcp"
	RootCAs     *x509.CertPool // trusted in connections to the issuer; nil: those of the operating system

	Log *slog.Logger // nil: nothing is logged

	now func() time.Time // set by tests
}

// An OptionError reports an invalid field of [Options].
type OptionError struct {
	Option string // name of the field
	Err    error  // what is wrong, and what is valid
}

func (e *OptionError) Error() string { return e.Option + ": " + e.Err.Error() }

// Unwrap returns e.Err.
func (e *OptionError) Unwrap() error { return e.Err }

// A Policy admits or refuses HTTP requests. It is safe for concurrent use.
type Policy struct {
	hosts, origins       []string
	ownOrigin            string
	hostHint, originHint string

	// At most one of these is set.
	tokens            *tokenList
	callerCredentials bool
	oauth             *resourceServer
}

// New returns a policy. Its errors are of type [*OptionError]. It reads the
// token file, and does not contact the issuer; see [Policy.FetchKeys].
func New(o Options) (*Policy, error) {
	if o.now == nil {
		o.now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := checkExclusive(o); err != nil {
		return nil, err
	}
	p := &Policy{hostHint: o.HostHint, originHint: o.OriginHint, callerCredentials: o.CallerCredentials}
	for _, set := range []func(Options) error{p.setHosts, p.setOrigins, p.setTokens, p.setOAuth} {
		if err := set(o); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func checkExclusive(o Options) error {
	tokens := len(o.Tokens) > 0 || o.TokenFile != ""
	switch {
	case o.CallerCredentials && tokens:
		return &OptionError{"CallerCredentials", errors.New("cannot be combined with tokens: both use the Authorization header")}
	case o.Issuer != "" && tokens:
		return &OptionError{"Issuer", errors.New("cannot be combined with tokens: both use the Authorization header")}
	case o.Issuer != "" && o.CallerCredentials:
		return &OptionError{"Issuer", errors.New("cannot be combined with the caller's Twilio credentials: both use the Authorization header")}
	}
	return nil
}

// Admit checks Host, Origin and credentials of a request. If it returns false,
// it has answered the request: with a refusal, or because the request is a
// preflight request.
func (p *Policy) Admit(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	if !p.AdmitAnyone(w, r) {
		return Caller{}, false
	}
	switch {
	case p.tokens != nil:
		return p.tokens.admit(w, r)
	case p.callerCredentials:
		return admitBasic(w, r)
	case p.oauth != nil:
		return p.oauth.admit(w, r)
	default:
		return Caller{}, true
	}
}

// AdmitAnyone checks Host and Origin only.
func (p *Policy) AdmitAnyone(w http.ResponseWriter, r *http.Request) bool {
	return p.admitHost(w, r) && p.admitOrigin(w, r)
}

// withHint appends what the operator can do about a refusal.
func withHint(message, hint string) string {
	if hint == "" {
		return message
	}
	return message + "; " + hint
}

// parseBaseURL parses an absolute http or https URL without user information,
// query and fragment.
func parseBaseURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("must be a URL such as https://example.com")
	case u.User != nil || strings.ContainsAny(text, "?#"):
		return nil, errors.New("must be a URL without user name, query and fragment")
	}
	return u, nil
}

// requireTLS reports an error unless the scheme of a URL is https, or http with
// a loopback host.
func requireTLS(u *url.URL) error {
	if u.Scheme == "https" || u.Scheme == "http" && IsLoopback(strings.ToLower(u.Hostname())) {
		return nil
	}
	return errors.New("must be an https URL; http is accepted on loopback only")
}

// parseTLSURL parses a URL that satisfies parseBaseURL and requireTLS.
func parseTLSURL(text string) (*url.URL, error) {
	u, err := parseBaseURL(text)
	if err != nil {
		return nil, err
	}
	return u, requireTLS(u)
}
