package access

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyPagesOfAllowedOriginsAreAdmitted(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{
		AllowedOrigins: []string{"https://App.example.com", "http://dev.example:3000/", "chrome-extension://allowed", "tauri://localhost/", "vscode-webview://1Ab2"},
		PublicURL:      "https://Mcp.example.com:443/base",
		OriginHint:     "--allowed-origin adds an origin",
	}))
	const hint, form = "--allowed-origin adds an origin", "the form https://app.example.com"
	for origin, refusal := range map[string]string{
		"http://localhost:6274":                "",
		"https://localhost":                    "",
		"http://127.0.0.1:1":                   "",
		"http://[::1]:6274":                    "",
		"https://app.example.com:8443":         "",
		"https://APP.example.com":              "",
		"http://dev.example":                   "",
		"http://app.example.com":               hint,
		"https://evil.example":                 hint,
		"https://app.example.com.evil.example": hint,
		"null":                                 form,
		"":                                     form,
		"file://localhost":                     hint,
		"localhost":                            form,
		"localhost:evil":                       form,
		"[localhost]":                          form,
		"http://[localhost]":                   form,
		"http://localhost:evil":                form,
		"http://evil.example@localhost":        form,
		"http://localhost@evil.example":        form,
		"http://localhost/.evil.example":       form,
		"http://localhost?a":                   form,
		"http://localhost#a":                   form,
		"http://":                              form,
		"http://localhost http://evil.example": form,
		"http://%6cocalhost":                   form,
		"chrome-extension://abcdefgh":          hint,
		"chrome-extension://allowed":           "",
		"chrome-extension://allowed:1":         hint,
		"chrome-extension://ALLOWED":           hint,
		"chrome-extension://allowed/x":         form,
		"tauri://localhost":                    "",
		"vscode-webview://1Ab2":                "",
		"vscode-webview://1ab2":                hint,
		"https://mcp.example.com":              "",
		"https://MCP.example.com":              "",
		"http://mcp.example.com":               hint,
		"https://mcp.example.com:8443":         hint,
	} {
		t.Run(origin, func(t *testing.T) {
			t.Parallel()
			res := send(t, s, "POST", "/", header{"Origin": origin})
			require.Equal(t, "Origin", res.header.Get("Vary"))
			if refusal == "" {
				require.Equal(t, 200, res.status)
				require.Equal(t, origin, res.header.Get("Access-Control-Allow-Origin"))
				require.Contains(t, res.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate")
				return
			}
			require.Equal(t, 403, res.status)
			require.Contains(t, res.body, refusal)
			require.Empty(t, res.header.Get("Access-Control-Allow-Origin"))
		})
	}
}

func TestInvalidOriginsAreRefusedAtTheStart(t *testing.T) {
	t.Parallel()
	for _, invalid := range []string{
		"*", "https://*.example.com", "https://*", "chrome-extension://*", "null", "app.example.com", "https://app.example.com/x",
		"chrome-extension://", "chrome-extension://a b", "tauri://localhost/x", "mailto:x", "data:text/html,x", "tauri://u@localhost", "",
	} {
		_, err := New(Options{AllowedOrigins: []string{invalid}})
		require.ErrorContains(t, err, "is not an origin, such as https://app.example.com", invalid)
	}
}

func TestTwoOriginsAreRefused(t *testing.T) {
	t.Parallel()
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/", nil)
	r.Header["Origin"] = []string{"http://localhost", "https://evil.example"}
	require.False(t, newPolicy(t, Options{}).AdmitAnyone(w, r))
	require.Equal(t, 403, w.Code)
}

func TestAPreflightIsAllowedTheHeadersItAsksFor(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{Tokens: []string{"0123456789abcdef"}}))
	for name, row := range map[string]struct{ asked, allowed string }{
		"headers of MCP":      {"content-type,mcp-method,mcp-name", "content-type,mcp-method,mcp-name"},
		"a header of its own": {"authorization, x-tenant", "authorization, x-tenant"},
		"none":                {"", ""},
		"too many":            {strings.Repeat("x-tenant,", 200), ""},
		"no header names":     {"x-tenant: 1; <b>", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := send(t, s, "OPTIONS", "/", header{
				"Origin": "http://localhost:6274", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": row.asked})
			require.Equal(t, 204, res.status, "a preflight request carries no credentials")
			require.Equal(t, row.allowed, res.header.Get("Access-Control-Allow-Headers"))
			require.Contains(t, res.header.Get("Access-Control-Allow-Methods"), "POST")
			require.NotEmpty(t, res.header.Get("Access-Control-Max-Age"))
		})
	}
}

func TestAPreflightOfAnotherOriginIsRefused(t *testing.T) {
	t.Parallel()
	res := send(t, serve(t, newPolicy(t, Options{})), "OPTIONS", "/", header{
		"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-tenant"})
	require.Equal(t, 403, res.status)
	require.Empty(t, res.header.Get("Access-Control-Allow-Headers"))
}

func TestAnOptionsRequestThatIsNoPreflightNeedsCredentials(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{Tokens: []string{"0123456789abcdef"}}))
	require.Equal(t, 401, send(t, s, "OPTIONS", "/", header{"Origin": "http://localhost"}).status)
}
