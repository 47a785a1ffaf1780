package access

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"
)

const metadataParameter = `resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/mcp"`

func TestAValidAccessTokenNamesTheCaller(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	res := s.send("/write", s.token())
	require.Equal(t, "admitted sub=alice client_id=ci", res.body)
	require.Equal(t, "admitted sub=alice client_id=a", s.send("/", s.token("client_id", nil, "azp", "a")).body)
	require.Equal(t, "admitted sub=alice client_id=b", s.send("/", s.token("client_id", nil, "cid", "b")).body)
	require.Equal(t, "admitted sub= client_id=", s.send("/", s.token("client_id", nil, "sub", nil)).body)
}

func TestTheNameOfACallerIsSafeToLog(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	body := s.send("/", s.token("sub", "a b\nlevel=ERROR \x1b[31m\u202e", "client_id", strings.Repeat("é", 1000))).body
	require.Equal(t, "admitted sub=a�b�level=ERROR��[31m� client_id="+strings.Repeat("é", 64)+"…", body)
}

func TestARequestWithoutAccessTokenIsToldWhereToGetOne(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	for _, authorization := range []string{"", "Bearer", "Bearer ", "Basic YTpi"} {
		res := send(t, s.server, "POST", "/", header{"Authorization": authorization, "Origin": "http://localhost:6274"})
		require.Equal(t, 401, res.status)
		require.Equal(t, `Bearer `+metadataParameter+`, scope="webhooks:read"`, res.header.Get("WWW-Authenticate"))
		require.Contains(t, res.header.Get("Access-Control-Expose-Headers"), "WWW-Authenticate")
		require.Contains(t, res.body, s.issuer.URL)
	}
	res := send(t, s.server, "POST", "/?access_token="+s.token(), nil)
	require.Equal(t, 401, res.status, "a token in the URL is not accepted")
	require.Zero(t, s.issuer.fetches(openIDDocument), "requests without token fetch nothing")
}

func TestInvalidAccessTokensAreRefused(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	now := func(d time.Duration) int64 { return s.clock.Now().Add(d).Unix() }
	valid := s.token()
	encode := base64.RawURLEncoding.EncodeToString
	unsigned := func(head string) string { return encode([]byte(head)) + "." + strings.Split(valid, ".")[1] + "." }
	public, err := json.Marshal(jose.JSONWebKey{Key: rsaKey(0).Public(), KeyID: "k1"})
	require.NoError(t, err)
	pkix, err := x509.MarshalPKIXPublicKey(rsaKey(0).Public())
	require.NoError(t, err)
	payload, err := json.Marshal(s.claims())
	require.NoError(t, err)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: rsaKey(1)}, &jose.SignerOptions{EmbedJWK: true})
	require.NoError(t, err)
	signed, err := signer.Sign(payload)
	require.NoError(t, err)
	embedded, err := signed.CompactSerialize()
	require.NoError(t, err)
	for name, row := range map[string]struct{ token, reason string }{
		"an opaque token":                 {"kx1mFTkFFFCRdyiY2bN0kk9BTfLJqTe5GoJVuUcuJoA", "it is not a JWT"},
		"JSON serialization":              {signed.FullSerialize(), "it is not a JWT"},
		"five parts":                      {valid + ".a.a", "it is not a JWT"},
		"a header that is no JSON":        {"e30e." + valid, "it is not a JWT"},
		"a long token":                    {strings.Repeat("a", 16<<10) + valid, "it is too long; the maximum is 16384 bytes"},
		"alg none":                        {unsigned(`{"alg":"none"}`), "signature algorithm"},
		"alg None with the key's ID":      {unsigned(`{"alg":"None","kid":"k1"}`), "signature algorithm"},
		"HS256 with the public key, JWK":  {sign(t, signature{algorithm: jose.HS256, key: public}, s.claims()), "signature algorithm"},
		"HS256 with the public key, PKIX": {sign(t, signature{algorithm: jose.HS256, key: pkix}, s.claims()), "signature algorithm"},
		"another key":                     {sign(t, signature{key: rsaKey(1)}, s.claims()), "failed to verify"},
		"a key of the token's own":        {embedded, "failed to verify"},
		"a changed signature":             {forge(valid), "failed to verify"},
		"changed claims":                  {strings.Split(valid, ".")[0] + "." + encode([]byte(`{"iss":"a"}`)) + "." + strings.Split(valid, ".")[2], "failed to verify"},
		"an ID token by type":             {sign(t, signature{typ: "id_token"}, s.claims()), `its type is "id_token"`},
		"a logout token":                  {sign(t, signature{typ: "logout+jwt"}, s.claims()), `its type is "logout+jwt"`},
		"a DPoP proof":                    {sign(t, signature{typ: "dpop+jwt"}, s.claims()), `its type is "dpop+jwt"`},
		"another issuer":                  {s.token("iss", "https://login.example.com"), "different provider"},
		"the issuer with a slash":         {s.token("iss", s.issuer.URL+"/"), "different provider"},
		"no issuer":                       {s.token("iss", nil), "different provider"},
		"another audience":                {s.token("aud", "https://other.example.com/mcp"), `its audience is ["https://other.example.com/mcp"]`},
		"the audience with a slash":       {s.token("aud", "https://mcp.example.com/mcp/"), "its audience is"},
		"the base URL as audience":        {s.token("aud", "https://mcp.example.com"), "its audience is"},
		"an empty audience":               {s.token("aud", []string{}), "its audience is"},
		"no audience":                     {s.token("aud", nil), "its audience is"},
		"an audience that is a number":    {s.token("aud", 1), "aud"},
		"expired":                         {s.token("exp", now(-61*time.Second)), "token is expired"},
		"no expiry":                       {s.token("exp", nil), "token is expired"},
		"an expiry that is a string":      {s.token("exp", "tomorrow"), "unmarshal"},
		"not valid yet":                   {s.token("nbf", now(62*time.Second)), "it is not valid yet"},
		"not valid for an hour":           {s.token("nbf", now(time.Hour)), "before the nbf"},
		"a client ID that is a number":    {s.token("client_id", 1), "client_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := s.send("/", row.token)
			require.Equal(t, 401, res.status, res.body)
			require.Equal(t, `Bearer `+metadataParameter+`, scope="webhooks:read", error="invalid_token"`, res.header.Get("WWW-Authenticate"))
			require.Contains(t, res.body, row.reason)
			require.Less(t, len(res.body), 400)
			require.NotContains(t, s.log.String(), row.token, "no token is logged")
		})
	}
}

