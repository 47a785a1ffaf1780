package access

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A clock does not advance unless a test advances it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

// newClock returns a clock that shows the present, so that what is real in a
// test, such as certificates, is valid.
func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// A logBuffer holds what was logged.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// newPolicy returns the policy of valid options.
func newPolicy(t testing.TB, o Options) *Policy {
	t.Helper()
	p, err := New(o)
	require.NoError(t, err)
	return p
}

// serve answers requests as a server with a policy does: the caller's name if a
// request is admitted. Requests to /write require the scope to write.
func serve(t testing.TB, p *Policy) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.ServeWellKnown(w, r) {
			return
		}
		if r.URL.Path == "/register" {
			http.NotFound(w, r)
			return
		}
		c, ok := p.Admit(w, r)
		if !ok {
			return
		}
		if r.URL.Path == "/write" && !c.Allows(ScopeWrite) {
			p.RefuseScope(w, c, ScopeWrite)
			return
		}
		_, _ = io.WriteString(w, "admitted "+c.Name+c.Username)
	}))
	t.Cleanup(s.Close)
	return s
}

type header map[string]string

// A response is what a test compares of an HTTP response.
type response struct {
	status int
	header http.Header
	body   string
}

// send makes a request. The header Host sets the host of the request.
func send(t testing.TB, s *httptest.Server, method, path string, h header) response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
	require.NoError(t, err)
	for name, value := range h {
		req.Header.Set(name, value)
	}
	if host, ok := h["Host"]; ok {
		req.Host = host
	}
	res, err := s.Client().Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return response{res.StatusCode, res.Header, string(body)}
}

func TestInvalidOptionsAreRefused(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef"
	oauth := func(change func(*Options)) Options {
		o := Options{Issuer: "https://login.example.com", PublicURL: "https://mcp.example.com"}
		change(&o)
		return o
	}
	for name, row := range map[string]struct {
		options Options
		option  string
		message string
	}{
		"a host that is a URL":           {Options{AllowedHosts: []string{"https://mcp.example.com"}}, "AllowedHosts", "such as mcp.example.com"},
		"an empty host":                  {Options{AllowedHosts: []string{""}}, "AllowedHosts", `""`},
		"a host with a wildcard":         {Options{AllowedHosts: []string{"*.example.com"}}, "AllowedHosts", "*.example.com"},
		"a host with a bad port":         {Options{AllowedHosts: []string{"example.com:https"}}, "AllowedHosts", "example.com:https"},
		"an origin without scheme":       {Options{AllowedOrigins: []string{"app.example.com"}}, "AllowedOrigins", "such as https://app.example.com"},
		"an origin with a path":          {Options{AllowedOrigins: []string{"https://app.example.com/x"}}, "AllowedOrigins", "https://app.example.com/x"},
		"the origin null":                {Options{AllowedOrigins: []string{"null"}}, "AllowedOrigins", "null"},
		"tokens and credentials":         {Options{Tokens: []string{token}, CallerCredentials: true}, "CallerCredentials", "tokens"},
		"a token file and an issuer":     {oauth(func(o *Options) { o.TokenFile = "tokens" }), "Issuer", "tokens"},
		"tokens and an issuer":           {oauth(func(o *Options) { o.Tokens = []string{token} }), "Issuer", "tokens"},
		"credentials and an issuer":      {oauth(func(o *Options) { o.CallerCredentials = true }), "Issuer", "credentials"},
		"an issuer without scheme":       {oauth(func(o *Options) { o.Issuer = "login.example.com" }), "Issuer", "https://"},
		"an issuer without TLS":          {oauth(func(o *Options) { o.Issuer = "http://login.example.com" }), "Issuer", "https"},
		"an issuer with a query":         {oauth(func(o *Options) { o.Issuer += "?a=b" }), "Issuer", "without user name, query"},
		"an issuer with a password":      {oauth(func(o *Options) { o.Issuer = "https://a:b@login.example.com" }), "Issuer", "without user name"},
		"no public URL":                  {oauth(func(o *Options) { o.PublicURL = "" }), "PublicURL", "https://"},
		"a public URL without TLS":       {oauth(func(o *Options) { o.PublicURL = "http://mcp.example.com" }), "PublicURL", "https"},
		"a public URL with a query":      {Options{PublicURL: "https://mcp.example.com?a=b"}, "PublicURL", "without user name, query"},
		"a public URL of another scheme": {Options{PublicURL: "ftp://mcp.example.com"}, "PublicURL", "https://"},
		"no token file":                  {Options{TokenFile: "/nonexistent/tokens"}, "TokenFile", "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(row.options)
			invalid, ok := errors.AsType[*OptionError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, row.option, invalid.Option)
			require.ErrorContains(t, invalid, row.option+": ")
			require.ErrorContains(t, errors.Unwrap(err), row.message)
			require.NotContains(t, err.Error(), token)
		})
	}
}

func TestWithoutCredentialsEveryoneIsAdmitted(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{}))
	require.Equal(t, response{status: 200, body: "admitted "}, withoutHeader(send(t, s, "POST", "/", nil)))
	require.Equal(t, 200, send(t, s, "POST", "/write", nil).status)
}

func withoutHeader(r response) response {
	r.header = nil
	return r
}
