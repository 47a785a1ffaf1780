package serve

import (
	"context"
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

// A guard stands in front of /mcp and lets requests through, or answers them.
type guard func(http.Handler) http.Handler

// allowHosts refuses requests that were not meant for this server, so that a
// web page cannot reach it under a name of its own (DNS rebinding).
func allowHosts(hosts []string) guard {
	var listed []string
	for _, host := range hosts {
		listed = append(listed, hostname(host))
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if host := hostname(r.Host); !isLoopback(host) && !slices.Contains(listed, host) {
				http.Error(w, fmt.Sprintf("Host %.100q is not allowed here; --allowed-host would allow it", r.Host), http.StatusForbidden)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// allowOrigins refuses requests of web pages from elsewhere, as the streamable
// HTTP transport demands, and answers the preflight requests of the others.
func allowOrigins(origins []string) guard {
	var listed []string
	for _, text := range origins {
		if u, err := url.Parse(text); err == nil {
			listed = append(listed, origin(u))
		}
	}
	allowed := func(r *http.Request) bool {
		u, err := url.Parse(r.Header.Get("Origin"))
		if err != nil || len(r.Header.Values("Origin")) > 1 || u.Scheme != "http" && u.Scheme != "https" {
			return false
		}
		return isLoopback(strings.ToLower(u.Hostname())) || slices.Contains(listed, origin(u))
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Add("Vary", "Origin")
			if _, fromPage := r.Header["Origin"]; !fromPage {
				next.ServeHTTP(w, r)
				return
			}
			if !allowed(r) {
				advice := "--allowed-origin would allow it"
				if !strings.HasPrefix(r.Header.Get("Origin"), "http") {
					advice = "--allowed-origin takes http and https origins only"
				}
				http.Error(w, fmt.Sprintf("Origin %.100q is not allowed here; %s", r.Header.Get("Origin"), advice), http.StatusForbidden)
				return
			}
			w.Header().Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
			w.Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After")
			if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
				w.Header().Set("Access-Control-Allow-Methods", "POST")
				w.Header().Set("Access-Control-Allow-Headers", "Accept, Authorization, Content-Type, "+
					"Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name")
				w.Header().Set("Access-Control-Max-Age", "600")
				w.WriteHeader(http.StatusNoContent)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
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

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// onlyPost answers every other method.
func onlyPost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", "POST, OPTIONS")
			http.Error(w, "use POST", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// requireToken lets in who brings one of the bearer tokens. They are compared
// as hashes, in a time that tells nothing of them.
func requireToken(tokens []string) guard {
	var hashes [][sha256.Size]byte
	for _, token := range tokens {
		hashes = append(hashes, sha256.Sum256([]byte(token)))
	}
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
			got, known := sha256.Sum256([]byte(strings.TrimSpace(token))), 0
			for _, want := range hashes {
				known |= subtle.ConstantTimeCompare(got[:], want[:])
			}
			if known == 0 || !strings.EqualFold(scheme, "Bearer") {
				w.Header().Set("WWW-Authenticate", `Bearer realm="twilio-conversations-mcp"`)
				http.Error(w, "bring one of the server's tokens as Authorization: Bearer", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

type callerKey struct{}

// requireBasic lets in who brings credentials as HTTP Basic; they are Twilio's,
// and Twilio judges them.
func requireBasic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, password, _ := r.BasicAuth()
		if username == "" || password == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="Twilio", charset="UTF-8"`)
			http.Error(w, "bring your Twilio credentials as HTTP Basic: an API key and its secret, or an account SID and its auth token", http.StatusUnauthorized)
			return
		}
		caller := [2]string{username, password}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// CallerCredentials returns what the caller of the request that ctx belongs to
// brought as HTTP Basic.
func CallerCredentials(ctx context.Context) (username, password string) {
	caller, _ := ctx.Value(callerKey{}).([2]string)
	return caller[0], caller[1]
}
