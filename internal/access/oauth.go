package access

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	maxAccessToken = 16 << 10    // bytes
	clockLeeway    = time.Minute // how far the clocks of the issuer and the server may differ
)

// signingAlgorithms are the accepted ones: all are asymmetric, so that the keys
// of the issuer cannot be used to sign.
var signingAlgorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512,
	oidc.PS256, oidc.PS384, oidc.PS512,
	oidc.ES256, oidc.ES384, oidc.ES512,
	oidc.EdDSA,
}

// A resourceServer verifies access tokens that an OAuth authorization server
// issues as JWTs.
type resourceServer struct {
	issuer    string
	audiences []string
	prefix    string // of the scopes that clients have to ask for
	metadata  metadata
	source    *keySource
	keys      *oidc.RemoteKeySet
	verified  atomic.Pointer[tokenCache] // replaced when the keys change
	now       func() time.Time
	log       *slog.Logger
}

// setOAuth takes the issuer, its audiences and the resource.
func (p *Policy) setOAuth(o Options) error {
	if o.Issuer == "" {
		return nil
	}
	if prefix := o.ScopePrefix; prefix != "" && !scopeToken().MatchString(prefix) || strings.Contains(prefix, "://") && !strings.HasSuffix(prefix, "/") {
		return &OptionError{"ScopePrefix", fmt.Errorf("%.100q is not what a scope begins with, such as api://APPLICATION_ID/", prefix)}
	}
	if _, err := parseTLSURL(o.Issuer); err != nil {
		return &OptionError{"Issuer", err}
	}
	resource, err := parseTLSURL(strings.TrimSuffix(o.PublicURL, "/") + "/mcp")
	if err != nil {
		return &OptionError{"PublicURL", err}
	}
	audiences := o.Audiences
	if len(audiences) == 0 {
		audiences = []string{resource.String()}
	}
	p.oauth = &resourceServer{
		issuer:    o.Issuer,
		audiences: audiences,
		prefix:    o.ScopePrefix,
		metadata:  newMetadata(resource, o.Issuer, o.ScopePrefix),
		now:       o.now,
		log:       o.Log,
	}
	p.oauth.forget()
	p.oauth.source = newKeySource(o, p.oauth.forget)
	p.oauth.keys = oidc.NewRemoteKeySet(oidc.ClientContext(context.Background(), &http.Client{Transport: p.oauth.source}), o.Issuer)
	return nil
}

// FetchKeys fetches the keys of the issuer, if there is one. The log then says what
// is wrong with the issuer before the first caller learns it.
func (p *Policy) FetchKeys(ctx context.Context) {
	if p.oauth != nil {
		p.oauth.source.refreshRarely(ctx)
	}
}

func (s *resourceServer) admit(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	token, ok := bearerToken(r)
	if !ok {
		s.challenge(w, http.StatusUnauthorized, "", []string{ScopeRead}, "send an access token of "+s.issuer+" as Authorization: Bearer")
		return Caller{}, false
	}
	caller, err := s.identify(r.Context(), token)
	switch {
	case err == nil:
		return caller, true
	case errors.Is(err, errWrongIssuer):
		http.Error(w, "the server's setting of the issuer is wrong: "+s.issuer+" is not the issuer that its metadata names; tell the operator of the server", http.StatusInternalServerError)
	case errors.Is(err, errNoKeys):
		w.Header().Set("Retry-After", retryAfter)
		http.Error(w, "the access token cannot be verified now, because the keys of "+s.issuer+" cannot be fetched; try again later", http.StatusServiceUnavailable)
	default:
		s.challenge(w, http.StatusUnauthorized, "invalid_token", []string{ScopeRead}, fmt.Sprintf("the access token is not valid: %.300s", err))
	}
	s.log.Debug("access token refused", "error", err)
	return Caller{}, false
}

// challenge refuses a request and says how a client gets a token that is
// accepted. The code is an error code of RFC 6750; it is empty if no token was
// sent.
func (s *resourceServer) challenge(w http.ResponseWriter, status int, code string, scopes []string, message string) {
	for i, scope := range scopes {
		if own, ok := ownScope(scope, s.prefix); ok {
			scopes[i] = s.prefix + own
		}
	}
	value := fmt.Sprintf(`Bearer resource_metadata="%s", scope="%s"`, s.metadata.url, strings.Join(scopes, " "))
	if code != "" {
		value += fmt.Sprintf(`, error="%s"`, code)
	}
	w.Header().Set("WWW-Authenticate", value)
	http.Error(w, message, status)
}

