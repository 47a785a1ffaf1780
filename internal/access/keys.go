package access

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	fetchInterval  = 10 * time.Second // between two fetches of the issuer's keys
	retryAfter     = "10"             // seconds; the keys are fetched again by then
	fetchTimeout   = 5 * time.Second
	maxIssuerReply = 256 << 10 // bytes
)

// errWrongIssuer means that the issuer of the options is not the one that its
// metadata names.
var errWrongIssuer = errors.New("the setting of the issuer is wrong")

// newKeySource returns the source of the issuer's keys. If the keys have changed,
// changed is called.
func newKeySource(o Options, changed func()) *keySource {
	client := &http.Client{
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true, // fetches are rare
			MaxResponseHeaderBytes: maxIssuerReply,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return &keySource{issuer: o.Issuer, client: client, timeout: fetchTimeout, changed: changed, now: o.now, log: o.Log}
}

// A keySource answers each request with the keys of the issuer, whatever URL is
// requested. It fetches them at most once in fetchInterval, because go-oidc
// requests them for every token that it cannot verify.
type keySource struct {
	issuer  string
	client  *http.Client
	timeout time.Duration // of a fetch, which makes several requests
	changed func()        // called when the keys have changed
	now     func() time.Time
	log     *slog.Logger

	mu      sync.Mutex // guards the fields below
	fetched time.Time  // when the last fetch began
	err     error      // why it failed
	keys    []byte     // what the last successful fetch returned
}

// RoundTrip implements [http.RoundTripper].
func (s *keySource) RoundTrip(r *http.Request) (*http.Response, error) {
	keys, err := s.refreshRarely(r.Context())
	if err != nil {
		return nil, err
	}
	return &http.Response{
		StatusCode: http.StatusOK,
		Header:     http.Header{"Content-Type": {"application/json"}},
		Body:       io.NopCloser(bytes.NewReader(keys)),
		Request:    r,
	}, nil
}

// refreshRarely returns the keys, which it fetches unless it did a moment ago.
func (s *keySource) refreshRarely(ctx context.Context) ([]byte, error) {
	s.mu.Lock() // go-oidc makes one request at a time
	defer s.mu.Unlock()
	if now := s.now(); s.fetched.IsZero() || now.Sub(s.fetched) >= fetchInterval {
		s.fetched = now
		s.refresh(ctx)
	}
	return s.keys, s.err
}

// refresh fetches the keys. If that fails, the error takes their place, and
// go-oidc goes on using the keys that it has.
func (s *keySource) refresh(ctx context.Context) {
	keys, err := s.fetch(ctx)
	if s.err = err; err != nil {
		level := slog.LevelWarn
		if errors.Is(err, errWrongIssuer) {
			level = slog.LevelError
		}
		s.log.Log(ctx, level, "the keys of the OAuth issuer cannot be fetched", "error", err)
		return
	}
	if !bytes.Equal(keys, s.keys) {
		s.keys = keys
		s.changed()
	}
}

// fetch discovers where the keys are and returns them. Discovery is repeated
// each time, because an issuer may move its keys.
func (s *keySource) fetch(ctx context.Context) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	address, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	body, err := s.get(ctx, address)
	if err != nil {
		return nil, err
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) == 0 {
		return nil, fmt.Errorf("%s does not list keys", address)
	}
	return body, nil
}

// discover returns the address of the keys: from the issuer's metadata of
// OpenID Connect, or else of RFC 8414.
func (s *keySource) discover(ctx context.Context) (string, error) {
	openID, oauth := metadataAddresses(s.issuer)
	address, err := s.keysAddress(ctx, openID)
	if err == nil {
		return address, nil
	}
	address, second := s.keysAddress(ctx, oauth)
	if second == nil {
		return address, nil
	}
	return "", fmt.Errorf("%w; %w", err, second)
}

// metadataAddresses returns where an issuer publishes its metadata. OpenID
// Connect appends its path to that of the issuer; RFC 8414 inserts it.
func metadataAddresses(issuer string) (openID, oauth string) {
	issuer = strings.TrimSuffix(issuer, "/")
	u, err := url.Parse(issuer)
	if err != nil { // New has checked the issuer
		return "", ""
	}
	u.Path, u.RawPath = "/.well-known/oauth-authorization-server"+u.Path, ""
	return issuer + "/.well-known/openid-configuration", u.String()
}

// keysAddress reads the address of the keys from a metadata document.
func (s *keySource) keysAddress(ctx context.Context, document string) (string, error) {
	body, err := s.get(ctx, document)
	if err != nil {
		return "", err
	}
	var m struct {
		Issuer  string `json:"issuer"`
		JWKSURI string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return "", fmt.Errorf("%s is not a metadata document: %w", document, err)
	}
	if m.Issuer != s.issuer {
		return "", fmt.Errorf("%w: %s names the issuer %.200q, not %q", errWrongIssuer, document, m.Issuer, s.issuer)
	}
	u, err := url.Parse(m.JWKSURI)
	if err == nil {
		err = requireTLS(u)
	}
	if err != nil {
		return "", fmt.Errorf("%s: jwks_uri: %w", document, err)
	}
	return m.JWKSURI, nil
}

// get returns the body of a response with the status 200.
func (s *keySource) get(ctx context.Context, address string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %d", address, res.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxIssuerReply+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", address, err)
	case len(body) > maxIssuerReply:
		return nil, fmt.Errorf("%s: more than %d bytes", address, maxIssuerReply)
	}
	return body, nil
}
