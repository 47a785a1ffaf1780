package access

import (
	"context"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestForgedTokensFetchKeysOnceInTenSeconds(t *testing.T) {
	t.Parallel()
	for name, forged := range map[string]func(s *oauthTest, i int) string{
		"a known key":      func(s *oauthTest, _ int) string { return forge(s.token()) },
		"unknown keys":     func(s *oauthTest, i int) string { return forge(sign(s.t, signature{keyID: fmt.Sprint(i)}, s.claims())) },
		"a key without ID": func(s *oauthTest, _ int) string { return forge(sign(s.t, signature{key: rsaKey(1)}, s.claims())) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newOAuthTest(t)
			require.Equal(t, 200, s.send("/", s.token()).status)
			require.Equal(t, 1, s.issuer.fetches(keysDocument))
			for i := range 200 {
				require.Equal(t, 401, s.send("/", forged(s, i)).status)
			}
			require.Equal(t, 1, s.issuer.fetches(keysDocument))
			s.clock.advance(fetchInterval)
			for i := range 200 {
				require.Equal(t, 401, s.send("/", forged(s, i)).status)
			}
			require.Equal(t, 2, s.issuer.fetches(keysDocument))
			require.Equal(t, 2, s.issuer.fetches(openIDDocument))
			require.Equal(t, 200, s.send("/", s.token()).status)
		})
	}
}

func TestManyCallersAtOnceFetchKeysOnce(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	valid, forged := s.token(), forge(s.token())
	var callers sync.WaitGroup
	for i := range 100 {
		callers.Go(func() {
			if i%2 == 0 {
				require.Equal(t, 200, s.send("/", valid).status)
			} else {
				require.Equal(t, 401, s.send("/", forged).status)
			}
		})
	}
	callers.Wait()
	require.Equal(t, 1, s.issuer.fetches(keysDocument))
}

func TestANewKeyIsFoundAndTheOldOneRefused(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	before := s.token()
	require.Equal(t, 200, s.send("/", before).status)

	s.issuer.publish("k2", rsaKey(1).Public())
	after := sign(t, signature{key: rsaKey(1), keyID: "k2"}, s.claims())
	require.Equal(t, 401, s.send("/", after).status, "keys were fetched a moment ago")
	s.clock.advance(fetchInterval)
	require.Equal(t, 200, s.send("/", after).status)
	require.Equal(t, 401, s.send("/", before).status)

	s.clock.advance(time.Minute)
	s.issuer.publish("k1", rsaKey(0).Public())
	require.Equal(t, 200, s.send("/", before).status, "if no fetch was recent, a new key is found at once")
}

func TestANewKeyWithTheOldIDIsFound(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	require.Equal(t, 200, s.send("/", s.token()).status)
	s.issuer.publish("k1", rsaKey(1).Public())
	s.clock.advance(fetchInterval)
	require.Equal(t, 200, s.send("/", sign(t, signature{key: rsaKey(1)}, s.claims())).status)
}

func TestAnIssuerThatIsDownAtTheStartIsFoundLater(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	start := s.issuer.stop()
	for range 50 {
		res := s.send("/", s.token())
		require.Equal(t, 503, res.status)
		require.Equal(t, "10", res.header.Get("Retry-After"))
		require.Contains(t, res.body, "try again later")
		require.Empty(t, res.header.Get("WWW-Authenticate"), "another token would not help")
	}
	require.Equal(t, 1, s.issuer.fetches(openIDDocument))
	require.Equal(t, 1, s.issuer.fetches(oauthDocument))
	require.Equal(t, 1, strings.Count(s.log.String(), "level=WARN"))
	require.Contains(t, s.log.String(), "status 500")

	start()
	require.Equal(t, 503, s.send("/", s.token()).status)
	s.clock.advance(fetchInterval)
	require.Equal(t, 200, s.send("/", s.token()).status)
}