// RefuseScope answers a request that requires scopes which the caller does not
// have, as [Caller.Allows] says: with 403, and with the scopes that a new access
// token should have.
func (p *Policy) RefuseScope(w http.ResponseWriter, c Caller, scopes string) {
	p.oauth.challenge(w, http.StatusForbidden, "insufficient_scope", c.scopesWith(strings.Fields(scopes)), "the access token does not have the scope "+scopes)
}

// errNoKeys means that a token could not be verified because the keys of the
// issuer could not be fetched.
var errNoKeys = errors.New("no keys of the issuer")

// identify returns the caller that a token was issued for. A token that arrives
// again is not verified again, unless the keys have changed meanwhile.
func (s *resourceServer) identify(ctx context.Context, token string) (Caller, error) {
	if len(token) > maxAccessToken {
		return Caller{}, fmt.Errorf("it is too long; the maximum is %d bytes", maxAccessToken)
	}
	cache, now := s.verified.Load(), s.now()
	if caller, ok := cache.find(token, now); ok {
		return caller, nil
	}
	caller, expires, err := s.verify(ctx, token)
	if err != nil {
		return Caller{}, err
	}
	cache.add(token, caller, now, expires)
	return caller, nil
}

// forget empties the cache of verified tokens.
func (s *resourceServer) forget() { s.verified.Store(newTokenCache()) }

// verify returns the caller that a token was issued for, and when the token is
// no longer accepted.
func (s *resourceServer) verify(ctx context.Context, token string) (Caller, time.Time, error) {
	if err := checkHeader(token); err != nil {
		return Caller{}, time.Time{}, err
	}
	keys := &verification{keys: s.keys}
	verified, err := oidc.NewVerifier(s.issuer, keys, &oidc.Config{
		SkipClientIDCheck:    true, // checkClaims checks the audience: one of several
		SupportedSigningAlgs: signingAlgorithms,
		Now:                  func() time.Time { return s.now().Add(-clockLeeway) },
	}).Verify(ctx, token)
	switch {
	case keys.fetchErr != nil:
		return Caller{}, time.Time{}, fmt.Errorf("%w: %w", errNoKeys, keys.fetchErr)
	case err != nil:
		return Caller{}, time.Time{}, err
	}
	caller, err := s.checkClaims(verified)
	return caller, verified.Expiry.Add(clockLeeway), err
}

// checkClaims checks what go-oidc does not, and returns the caller.
func (s *resourceServer) checkClaims(token *oidc.IDToken) (Caller, error) {
	if !slices.ContainsFunc(token.Audience, func(a string) bool { return slices.Contains(s.audiences, a) }) {
		return Caller{}, fmt.Errorf("its audience is %q, not %q", token.Audience, s.audiences)
	}
	var c claims
	if err := token.Claims(&c); err != nil {
		return Caller{}, err
	}
	if c.NotBefore > float64(s.now().Add(clockLeeway).Unix()) {
		return Caller{}, errors.New("it is not valid yet")
	}
	return c.caller(token.Subject, s.prefix), nil
}

// A verification is an [oidc.KeySet] for one token. It tells whether keys could
// not be fetched, which the verifier's error does not.
type verification struct {
	keys     *oidc.RemoteKeySet
	fetchErr error
}

// VerifySignature relies on RemoteKeySet, which wraps only errors of fetching.
func (v *verification) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	payload, err := v.keys.VerifySignature(ctx, token)
	if errors.Unwrap(err) != nil {
		v.fetchErr = err
	}
	return payload, err
}

// checkHeader refuses what is not a JWT in the compact form, and JWTs that are
// not access tokens according to their type. RFC 9068 demands at+jwt, but some
// issuers send JWT or no type.
func checkHeader(token string) error {
	encoded, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(encoded)
	var header struct {
		Type string `json:"typ"`
	}
	if err != nil || strings.Count(token, ".") != 2 || json.Unmarshal(raw, &header) != nil {
		return errors.New("it is not a JWT")
	}
	switch strings.ToLower(header.Type) {
	case "", "jwt", "at+jwt", "application/at+jwt":
		return nil
	}
	return fmt.Errorf("its type is %.50q; JWT and at+jwt are accepted", header.Type)
}