func TestAllFormsOfValidAccessTokensAreAccepted(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	now := func(d time.Duration) int64 { return s.clock.Now().Add(d).Unix() }
	for name, token := range map[string]string{
		"one of several audiences":  s.token("aud", []string{"https://other.example.com", "https://mcp.example.com/mcp"}),
		"expired half a minute ago": s.token("exp", now(-30*time.Second)),
		"valid in half a minute":    s.token("nbf", now(30*time.Second)),
		"times that are fractions":  s.token("exp", float64(now(time.Hour))+0.5, "nbf", float64(now(0))-0.5),
		"no type":                   sign(t, signature{typ: "-"}, s.claims()),
		"the type JWT":              sign(t, signature{typ: "JWT"}, s.claims()),
		"the type in capitals":      sign(t, signature{typ: "AT+JWT"}, s.claims()),
		"the type as a media type":  sign(t, signature{typ: "application/at+jwt"}, s.claims()),
		"RS384":                     sign(t, signature{algorithm: jose.RS384}, s.claims()),
		"PS256":                     sign(t, signature{algorithm: jose.PS256}, s.claims()),
		"with thousands of groups":  s.token("groups", strings.Repeat("0123456789", 800)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := s.send("/write", token)
			require.Equal(t, 200, res.status, res.body)
		})
	}
}

func TestKeysOfEllipticCurvesAreAccepted(t *testing.T) {
	t.Parallel()
	ec, ed := ecdsaKey(t), ed25519Key(t)
	for name, row := range map[string]struct {
		algorithm   jose.SignatureAlgorithm
		key, public any
	}{
		"ES256": {jose.ES256, ec, ec.Public()},
		"EdDSA": {jose.EdDSA, ed, ed.Public()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newOAuthTest(t)
			s.issuer.publish("k1", row.public)
			require.Equal(t, 200, s.send("/", sign(t, signature{algorithm: row.algorithm, key: row.key}, s.claims())).status)
		})
	}
}

func TestConfiguredAudiencesReplaceTheResource(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t, func(o *Options) { o.Audiences = []string{"api://webhooks", "d2f0"} })
	require.Equal(t, 200, s.send("/", s.token("aud", "d2f0")).status)
	require.Equal(t, 200, s.send("/", s.token("aud", []string{"api://webhooks"})).status)
	require.Equal(t, 401, s.send("/", s.token()).status)
}

