package access

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func FuzzAuthorization(f *testing.F) {
	s := newOAuthTest(f)
	policies := []*Policy{
		newPolicy(f, Options{Issuer: s.issuer.URL, PublicURL: "https://mcp.example.com"}),
		newPolicy(f, Options{Tokens: []string{tokenA}}),
		newPolicy(f, Options{CallerCredentials: true}),
	}
	valid := "Bearer " + s.token()
	accepted := []string{"Bearer " + tokenA, "Basic U0sxOnNlY3JldA=="}
	for _, seed := range append(accepted, valid, forge(valid), "Bearer a.b.c", "Bearer eyJhbGciOiJub25lIn0.e30.", "", "Bearer ,") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, authorization string) {
		for i, p := range policies {
			w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/mcp", nil)
			r.Header.Set("Authorization", authorization)
			_, ok := p.Admit(w, r)
			require.Equal(t, !ok, w.Code == http.StatusUnauthorized)
			if i == 0 && ok {
				require.Contains(t, authorization, valid[len("Bearer "):], "only the issuer signs tokens")
			}
		}
	})
}

func FuzzParseTokens(f *testing.F) {
	for _, seed := range []string{tokenA, tokenA + ",\n# a\r\n" + tokenB, "\ufeff" + tokenA, "a b", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tokens, err := ParseTokens(text)
		require.Equal(t, err != nil, tokens == nil)
		for _, token := range tokens {
			again, err := ParseTokens(token)
			require.NoError(t, err)
			require.True(t, slices.Equal([]string{token}, again))
			require.Contains(t, text, token)
		}
	})
}

func FuzzHostAndOrigin(f *testing.F) {
	p := newPolicy(f, Options{AllowedHosts: []string{"mcp.example.com"}, AllowedOrigins: []string{"https://app.example.com"}})
	for _, seed := range [][2]string{{"localhost:1", "http://[::1]:1"}, {"mcp.example.com", "https://app.example.com"}, {"[::1", "null"}, {"a@localhost", "http://a@localhost"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, host, origin string) {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/mcp", nil)
		r.Host = host
		r.Header.Set("Origin", origin)
		ok := p.AdmitAnyone(w, r)
		require.Equal(t, !ok, w.Code == http.StatusForbidden)
		if ok {
			name, valid := hostname(host)
			require.True(t, valid && (IsLoopback(name) || name == "mcp.example.com"))
			_, valid = parseOrigin(origin)
			require.True(t, valid)
		}
	})
}
