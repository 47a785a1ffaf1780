package access

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// setOrigins takes the accepted origins from AllowedOrigins and PublicURL.
func (p *Policy) setOrigins(o Options) error {
	for _, text := range o.AllowedOrigins {
		text = strings.TrimSuffix(text, "/")
		u, ok := parseOrigin(text)
		switch {
		case strings.Contains(text, "*"), !ok && !isOtherOrigin(text):
			return &OptionError{"AllowedOrigins", fmt.Errorf("%.100q is not an origin, such as https://app.example.com", text)}
		case ok:
			text = withoutPort(u)
		}
		p.origins = append(p.origins, text)
	}
	if u, err := url.Parse(o.PublicURL); err == nil {
		p.ownOrigin = strings.ToLower(u.Scheme + "://" + u.Host)
		p.ownOrigin = strings.TrimSuffix(p.ownOrigin, map[string]string{"http": ":80", "https": ":443"}[u.Scheme])
	}
	return nil
}

// isOtherOrigin reports whether text is an origin whose scheme is not http or https,
// such as that of a browser extension or a desktop application. Such origins are
// compared literally.
func isOtherOrigin(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Host != "" && text == u.Scheme+"://"+u.Host && u.Scheme != "http" && u.Scheme != "https"
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
		p.refuseOrigin(w, header)
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", header)
	w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return true
	}
	answerPreflight(w, r, "GET, POST")
	return false
}

func (p *Policy) allowsOrigin(r *http.Request) bool {
	header := r.Header.Get("Origin")
	u, ok := parseOrigin(header)
	switch {
	case len(r.Header.Values("Origin")) != 1:
		return false
	case !ok:
		return slices.Contains(p.origins, header)
	default:
		return IsLoopback(u.Hostname()) || strings.ToLower(header) == p.ownOrigin || slices.Contains(p.origins, withoutPort(u))
	}
}

func (p *Policy) refuseOrigin(w http.ResponseWriter, header string) {
	hint := p.originHint
	if _, ok := parseOrigin(header); !ok && !isOtherOrigin(header) {
		hint = "an origin has the form https://app.example.com"
	}
	http.Error(w, withHint(fmt.Sprintf("Origin %.100q is not allowed", header), hint), http.StatusForbidden)
}

// parseOrigin parses an Origin header. It accepts scheme, host and port only,
// and the schemes http and https only. The result is in lower case.
func parseOrigin(text string) (*url.URL, bool) {
	text = strings.ToLower(text)
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || text != u.Scheme+"://"+u.Host {
		return nil, false
	}
	_, ok := hostname(u.Host)
	return u, ok
}

func withoutPort(origin *url.URL) string {
	host, _ := hostname(origin.Host)
	return origin.Scheme + "://" + host
}

// headerNames matches the header names of a preflight request that is answered.
var headerNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~, \t-]+$") })

const maxHeaderNames = 1000 // characters of those names

// answerPreflight allows the methods, and the headers that the request asks
// for: what they may hold is not checked by origin.
func answerPreflight(w http.ResponseWriter, r *http.Request, methods string) {
	w.Header().Set("Access-Control-Allow-Methods", methods)
	if names := r.Header.Get("Access-Control-Request-Headers"); len(names) <= maxHeaderNames && headerNames().MatchString(names) {
		w.Header().Set("Access-Control-Allow-Headers", names)
	}
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
}