func TestACallNeedsItsScope(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	none := []any{"scope", nil}
	for name, row := range map[string]struct {
		claims []any
		wanted string // scopes of the challenge; empty: the call is allowed
	}{
		"write":                      {[]any{"scope", "webhooks:write"}, ""},
		"read and write":             {[]any{"scope", "webhooks:read webhooks:write"}, ""},
		"an array":                   {[]any{"scope", []string{"openid", "webhooks:write"}}, ""},
		"scp, a string":              {append(none, "scp", "webhooks:read webhooks:write"), ""},
		"scp, an array":              {append(none, "scp", []string{"webhooks:write"}), ""},
		"roles":                      {append(none, "roles", []string{"Admin", "webhooks:write"}), ""},
		"permissions":                {append(none, "permissions", []string{"webhooks:write"}), ""},
		"another role":               {append(none, "roles", []string{"Admin", "webhooks:read"}), "webhooks:read webhooks:write"},
		"a prefix":                   {append(none, "scp", "api://app/webhooks:write"), "api://app/webhooks:write webhooks:write"},
		"scope and scp":              {[]any{"scope", "webhooks:read", "scp", "webhooks:write"}, ""},
		"read":                       {[]any{"scope", "webhooks:read"}, "webhooks:read webhooks:write"},
		"none":                       {none, "webhooks:write"},
		"a number":                   {[]any{"scope", 1}, "webhooks:write"},
		"an array of numbers":        {[]any{"scope", []int{1}}, "webhooks:write"},
		"null":                       {[]any{"scope", json.RawMessage("null")}, "webhooks:write"},
		"others":                     {[]any{"scope", "openid  offline_access webhooks:read openid"}, "openid webhooks:read webhooks:write"},
		"a part of a scope":          {[]any{"scope", "webhooks:writer"}, "webhooks:writer webhooks:write"},
		"two scopes in an element":   {[]any{"scope", []string{"webhooks:write webhooks:read"}}, "webhooks:write"},
		"characters that end quotes": {[]any{"scope", []string{`a"`, "b\\", "c\r\nX: y", "d,e", "é", "webhooks:read"}}, "d,e webhooks:read webhooks:write"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token := s.token(row.claims...)
			require.Equal(t, 200, s.send("/", token).status, "any valid token is admitted")
			res := s.send("/write", token)
			if row.wanted == "" {
				require.Equal(t, 200, res.status, res.body)
				return
			}
			require.Equal(t, 403, res.status)
			require.Equal(t, `Bearer `+metadataParameter+`, scope="`+row.wanted+`", error="insufficient_scope"`, res.header.Get("WWW-Authenticate"))
			require.Contains(t, res.body, "webhooks:write")
		})
	}
}

// Microsoft Entra wants scopes to be asked for with the prefix of the application,
// and issues tokens without it.
func TestScopesMayHaveAPrefix(t *testing.T) {
	t.Parallel()
	const prefix = "api://app/"
	s := newOAuthTest(t, func(o *Options) { o.ScopePrefix = prefix })
	for name, row := range map[string]struct {
		claims []any
		wanted string // scopes of the challenge; empty: the call is allowed
	}{
		"without it":        {[]any{"scope", nil, "scp", "webhooks:write"}, ""},
		"with it":           {[]any{"scope", nil, "scp", "api://app/webhooks:write"}, ""},
		"a role with it":    {[]any{"scope", nil, "roles", []string{"api://app/webhooks:write"}}, ""},
		"read, without it":  {[]any{"scope", "openid webhooks:read"}, "openid api://app/webhooks:read api://app/webhooks:write"},
		"another prefix":    {[]any{"scope", "api://other/webhooks:write"}, "api://other/webhooks:write api://app/webhooks:write"},
		"the prefix twice":  {[]any{"scope", "api://app/api://app/webhooks:write"}, "api://app/api://app/webhooks:write api://app/webhooks:write"},
		"the prefix alone":  {[]any{"scope", prefix}, "api://app/ api://app/webhooks:write"},
		"no scope whatever": {[]any{"scope", nil}, "api://app/webhooks:write"},
	} {
		res := s.send("/write", s.token(row.claims...))
		require.Equal(t, row.wanted == "", res.status == 200, name)
		if row.wanted != "" {
			require.Contains(t, res.header.Get("WWW-Authenticate"), `scope="`+row.wanted+`"`, name)
		}
	}
	res := send(t, s.server, "POST", "/", nil)
	require.Equal(t, `Bearer `+metadataParameter+`, scope="api://app/webhooks:read"`, res.header.Get("WWW-Authenticate"))
	require.Contains(t, send(t, s.server, "GET", protectedResourcePath, nil).body, `"scopes_supported":["api://app/webhooks:read"]`)
	for _, invalid := range []string{"api://app", "a b/", `"`, "é/"} {
		_, err := New(Options{Issuer: "https://login.example", PublicURL: "https://mcp.example.com", ScopePrefix: invalid})
		require.ErrorContains(t, err, "ScopePrefix: ", invalid)
	}
}

