package twilioapi_test

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

// listen starts a server that handles each connection with serve, and returns its
// base URL.
func listen(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// A response of 101 keeps its connection open. Nothing is read from it, so that
// any number of them leaves a client that works.
func TestAResponseOfStatus101IsAnErrorAtOnce(t *testing.T) {
	t.Parallel()
	const calls = 32
	var answered atomic.Int32
	base := listen(t, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			if answered.Add(1) > 2*calls {
				fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(emptyList), emptyList)
				continue
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
			_, _ = io.Copy(io.Discard, in) // until the client closes the connection
			return
		}
	})
	client, err := twilioapi.New(twilioapi.Config{BaseURL: base, Connections: calls, Credentials: give("a", "b"), Timeout: time.Hour, Sleep: noSleep})
	require.NoError(t, err)
	var all sync.WaitGroup
	for range calls {
		all.Go(func() {
			_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
			if e, ok := err.(*twilioapi.Error); !ok || e.Status != 101 {
				t.Error(err)
			}
			_, err = client.DeleteWebhook(t.Context(), "room", webhookSID)
			if e, ok := err.(*twilioapi.Error); !ok || e.Status != 101 {
				t.Error(err)
			}
		})
	}
	all.Wait()
	_, err = client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	require.NoError(t, err)
}

// twice serves a connection of a faulty server, which sends each response twice,
// the second time a little later.
func twice(respond func(*http.Request) (status int, body string)) func(net.Conn) {
	var n atomic.Int64
	return func(conn net.Conn) {
		for in := bufio.NewReader(conn); ; {
			req, err := http.ReadRequest(in)
			if err != nil || req.ParseForm() != nil {
				return
			}
			status, body := respond(req)
			response := fmt.Sprintf("HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
			_, _ = io.WriteString(conn, response)
			for until := time.Now().Add(time.Duration(50+n.Add(1)%150) * time.Microsecond); time.Now().Before(until); {
			}
			_, _ = io.WriteString(conn, response)
		}
	}
}

func TestAResponseThatIsSentTwiceIsNotThatOfTheNextWrite(t *testing.T) {
	t.Parallel()
	var n, refused atomic.Int64
	var applied sync.Map
	base := listen(t, twice(func(r *http.Request) (int, string) {
		url := r.Form.Get("Configuration.Url")
		id := n.Add(1)
		if id%5 == 0 {
			refused.Add(1)
			return 429, `{"code":20429}`
		}
		if _, twice := applied.LoadOrStore(url, true); twice {
			t.Error("created twice: ", url)
		}
		return 201, fmt.Sprintf(`{"sid":"WH%032x","target":"trigger","configuration":{"url":"%s","method":"POST","triggers":["a"]}}`, id, url)
	}))
	client, err := twilioapi.New(twilioapi.Config{BaseURL: base, Credentials: give("a", "b"), Sleep: noSleep})
	require.NoError(t, err)
	concurrently(t, func(id string) error {
		result, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "trigger", URL: &id, Triggers: []string{"a"}})
		if e, ok := err.(*twilioapi.Error); ok && e.Status == 429 {
			return nil // four times
		}
		if err == nil && result.Differs != nil {
			return fmt.Errorf("got the response of another create: %s", result.JSON)
		}
		return err
	})
	require.NotZero(t, refused.Load())
}

func TestAResponseThatIsSentTwiceIsNotThatOfAnotherCallersRead(t *testing.T) {
	t.Parallel()
	base := listen(t, twice(func(r *http.Request) (int, string) {
		return 200, fmt.Sprintf(`{"webhooks":[],"path":"%s"}`, r.URL.Path)
	}))
	client, err := twilioapi.New(twilioapi.Config{BaseURL: base, Credentials: give("a", "b"), Sleep: noSleep, IsolateReads: true})
	require.NoError(t, err)
	concurrently(t, func(id string) error {
		result, err := client.ListWebhooks(t.Context(), id, twilioapi.Page{})
		if err == nil && !strings.Contains(string(result.JSON), "/"+id+"/") {
			return fmt.Errorf("got the response of another read: %s", result.JSON)
		}
		return err
	})
}

