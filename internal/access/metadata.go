package access

import (
	"net/http"
	"strings"
)

// ServeWellKnown answers requests to the discovery addresses of OAuth, and
// reports whether it did. With OAuth, it serves the metadata of RFC 9728.
// Otherwise, if credentials are required, it says which.
func (p *Policy) ServeWellKnown(w http.ResponseWriter, r *http.Request) bool {
	advice := p.credentialsAdvice()
	if advice == "" || !isDiscoveryPath(r.URL.Path) {
		return false
	}
	if p.AdmitAnyone(w, r) {
		http.Error(w, "this server does not use OAuth; "+advice, http.StatusNotFound)
	}
	return true
}

// credentialsAdvice says which credentials the server requires instead of an
// access token, if it requires any.
func (p *Policy) credentialsAdvice() string {
	switch {
	case p.tokens != nil:
		return tokenAdvice
	case p.callerCredentials:
		return basicAdvice
	default:
		return ""
	}
}

// isDiscoveryPath reports whether clients that look for OAuth ask for a path.
func isDiscoveryPath(path string) bool {
	for _, known := range []string{protectedResourcePath, "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"} {
		if path == known || strings.HasPrefix(path, known+"/") {
			return true
		}
	}
	return path == "/register"
}

const protectedResourcePath = "/.well-known/oauth-protected-resource"
