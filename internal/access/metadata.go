package access

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// The addresses that clients ask for OAuth metadata; RFC 9728 and RFC 8414 let
// the path of the resource or of the issuer follow.
const (
	protectedResourcePath   = "/.well-known/oauth-protected-resource"
	authorizationServerPath = "/.well-known/oauth-authorization-server"
	openIDPath              = "/.well-known/openid-configuration"
	registrationPath        = "/register"
)

// ServeWellKnown answers requests to the discovery addresses of OAuth, and
// reports whether it did. With OAuth, it serves the metadata of RFC 9728
// to every origin. Without, it says which credentials the server requires, if
// it requires any.
func (p *Policy) ServeWellKnown(w http.ResponseWriter, r *http.Request) bool {
	advice := p.advice()
	switch {
	case p.oauth != nil && p.oauth.metadata.isAt(r.URL.Path):
		p.ServeDocument(w, r, Document{Type: "application/json", Cache: "no-store", Body: p.oauth.metadata.document})
	case advice != "" && isDiscoveryPath(r.URL.Path):
		if p.AdmitAnyone(w, r) {
			http.Error(w, "this server does not use OAuth; "+advice, http.StatusNotFound)
		}
	default:
		return false
	}
	return true
}

// advice returns which credentials the server requires instead of an access
// token. It is empty if none are required.
func (p *Policy) advice() string {
	switch {
	case p.tokens != nil:
		return tokenAdvice
	case p.callerCredentials:
		return basicAdvice
	default:
		return ""
	}
}

// isDiscoveryPath reports whether clients that look for OAuth request a path.
func isDiscoveryPath(path string) bool {
	for _, known := range []string{protectedResourcePath, authorizationServerPath, openIDPath} {
		if path == known || strings.HasPrefix(path, known+"/") {
			return true
		}
	}
	return strings.TrimSuffix(path, "/") == registrationPath
}

// metadata is the document of RFC 9728 that describes the server as a
// protected resource.
type metadata struct {
	url      string // where clients get it
	path     string // the same without scheme and host
	document []byte // JSON
}

func newMetadata(resource *url.URL, issuer, scopePrefix string) metadata {
	document, _ := json.Marshal(map[string]any{
		"resource":                 resource.String(),
		"resource_name":            "Twilio Conversations webhooks",
		"authorization_servers":    []string{issuer},
		"bearer_methods_supported": []string{"header"},
		"scopes_supported":         []string{scopePrefix + ScopeRead},
	}) // strings can always be encoded
	path := protectedResourcePath + resource.Path
	return metadata{
		url:      resource.ResolveReference(&url.URL{Path: path}).String(),
		path:     path,
		document: document,
	}
}

// isAt reports whether a path is that of the resource's metadata, with or without
// the path of the public URL, or the root that clients try next.
func (m metadata) isAt(path string) bool {
	path = strings.TrimSuffix(path, "/")
	return path == m.path || path == protectedResourcePath || path == protectedResourcePath+"/mcp"
}
