package access

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheMetadataDescribesTheResource(t *testing.T) {
	t.Parallel()
	for public, row := range map[string]struct{ path, resource string }{
		"https://mcp.example.com":           {"/.well-known/oauth-protected-resource/mcp", "https://mcp.example.com/mcp"},
		"https://mcp.example.com/":          {"/.well-known/oauth-protected-resource/mcp", "https://mcp.example.com/mcp"},
		"https://example.com:8443/tools/a/": {"/.well-known/oauth-protected-resource/tools/a/mcp", "https://example.com:8443/tools/a/mcp"},
		"http://127.0.0.1:8080":             {"/.well-known/oauth-protected-resource/mcp", "http://127.0.0.1:8080/mcp"},
	} {
		t.Run(public, func(t *testing.T) {
			t.Parallel()
			s := serve(t, newPolicy(t, Options{Issuer: "https://login.example.com/t", PublicURL: public}))
			for _, path := range []string{row.path, "/.well-known/oauth-protected-resource"} {
				res := send(t, s, "GET", path, header{"Origin": "https://anyone.example"})
				require.Equal(t, 200, res.status)
				require.Equal(t, "application/json", res.header.Get("Content-Type"))
				require.Equal(t, "*", res.header.Get("Access-Control-Allow-Origin"))
				require.JSONEq(t, `{
					"resource": "`+row.resource+`",
					"resource_name": "Twilio Conversations webhooks",
					"authorization_servers": ["https://login.example.com/t"],
					"bearer_methods_supported": ["header"],
					"scopes_supported": ["webhooks:read"]
				}`, res.body)
			}
			challenge := send(t, s, "POST", "/mcp", nil).header.Get("WWW-Authenticate")
			origin := row.resource[:len(row.resource)-len(row.path)+len("/.well-known/oauth-protected-resource")]
			require.Contains(t, challenge, `resource_metadata="`+origin+row.path+`"`)
		})
	}
}

func TestTheMethodsOfTheMetadata(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{Issuer: "https://login.example.com", PublicURL: "https://mcp.example.com"}))
	const path = "/.well-known/oauth-protected-resource/mcp"
	res := send(t, s, "HEAD", path, nil)
	require.Equal(t, 200, res.status)
	require.Empty(t, res.body)

	res = send(t, s, "OPTIONS", path, header{
		"Origin": "https://anyone.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "mcp-protocol-version"})
	require.Equal(t, 204, res.status)
	require.Equal(t, "*", res.header.Get("Access-Control-Allow-Origin"))
	require.Equal(t, "mcp-protocol-version", res.header.Get("Access-Control-Allow-Headers"))

	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		res = send(t, s, method, path, nil)
		require.Equal(t, 405, res.status)
		require.Equal(t, "GET, HEAD, OPTIONS", res.header.Get("Allow"))
	}
	require.Equal(t, 403, send(t, s, "GET", path, header{"Host": "evil.example"}).status)
	require.Equal(t, 200, send(t, s, "GET", path, header{"Host": "mcp.example.com"}).status)
}

// In these tests the policy admits what ServeWellKnown does not answer, and the
// server answers 404 to /register.
func TestDiscoveryWithoutOAuthIsToldWhichCredentialsToSend(t *testing.T) {
	t.Parallel()
	paths := []string{
		"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp",
		"/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/mcp",
		"/.well-known/openid-configuration", "/.well-known/openid-configuration/mcp",
		"/register",
	}
	for name, row := range map[string]struct {
		options Options
		advice  string
	}{
		"tokens":      {Options{Tokens: []string{tokenA}}, "Authorization: Bearer"},
		"credentials": {Options{CallerCredentials: true}, "HTTP Basic"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, newPolicy(t, row.options))
			for _, path := range paths {
				for _, method := range []string{"GET", "POST"} {
					res := send(t, s, method, path, nil)
					require.Equal(t, 404, res.status, path)
					require.Contains(t, res.body, "does not use OAuth")
					require.Contains(t, res.body, row.advice)
				}
			}
			require.Equal(t, 403, send(t, s, "GET", paths[0], header{"Host": "evil.example"}).status)
			require.Equal(t, 403, send(t, s, "GET", paths[0], header{"Origin": "https://evil.example"}).status)
			for _, path := range []string{"/", "/mcp", "/registered", "/register/a", "/.well-known/openid-configurations", "/.well-known/"} {
				require.Equal(t, 401, send(t, s, "GET", path, nil).status, path)
			}
		})
	}
}

func TestOtherDiscoveryPathsAreNotAnswered(t *testing.T) {
	t.Parallel()
	anonymous := serve(t, newPolicy(t, Options{}))
	require.Contains(t, send(t, anonymous, "GET", "/.well-known/oauth-protected-resource", nil).body, "admitted")
	oauth := serve(t, newPolicy(t, Options{Issuer: "https://login.example.com", PublicURL: "https://mcp.example.com"}))
	for _, path := range []string{"/.well-known/oauth-protected-resource/other", "/.well-known/oauth-authorization-server", "/.well-known/openid-configuration/mcp"} {
		require.Equal(t, 401, send(t, oauth, "GET", path, nil).status, path)
	}
}