// concurrently calls f with a number of different IDs.
func concurrently(t *testing.T, f func(id string) error) {
	t.Helper()
	const callers, calls = 4, 100
	var all sync.WaitGroup
	for caller := range callers {
		all.Go(func() {
			for call := range calls {
				if err := f(fmt.Sprintf("id-%d-%d", caller, call)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func TestConnectionsAreSharedOnlyWhereResponsesCannotBeMixedUp(t *testing.T) {
	t.Parallel()
	const calls = 5
	for _, row := range []struct {
		name                  string
		tls, http2, isolate   bool
		afterReads, afterBoth int32 // connections
	}{
		{"HTTP/1.1", false, false, false, 1, 1 + calls},
		{"HTTP/1.1, isolated reads", false, false, true, calls, 2 * calls},
		{"HTTP/1.1 over TLS", true, false, false, 1, 1 + calls},
		{"HTTP/1.1 over TLS, isolated reads", true, false, true, calls, 2 * calls},
		{"HTTP/2", true, true, false, 1, 2},
		{"HTTP/2, isolated reads", true, true, true, 1, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			srv, opened := startServer(t, row.tls, row.http2)
			client, err := twilioapi.New(twilioapi.Config{BaseURL: srv.URL, RootCAs: trust(srv), Credentials: give("a", "b"), IsolateReads: row.isolate})
			require.NoError(t, err)
			for range calls {
				_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
				require.NoError(t, err)
			}
			require.Equal(t, row.afterReads, opened.Load())
			for range calls {
				_, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
				require.NoError(t, err)
			}
			require.Equal(t, row.afterBoth, opened.Load())
		})
	}
}

// A response to a read that decides about a write must not be that of another read.
func TestReadsThatDecideAboutAWriteAreIsolated(t *testing.T) {
	t.Parallel()
	srv, opened := startServer(t, false, false)
	client, err := twilioapi.New(twilioapi.Config{BaseURL: srv.URL, Credentials: give("a", "b")})
	require.NoError(t, err)
	require.NoError(t, list(t, client))
	_, err = client.EnsureWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
	require.NoError(t, err)
	require.EqualValues(t, 3, opened.Load())

	f := newFaulty(t, nil)
	webhook := f.createElsewhere(t, trigger("help"))
	_, err = f.FetchWebhook(t.Context(), room, webhook)
	require.NoError(t, err)
	before := f.opened.Load()
	f.faults <- appliedAndLost
	_, err = f.UpdateWebhook(t.Context(), room, webhook, twilioapi.WebhookUpdate{Method: ptr("get")})
	require.NoError(t, err)
	f.faults <- appliedAndLost
	_, err = f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	require.EqualValues(t, 4, f.opened.Load()-before)
}

// startServer starts a server that answers lists and creates, and counts its
// connections.
func startServer(t testing.TB, secure, http2 bool) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	opened, created := new(atomic.Int32), new(atomic.Int64)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if want := map[bool]int{false: 1, true: 2}[http2]; r.ProtoMajor != want {
			t.Errorf("HTTP/%d", r.ProtoMajor)
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, emptyList)
			return
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"sid":"WH%032x"}`, created.Add(1))
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.EnableHTTP2 = http2
	if secure {
		srv.StartTLS()
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv, opened
}

func TestACertificateIsVerifiedWithTheGivenAuthorities(t *testing.T) {
	t.Parallel()
	srv, _ := startServer(t, true, false)
	for _, trusted := range []bool{false, true} {
		config := twilioapi.Config{BaseURL: srv.URL, Credentials: give("a", "b"), Sleep: noSleep}
		if trusted {
			config.RootCAs = trust(srv)
		}
		client, err := twilioapi.New(config)
		require.NoError(t, err)
		for _, err := range []error{list(t, client), create(t, client)} {
			if trusted {
				require.NoError(t, err)
				continue
			}
			require.ErrorAs(t, err, new(*tls.CertificateVerificationError))
			failure := requireOutcome(t, twilioapi.NotSent, err)
			require.ErrorIs(t, err, twilioapi.ErrCertificate)
			require.True(t, failure.Permanent)
			require.Equal(t, 1, failure.Attempts)
		}
	}
}

func list(t *testing.T, c *twilioapi.Client) error {
	_, err := c.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	return err
}

func create(t *testing.T, c *twilioapi.Client) error {
	_, err := c.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
	return err
}

func TestPlaintextReportsCredentialsThatLeaveTheMachineUnencrypted(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]bool{
		"": false, "https://twilio.example": false, "https://192.0.2.1": false,
		"http://localhost:8081": false, "http://127.0.0.1": false, "http://127.9.9.9": false, "http://[::1]:8081": false,
		"http://twilio.example": true, "http://192.0.2.1:8081": true, "http://localhost.example": true, "http://[::2]": true,
	} {
		client, err := twilioapi.New(twilioapi.Config{BaseURL: base})
		require.NoError(t, err)
		require.Equal(t, want, client.Plaintext(), base)
	}
}

// proxyRun is what a process with proxy variables in its environment is asked to
// do, and what it reports. net/http reads these variables once per process.
type proxyRun struct {
	BaseURL     string
	Certificate []byte
	Errors      []string
}

const proxyRunVariable = "TWILIOAPI_TEST_PROXY_RUN"

// TestProxyRun is the process that [runWithEnvironment] starts.
func TestProxyRun(t *testing.T) {
	text, ok := os.LookupEnv(proxyRunVariable)
	if !ok {
		return
	}
	var run proxyRun
	require.NoError(t, json.Unmarshal([]byte(text), &run))
	certificate, err := x509.ParseCertificate(run.Certificate)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	client, err := twilioapi.New(twilioapi.Config{
		BaseURL: run.BaseURL, RootCAs: roots, Credentials: give("SK1", "secret"), Sleep: noSleep, Timeout: 10 * time.Second,
	})
	require.NoError(t, err)
	for _, err := range []error{list(t, client), create(t, client)} {
		run.Errors = append(run.Errors, fmt.Sprint(err))
	}
	report, err := json.Marshal(run)
	require.NoError(t, err)
	fmt.Printf("\n%s%s\n", proxyRunVariable, report)
}

// runWithEnvironment lists and creates in a process with these variables, and
// returns the errors.
func runWithEnvironment(t *testing.T, run proxyRun, environment ...string) []string {
	t.Helper()
	arguments, err := json.Marshal(run)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProxyRun$", "-test.v")
	cmd.Env = append([]string{proxyRunVariable + "=" + string(arguments)}, environment...)
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	_, report, ok := strings.Cut(string(out), "\n"+proxyRunVariable)
	require.True(t, ok, string(out))
	report, _, _ = strings.Cut(report, "\n")
	require.NoError(t, json.Unmarshal([]byte(report), &run))
	return run.Errors
}

// startProxy starts a CONNECT proxy that needs a password. It connects every
// client to target, and reports the targets that it was asked for.
func startProxy(t *testing.T, authorization, target string) (address string, asked <-chan string) {
	t.Helper()
	targets := make(chan string, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets <- r.Method + " " + r.Host
		client, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer client.Close()
		if got := r.Header.Get("Proxy-Authorization"); got != authorization {
			fmt.Fprintf(client, "HTTP/1.1 407 no %s\r\n\r\n", got) // shows what it was sent
			return
		}
		server, err := net.Dial("tcp", target)
		if err != nil {
			t.Error(err)
			return
		}
		defer server.Close()
		_, _ = io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
		go func() { _, _ = io.Copy(server, client) }()
		_, _ = io.Copy(client, server)
	}))
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String(), targets
}

func TestProxiesAreChosenByTheEnvironment(t *testing.T) {
	t.Parallel()
	const user, password = "proxyuser", `p@ss"word`
	basic := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	srv, opened := startServer(t, true, false)
	address, asked := startProxy(t, "Basic "+basic, srv.Listener.Addr().String())
	// The test certificate is for example.com, which only the proxy resolves.
	run := proxyRun{BaseURL: "https://example.com", Certificate: srv.Certificate().Raw}

	require.Equal(t, []string{"<nil>", "<nil>"}, runWithEnvironment(t, run, "HTTPS_PROXY=http://proxyuser:p%40ss%22word@"+address))
	require.EqualValues(t, 2, opened.Load())
	require.Equal(t, "CONNECT example.com:443", <-asked)
	require.Equal(t, "CONNECT example.com:443", <-asked)

	for _, err := range runWithEnvironment(t, run, "HTTPS_PROXY=http://proxyuser:p%40ss%22wrong@"+address) {
		require.Contains(t, err, "no Basic [secret]")
		require.NotContains(t, err, "ss\"wrong")
	}
	require.Len(t, asked, 2, "what the proxy refuses it refuses again")
	dead := runWithEnvironment(t, run, "HTTPS_PROXY=http://127.0.0.1:1")
	for _, err := range dead {
		require.Contains(t, err, "proxyconnect tcp: ")
	}

	direct := proxyRun{BaseURL: srv.URL, Certificate: run.Certificate}
	for name, environment := range map[string][]string{
		"loopback": {"HTTPS_PROXY=http://" + address},
		"NO_PROXY": {"HTTPS_PROXY=http://" + address, "NO_PROXY=127.0.0.0/8"},
	} {
		require.Equal(t, []string{"<nil>", "<nil>"}, runWithEnvironment(t, direct, environment...), name)
	}
	bypassed := proxyRun{BaseURL: "https://twilio.invalid", Certificate: run.Certificate} // a name that never resolves
	for _, err := range runWithEnvironment(t, bypassed, "HTTPS_PROXY=http://"+address, "NO_PROXY=.invalid") {
		require.Contains(t, err, "lookup twilio.invalid")
	}
	require.Len(t, asked, 2, "no other request used the proxy")
}

func BenchmarkCost(b *testing.B) {
	for _, row := range []struct {
		name                         string
		http2, isolateReads, isWrite bool
	}{
		{"list/HTTP1", false, false, false},
		{"list/HTTP1-isolated", false, true, false},
		{"create/HTTP1", false, false, true},
		{"list/HTTP2", true, false, false},
		{"list/HTTP2-isolated", true, true, false},
		{"create/HTTP2", true, false, true},
	} {
		b.Run(row.name, func(b *testing.B) {
			srv, _ := startServer(b, true, row.http2)
			client, err := twilioapi.New(twilioapi.Config{BaseURL: srv.URL, RootCAs: trust(srv), Credentials: give("a", "b"), IsolateReads: row.isolateReads})
			require.NoError(b, err)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if row.isWrite {
					_, err = client.CreateWebhook(b.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
				} else {
					_, err = client.ListWebhooks(b.Context(), "room", twilioapi.Page{})
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
