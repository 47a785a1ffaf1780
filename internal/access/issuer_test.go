package access

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

// rsaKey returns the RSA key of a number. Keys are generated once, because that
// takes long.
var rsaKey = func() func(i int) *rsa.PrivateKey {
	var keys [2]func() *rsa.PrivateKey
	for i := range keys {
		keys[i] = sync.OnceValue(func() *rsa.PrivateKey {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				panic(err)
			}
			return key
		})
	}
	return func(i int) *rsa.PrivateKey { return keys[i]() }
}()

func ecdsaKey(t testing.TB) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return key
}

func ed25519Key(t testing.TB) ed25519.PrivateKey {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	return key
}

// An issuer is an authorization server that publishes its metadata and keys.
// Its handlers can be replaced.
type issuer struct {
	t testing.TB
	*httptest.Server

	mu       sync.Mutex
	keys     []jose.JSONWebKey
	handlers map[string]http.HandlerFunc
	requests map[string]int
}

const (
	openIDDocument = "/.well-known/openid-configuration"
	oauthDocument  = "/.well-known/oauth-authorization-server"
	keysDocument   = "/keys"
)

// newIssuer returns an issuer with OpenID discovery and the key k1.
func newIssuer(t testing.TB) *issuer {
	i := &issuer{t: t, requests: map[string]int{}}
	i.Server = httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(i.Close)
	i.handlers = map[string]http.HandlerFunc{
		openIDDocument: i.metadata(i.URL, i.URL+keysDocument),
		keysDocument:   i.serveKeys,
	}
	i.publish("k1", rsaKey(0).Public())
	return i
}

func (i *issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.requests[r.URL.Path]++
	h := i.handlers[r.URL.Path]
	i.mu.Unlock()
	if h == nil {
		h = http.NotFound
	}
	h(w, r)
}

// metadata returns a handler for a metadata document.
func (i *issuer) metadata(name, keys string) http.HandlerFunc {
	return reply(http.StatusOK, `{"issuer": "`+name+`", "jwks_uri": "`+keys+`", "other": [1]}`)
}

func (i *issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: i.keys})
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

// handle replaces a handler. A nil handler answers 404.
func (i *issuer) handle(path string, h http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handlers[path] = h
}

// publish replaces the published keys by one.
func (i *issuer) publish(id string, key crypto.PublicKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = []jose.JSONWebKey{{Key: key, KeyID: id, Use: "sig"}}
}

// fetches returns how often a path was requested.
func (i *issuer) fetches(path string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.requests[path]
}

// stop makes the issuer answer 500 until start is called.
func (i *issuer) stop() (start func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	working := i.handlers
	down := reply(http.StatusInternalServerError, "down")
	i.handlers = map[string]http.HandlerFunc{openIDDocument: down, oauthDocument: down, keysDocument: down}
	return func() {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.handlers = working
	}
}

// A signature says how a token is signed. Its zero value means RS256 with the
// key k1, and the type at+jwt.
type signature struct {
	algorithm jose.SignatureAlgorithm
	key       any
	keyID     string
	typ       string // "-" leaves the type out
}

// sign returns a token with claims.
func sign(t testing.TB, s signature, claims map[string]any) string {
	t.Helper()
	if s.algorithm == "" {
		s.algorithm = jose.RS256
	}
	if s.key == nil {
		s.key = rsaKey(0)
	}
	if s.keyID == "" {
		s.keyID = "k1"
	}
	options := (&jose.SignerOptions{}).WithHeader("kid", s.keyID)
	switch s.typ {
	case "":
		options.WithType("at+jwt")
	case "-":
	default:
		options.WithType(jose.ContentType(s.typ))
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: s.algorithm, Key: s.key}, options)
	require.NoError(t, err)
	payload, err := json.Marshal(claims)
	require.NoError(t, err)
	signed, err := signer.Sign(payload)
	require.NoError(t, err)
	token, err := signed.CompactSerialize()
	require.NoError(t, err)
	return token
}

// forge replaces the signature of a token.
func forge(token string) string {
	return token[:strings.LastIndex(token, ".")+1] + strings.Repeat("A", 342)
}

// An oauthTest is a server that accepts the access tokens of an issuer.
type oauthTest struct {
	t      testing.TB
	issuer *issuer
	clock  *clock
	log    *logBuffer
	server *httptest.Server
}

func newOAuthTest(t testing.TB, change ...func(*Options)) *oauthTest {
	s := &oauthTest{t: t, issuer: newIssuer(t), clock: newClock(), log: &logBuffer{}}
	o := Options{Issuer: s.issuer.URL, PublicURL: "https://mcp.example.com", Log: s.log.logger(), now: s.clock.Now}
	for _, f := range change {
		f(&o)
	}
	s.server = serve(t, newPolicy(t, o))
	return s
}

// claims returns those of a valid token that grants both scopes, with changes:
// a name without value is left out.
func (s *oauthTest) claims(changes ...any) map[string]any {
	c := map[string]any{
		"iss": s.issuer.URL, "aud": "https://mcp.example.com/mcp", "sub": "alice", "client_id": "ci",
		"iat": s.clock.Now().Unix(), "exp": s.clock.Now().Add(time.Hour).Unix(),
		"scope": "webhooks:read webhooks:write",
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == nil {
			delete(c, changes[i].(string))
		} else {
			c[changes[i].(string)] = changes[i+1]
		}
	}
	return c
}

// token returns a valid token with changed claims.
func (s *oauthTest) token(changes ...any) string {
	s.t.Helper()
	return sign(s.t, signature{}, s.claims(changes...))
}

func (s *oauthTest) send(path, token string) response {
	s.t.Helper()
	return send(s.t, s.server, "POST", path, header{"Authorization": "Bearer " + token})
}
