package serve_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// issuer is an OAuth authorization server that signs access tokens.
type issuer struct {
	url string
	key *ecdsa.PrivateKey
}

func newIssuer(t *testing.T) *issuer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	i := &issuer{key: key}
	mux := http.NewServeMux()
	site := httptest.NewServer(mux)
	t.Cleanup(site.Close)
	i.url = site.URL
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintf(w, `{"issuer":%q,"jwks_uri":%q,"id_token_signing_alg_values_supported":["ES256"]}`, i.url, i.url+"/keys")
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		point, _ := key.PublicKey.Bytes() // 4, x, y
		_, _ = fmt.Fprintf(w, `{"keys":[{"kty":"EC","crv":"P-256","alg":"ES256","use":"sig","kid":"1","x":%q,"y":%q}]}`, base64URL(point[1:33]), base64URL(point[33:]))
	})
	return i
}

func base64URL(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token returns an access token with a scope.
func (i *issuer) token(t *testing.T, audience, scope string) string {
	t.Helper()
	signed := base64URL([]byte(`{"alg":"ES256","typ":"at+jwt","kid":"1"}`)) + "." + base64URL(fmt.Appendf(nil,
		`{"iss":%q,"aud":%q,"sub":"ada","client_id":"inspector","scope":%q,"iat":%d,"exp":%d}`,
		i.url, audience, scope, time.Now().Unix(), time.Now().Add(time.Hour).Unix()))
	hash := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, hash[:])
	require.NoError(t, err)
	signature := append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	return signed + "." + base64URL(signature)
}

// A call without the scope that its tool needs is refused before it waits. All
// tools are listed, whatever the scopes.
func TestACallNeedsTheScopeOfItsTool(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	b := newFixture(func(o *serve.Options) {
		o.MaxConcurrent = 1
		for n := range o.Tools {
			o.Tools[n].Scope = access.ScopeWrite
		}
		o.Tools[0].Scope = access.ScopeRead
		o.Tools[2].Scope = ""
		o.Tools[3].Scope = access.ScopeNone
	})
	s := b.listen(t, serve.HTTPOptions{Access: policy(t, access.Options{Issuer: i.url, PublicURL: "http://127.0.0.1"})})
	as := func(scope string) header {
		return header{"Authorization": "Bearer " + i.token(t, "http://127.0.0.1/mcp", scope)}
	}
	var calls sync.WaitGroup
	calls.Go(func() { s.do(t, "POST", "/mcp", call("1", "hold"), as("webhooks:write")) })
	await(t, func() bool { return b.started.Load() == 1 })

	res, _ := s.do(t, "POST", "/mcp", call("1", "hold"), as("webhooks:read"))
	require.Equal(t, 403, res.StatusCode)
	require.Contains(t, res.Header.Get("WWW-Authenticate"), `error="insufficient_scope"`)
	require.Contains(t, b.log.String(), `msg=call tool=hold outcome=refused`)
	require.Contains(t, b.log.String(), `caller="sub=ada client_id=inspector" scope=webhooks:write`)
	close(b.release)
	calls.Wait()

	for _, row := range []struct {
		name, body, scope string
		status            int
	}{
		{"read", call("1", "echo"), "webhooks:read", 200},
		{"write implies read", call("1", "echo"), "webhooks:write", 200},
		{"no scope", call("1", "echo"), "", 403},
		{"a tool that needs none", call("1", "nan"), "", 200},
		{"a tool that names none", call("1", "panic"), "webhooks:read webhooks:write", 403},
		{"the list of tools", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, "", 200},
		{"an unknown tool", call("1", "nope"), "", 200},
	} {
		res, body := s.do(t, "POST", "/mcp", row.body, as(row.scope))
		require.Equal(t, row.status, res.StatusCode, "%s: %s", row.name, body)
	}
}
