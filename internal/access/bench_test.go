package access

import (
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func BenchmarkAdmit(b *testing.B) {
	s := newOAuthTest(b)
	oauth := newPolicy(b, Options{Issuer: s.issuer.URL, PublicURL: "https://mcp.example.com"})
	valid := s.token()
	for _, row := range []struct {
		name   string
		policy *Policy
		token  string
		status int
	}{
		{"anyone", newPolicy(b, Options{}), "", 200},
		{"token", newPolicy(b, Options{Tokens: []string{tokenA, tokenB}}), tokenB, 200},
		{"verified before", oauth, valid, 200},
		{"forged", oauth, forge(valid), 401},
		{"opaque", oauth, tokenB, 401},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(b.Context(), "POST", "http://localhost/mcp", nil)
				r.Header.Set("Authorization", "Bearer "+row.token)
				row.policy.Admit(w, r)
				require.Equal(b, row.status, w.Code)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	s := newOAuthTest(b)
	p := newPolicy(b, Options{Issuer: s.issuer.URL, PublicURL: "https://mcp.example.com"})
	b.ReportAllocs()
	token := s.token()
	for b.Loop() {
		_, _, err := p.oauth.verify(b.Context(), token)
		require.NoError(b, err)
	}
}