func TestAChallengeRepeatsABoundedNumberOfScopes(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	var many []string
	for i := range 100 {
		many = append(many, strings.Repeat("s", i+1))
	}
	challenge := s.send("/write", s.token("scope", many)).header.Get("WWW-Authenticate")
	require.Contains(t, challenge, " webhooks:write")
	require.Less(t, len(challenge), 4<<10)
}

func TestWriteImpliesReadAndNothingElse(t *testing.T) {
	t.Parallel()
	writer, reader := Caller{limited: true, scopes: []string{ScopeWrite}}, Caller{limited: true, scopes: []string{ScopeRead}}
	require.True(t, writer.Allows(ScopeRead))
	require.False(t, writer.Allows("admin"))
	require.False(t, reader.Allows(ScopeWrite))
	require.True(t, Caller{limited: true}.Allows(ScopeNone))
	require.False(t, Caller{limited: true, scopes: []string{ScopeRead, ScopeWrite, ""}}.Allows(""), "a tool that names no scope")
	require.False(t, Caller{limited: true}.Allows(ScopeRead))
	require.True(t, Caller{}.Allows(ScopeWrite), "without OAuth")
}

func TestHostAndOriginAreCheckedBeforeTheToken(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	bearer := "Bearer " + s.token()
	require.Equal(t, 403, send(t, s.server, "POST", "/", header{"Authorization": bearer, "Host": "evil.example"}).status)
	require.Equal(t, 403, send(t, s.server, "POST", "/", header{"Authorization": bearer, "Origin": "https://evil.example"}).status)
	require.Equal(t, 200, send(t, s.server, "POST", "/", header{"Authorization": bearer, "Host": "mcp.example.com"}).status)
}

func TestACallerNeedsEachOfSeveralScopes(t *testing.T) {
	t.Parallel()
	c := Caller{limited: true, scopes: []string{ScopeWrite}}
	require.True(t, c.Allows(ScopeRead+" "+ScopeWrite))
	require.False(t, c.Allows(ScopeWrite+" "+ScopeMessages), "writing webhooks implies no reading of messages")
	c.scopes = append(c.scopes, ScopeMessages, "offline_access")
	require.True(t, c.Allows(ScopeWrite+" "+ScopeMessages))
	require.Equal(t, []string{ScopeWrite, "other", ScopeMessages}, c.scopesWith([]string{"other", ScopeMessages}))
}

// Callers that are not the same have different principals, and callers without
// credentials have none.
func TestAPrincipalIdentifiesACaller(t *testing.T) {
	t.Parallel()
	principal := func(o Options, authorization string) string {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "POST", "http://localhost/mcp", nil)
		r.Header.Set("Authorization", authorization)
		caller, ok := newPolicy(t, o).Admit(w, r)
		require.True(t, ok)
		return caller.Principal
	}
	require.Empty(t, principal(Options{}, ""))
	require.Equal(t, "user SK1", principal(Options{CallerCredentials: true}, "Basic U0sxOnNlY3JldA=="))
	a, b := principal(Options{Tokens: []string{tokenA, tokenB}}, "Bearer "+tokenA), principal(Options{Tokens: []string{tokenA, tokenB}}, "Bearer "+tokenB)
	require.NotEqual(t, a, b)
	require.NotContains(t, a, tokenA)
	require.Equal(t, a, principal(Options{Tokens: []string{tokenA}}, "Bearer "+tokenA))
	require.Equal(t, "subject alice", claims{}.caller("alice", "").Principal)
	require.Empty(t, claims{}.caller("", "").Principal)
}