// An issuer that its metadata does not name is never accepted. The log says so at
// the start, and callers learn that trying again does not help.
func TestAnIssuerThatItsMetadataDoesNotNameIsTheServersMistake(t *testing.T) {
	t.Parallel()
	for _, other := range []func(*issuer) string{
		func(i *issuer) string { return i.URL + "/" },
		func(i *issuer) string { return strings.Replace(i.URL, "http:", "https:", 1) },
		func(*issuer) string { return "" },
	} {
		s := newOAuthTest(t)
		s.issuer.handle(openIDDocument, s.issuer.metadata(other(s.issuer), s.issuer.URL+keysDocument))
		p := newPolicy(t, Options{Issuer: s.issuer.URL, PublicURL: "https://mcp.example.com", Log: s.log.logger(), now: s.clock.Now})
		p.FetchKeys(t.Context())
		require.Contains(t, s.log.String(), "level=ERROR")
		require.Contains(t, s.log.String(), `, not \"`+s.issuer.URL+`\"`)
		for range 3 {
			res := send(t, serve(t, p), "POST", "/", header{"Authorization": "Bearer " + s.token()})
			require.Equal(t, 500, res.status)
			require.Empty(t, res.header.Get("Retry-After"))
			require.Contains(t, res.body, "the server's setting of the issuer is wrong")
			s.clock.advance(fetchInterval)
		}
		s.issuer.handle(openIDDocument, s.issuer.metadata(s.issuer.URL, s.issuer.URL+keysDocument))
		require.Equal(t, 200, send(t, serve(t, p), "POST", "/", header{"Authorization": "Bearer " + s.token()}).status, "corrected")
	}
}

func TestKeysThatWereFetchedAtTheStartAreNotFetchedAgain(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	p := newPolicy(t, Options{Issuer: s.issuer.URL, PublicURL: "https://mcp.example.com", Log: s.log.logger(), now: s.clock.Now})
	p.FetchKeys(t.Context())
	require.Equal(t, 200, send(t, serve(t, p), "POST", "/", header{"Authorization": "Bearer " + s.token()}).status)
	require.Equal(t, 1, s.issuer.fetches(keysDocument))
	newPolicy(t, Options{}).FetchKeys(t.Context()) // there is no issuer
}

func TestKnownKeysAreUsedWhileTheIssuerIsDown(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	require.Equal(t, 200, s.send("/", s.token()).status)
	start := s.issuer.stop()
	unknown := sign(t, signature{key: rsaKey(1), keyID: "k2"}, s.claims())
	for range 3 {
		s.clock.advance(fetchInterval)
		require.Equal(t, 503, s.send("/", unknown).status)
		require.Equal(t, 200, s.send("/", s.token()).status)
		require.Equal(t, 401, s.send("/", s.token("aud", "x")).status)
	}
	start()
	s.issuer.publish("k2", rsaKey(1).Public())
	s.clock.advance(fetchInterval)
	require.Equal(t, 200, s.send("/", unknown).status)
}

func TestAnIssuerThatDoesNotListenIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	token := s.token()
	s.issuer.Close()
	require.Equal(t, 503, s.send("/", token).status)
}

func TestACallerThatDisconnectsDoesNotWaitForTheIssuer(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	arrived, release := make(chan struct{}, 1), make(chan struct{})
	s.issuer.handle(openIDDocument, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-release
	})
	t.Cleanup(func() { close(release) })
	p := newPolicy(t, Options{Issuer: s.issuer.URL, PublicURL: "https://mcp.example.com", now: s.clock.Now})
	ctx, cancel := context.WithCancel(t.Context())
	answered := make(chan int)
	go func() {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(ctx, "POST", "http://localhost/", nil)
		r.Header.Set("Authorization", "Bearer "+s.token())
		p.Admit(w, r)
		answered <- w.Code
	}()
	<-arrived
	cancel()
	require.Equal(t, 503, <-answered)
}

func TestARequestToTheIssuerTimesOut(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	i.handle(keysDocument, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }) // until the client gives up
	source := &keySource{issuer: i.URL, client: i.Client(), timeout: 100 * time.Millisecond, now: time.Now, log: slog.New(slog.DiscardHandler)}
	_, err := source.fetch(t.Context())
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestTheMetadataOfRFC8414IsTriedNext(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	s.issuer.handle(openIDDocument, nil)
	s.issuer.handle(oauthDocument, s.issuer.metadata(s.issuer.URL, s.issuer.URL+keysDocument))
	require.Equal(t, 200, s.send("/", s.token()).status)
}

func TestTheAddressesOfMetadata(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string][2]string{
		"https://a.example":             {"https://a.example/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server"},
		"https://a.example/":            {"https://a.example/.well-known/openid-configuration", "https://a.example/.well-known/oauth-authorization-server"},
		"https://a.example:8443/t/v2.0": {"https://a.example:8443/t/v2.0/.well-known/openid-configuration", "https://a.example:8443/.well-known/oauth-authorization-server/t/v2.0"},
	} {
		openID, oauth := metadataAddresses(issuer)
		require.Equal(t, want, [2]string{openID, oauth})
	}
}

// endless writes until the client disconnects.
func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write([]byte(`{"keys": [` + strings.Repeat("{}, ", 10_000))); err != nil {
			return
		}
	}
}

func TestUnusableAnswersOfTheIssuerAreRefused(t *testing.T) {
	t.Parallel()
	redirect := func(to string) func(*issuer) http.HandlerFunc {
		return func(i *issuer) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, i.URL+to, http.StatusFound) }
		}
	}
	fixed := func(h http.HandlerFunc) func(*issuer) http.HandlerFunc {
		return func(*issuer) http.HandlerFunc { return h }
	}
	for name, row := range map[string]struct {
		path    string
		handler func(*issuer) http.HandlerFunc
		logged  string
	}{
		"metadata of another issuer": {openIDDocument, func(i *issuer) http.HandlerFunc {
			return i.metadata("https://evil.example", i.URL+keysDocument)
		}, `names the issuer \"https://evil.example\"`},
		"keys without TLS":             {openIDDocument, func(i *issuer) http.HandlerFunc { return i.metadata(i.URL, "http://evil.example/keys") }, "must be an https URL"},
		"keys in a file":               {openIDDocument, func(i *issuer) http.HandlerFunc { return i.metadata(i.URL, "file:///etc/passwd") }, "must be an https URL"},
		"no address of keys":           {openIDDocument, func(i *issuer) http.HandlerFunc { return i.metadata(i.URL, "") }, "must be an https URL"},
		"metadata that is HTML":        {openIDDocument, fixed(reply(200, "<html>")), "is not a metadata document"},
		"metadata that is elsewhere":   {openIDDocument, redirect("/elsewhere"), "status 302"},
		"keys that are elsewhere":      {keysDocument, redirect("/elsewhere"), "status 302"},
		"keys that are HTML":           {keysDocument, fixed(reply(200, "<html>")), "does not list keys"},
		"no keys":                      {keysDocument, fixed(reply(200, `{"keys": []}`)), "does not list keys"},
		"another object":               {keysDocument, fixed(reply(200, `{}`)), "does not list keys"},
		"keys that need authorization": {keysDocument, fixed(reply(401, "")), "status 401"},
		"keys without end":             {keysDocument, fixed(endless), "more than 262144 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newOAuthTest(t)
			require.Equal(t, 200, s.send("/", s.token()).status)
			s.issuer.handle(row.path, row.handler(s.issuer))
			s.clock.advance(fetchInterval)
			require.GreaterOrEqual(t, s.send("/", sign(t, signature{keyID: "k2"}, s.claims())).status, 500)
			require.Contains(t, s.log.String(), row.logged)
			require.Equal(t, 200, s.send("/", s.token()).status, "the known key is kept")
		})
	}
}

func TestUnsupportedKeysAreIgnored(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	s.issuer.handle(keysDocument, func(w http.ResponseWriter, r *http.Request) {
		w2 := httptest.NewRecorder()
		s.issuer.serveKeys(w2, r)
		_, _ = w.Write([]byte(strings.Replace(w2.Body.String(), `{"keys":[`, `{"keys":[{"kty":"EC","crv":"secp256k1","alg":"ES256K"},{"kty":"OKP","crv":"X448"},`, 1)))
	})
	require.Equal(t, 200, s.send("/", s.token()).status)
}

func TestACertificateOfAPrivateCAIsAccepted(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	var private *httptest.Server
	private = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == keysDocument {
			s.issuer.serveKeys(w, r)
			return
		}
		s.issuer.metadata(private.URL, private.URL+keysDocument)(w, r)
	}))
	private.Config.ErrorLog = slog.NewLogLogger(s.log.logger().Handler(), slog.LevelDebug)
	private.StartTLS()
	t.Cleanup(private.Close)
	token := s.token("iss", private.URL)
	status := func(roots *x509.CertPool) int {
		p := serve(t, newPolicy(t, Options{Issuer: private.URL, PublicURL: "https://mcp.example.com", RootCAs: roots}))
		return send(t, p, "POST", "/", header{"Authorization": "Bearer " + token}).status
	}
	roots := x509.NewCertPool()
	roots.AddCert(private.Certificate())
	require.Equal(t, 200, status(roots))
	require.Equal(t, 503, status(nil))
}

func TestFetchingKeysLeavesNoGoroutines(t *testing.T) { // not parallel: it counts goroutines
	s := newOAuthTest(t)
	require.Equal(t, 200, s.send("/", s.token()).status)
	forged := forge(s.token())
	before := runtime.NumGoroutine()
	for range 50 {
		s.clock.advance(fetchInterval)
		require.Equal(t, 401, s.send("/", forged).status)
	}
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 10*time.Second, 10*time.Millisecond)
}
