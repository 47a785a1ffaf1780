package twilioapi_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

// once handles the first request by one handler and the others by another.
func once(first, then http.HandlerFunc) http.HandlerFunc {
	var asked atomic.Bool
	return func(w http.ResponseWriter, r *http.Request) {
		if asked.Swap(true) {
			then(w, r)
		} else {
			first(w, r)
		}
	}
}

func reset(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func truncated(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, "{")
}

// TestRetries has the table of mayRepeat.
func TestRetries(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name              string
		first             http.HandlerFunc
		get, post, delete int // how often each is sent
	}{
		{"429", reply(429, `{"code":20429}`), 2, 2, 2},
		{"502", reply(502, "<html>"), 2, 1, 2},
		{"503", reply(503, `{"code":20503}`), 2, 1, 2},
		{"504", reply(504, ""), 2, 1, 2},
		{"reset", reset, 2, 1, 2},
		{"truncated", truncated, 2, 1, 2},
		{"500", reply(500, `{"code":20500}`), 1, 1, 1},
		{"400", reply(400, `{"code":50365}`), 1, 1, 1},
		{"401", reply(401, `{"code":20003}`), 1, 1, 1},
		{"404", reply(404, `{"code":20404}`), 1, 1, 1},
		{"408", reply(408, ""), 1, 1, 1},
		{"307", reply(307, ""), 1, 1, 1},
		{"HTML", reply(200, "<html>"), 1, 1, 2},
		{"another webhook", reply(200, `{"sid":"WHffffffffffffffffffffffffffffffff","webhooks":7}`), 1, 1, 2},
	} {
		for name, call := range map[string]func(*twilioapi.Client) error{
			"list": func(c *twilioapi.Client) error {
				_, err := c.ListWebhooks(t.Context(), "room", twilioapi.Page{})
				return err
			},
			"fetch": func(c *twilioapi.Client) error {
				_, err := c.FetchWebhook(t.Context(), "room", webhookSID)
				return err
			},
			"create": func(c *twilioapi.Client) error {
				_, err := c.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
				return err
			},
			"update": func(c *twilioapi.Client) error {
				_, err := c.UpdateWebhook(t.Context(), "room", webhookSID, twilioapi.WebhookUpdate{URL: ptr("x")})
				return err
			},
			"delete": func(c *twilioapi.Client) error {
				_, err := c.DeleteWebhook(t.Context(), "room", webhookSID)
				return err
			},
		} {
			t.Run(row.name+" "+name, func(t *testing.T) {
				t.Parallel()
				client, got := record(t, twilioapi.Config{}, once(row.first, func(w http.ResponseWriter, r *http.Request) {
					reply(200, `{"sid":"`+webhookSID+`","webhooks":[]}`)(w, r)
				}))
				err := call(client)
				method, sent := first(got)
				want := map[string]int{"GET": row.get, "POST": row.post, "DELETE": row.delete}[method]
				require.Equal(t, want, sent)
				if method != "POST" {
					require.Equal(t, want == 2, err == nil, err)
				}
			})
		}
	}
}

// first returns the method of the first request, and how many requests have it.
func first(got <-chan request) (method string, n int) {
	for range len(got) {
		r := <-got
		if method == "" {
			method = r.method
		}
		if r.method == method {
			n++
		}
	}
	return method, n
}

func TestAttemptsAreLimited(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, reply(429, `{"code":20429}`))
	_, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
	require.Equal(t, 4, twilioError(t, err).Attempts)
	require.Len(t, got, 4)

	client, err = twilioapi.New(twilioapi.Config{BaseURL: "http://127.0.0.1:1", Credentials: give("a", "b"), Sleep: noSleep})
	require.NoError(t, err)
	_, err = client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
	noAnswer := requireOutcome(t, twilioapi.NotSent, err)
	require.Equal(t, 4, noAnswer.Attempts, "a request that was never sent may be repeated")
}

func TestRetryAfterIsHonored(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		header  string
		atLeast time.Duration
		atMost  time.Duration
	}{
		"seconds": {"7", 7 * time.Second, 7 * time.Second},
		"date":    {"in 9 s", 8 * time.Second, 9 * time.Second},
		"none":    {"", 0, 500 * time.Millisecond},
		"junk":    {"soon", 0, 500 * time.Millisecond},
		"past":    {"Wed, 21 Oct 2015 07:28:00 GMT", 0, 500 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var waited time.Duration
			sleep := func(_ context.Context, d time.Duration) error { waited = d; return nil }
			client, _ := record(t, twilioapi.Config{Sleep: sleep}, once(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", row.header)
				if row.header == "in 9 s" {
					w.Header().Set("Retry-After", time.Now().Add(9*time.Second).UTC().Format(http.TimeFormat))
				}
				reply(429, "{}")(w, r)
			}, reply(200, emptyList)))
			_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
			require.NoError(t, err)
			require.GreaterOrEqual(t, waited, row.atLeast)
			require.LessOrEqual(t, waited, row.atMost)
		})
	}
}

func TestAWaitLongerThanTheTimeoutIsNotStarted(t *testing.T) {
	t.Parallel()
	sleep := func(_ context.Context, d time.Duration) error { t.Errorf("waited %v", d); return nil }
	client, got := record(t, twilioapi.Config{Timeout: 10 * time.Second, Sleep: sleep}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3600")
		reply(429, `{"code":20429}`)(w, r)
	})
	_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	require.Equal(t, 429, twilioError(t, err).Status, "the last error is returned")
	require.Equal(t, time.Hour, twilioError(t, err).RetryAfter)
	require.Len(t, got, 1)
}

func TestACallThatIsCancelledWhileItWaitsReturnsTheLastError(t *testing.T) {
	t.Parallel()
	sleep := func(context.Context, time.Duration) error { return context.Canceled }
	client, got := record(t, twilioapi.Config{Sleep: sleep}, reply(503, `{"code":20503}`))
	_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	require.Equal(t, 20503, twilioError(t, err).Code)
	require.Len(t, got, 1)
}

func TestACancelledCreateIsNotRetried(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	sleep := func(context.Context, time.Duration) error { cancel(); return nil }
	client, got := record(t, twilioapi.Config{Sleep: sleep}, reply(429, `{"code":20429}`))
	_, err := client.CreateWebhook(ctx, "room", twilioapi.NewWebhook{Target: "studio"})
	require.Equal(t, 20429, twilioError(t, err).Code)
	require.Len(t, got, 1)
}

// During a TLS handshake the create cannot have reached Twilio.
func TestACreateIsCancelledBeforeItIsSent(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = ln.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := ln.Accept()
		cancel()
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	client, err := twilioapi.New(twilioapi.Config{BaseURL: "https://" + ln.Addr().String(), Credentials: give("a", "b")})
	require.NoError(t, err)
	_, err = client.CreateWebhook(ctx, "room", twilioapi.NewWebhook{Target: "studio"})
	requireOutcome(t, twilioapi.NotSent, err)
	require.ErrorIs(t, err, context.Canceled)
}

// net/http would by itself send a body again to a peer that resets the stream with
// one of these codes. This peer carries out the requests that it resets.
func TestACreateIsSentOnceOverHTTP2(t *testing.T) {
	t.Parallel()
	for name, code := range map[string]byte{"PROTOCOL_ERROR": 1, "INTERNAL_ERROR": 2, "REFUSED_STREAM": 7} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewUnstartedServer(nil)
			srv.StartTLS() // for its certificate
			t.Cleanup(srv.Close)
			ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: srv.TLS.Certificates, NextProtos: []string{"h2"}})
			require.NoError(t, err)
			t.Cleanup(func() { _ = ln.Close() })
			var creates atomic.Int32
			go func() {
				for {
					conn, err := ln.Accept()
					if err != nil {
						return
					}
					go resetStreams(conn, code, &creates)
				}
			}()
			client, err := twilioapi.New(twilioapi.Config{
				BaseURL: "https://" + ln.Addr().String(), Credentials: give("a", "b"), Timeout: time.Second, Sleep: noSleep,
				RootCAs: trust(srv),
			})
			require.NoError(t, err)
			_, err = client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
			requireOutcome(t, twilioapi.Unknown, err)
			require.EqualValues(t, 1, creates.Load())
		})
	}
}

// trust returns the authorities that accept a test server's certificate.
func trust(srv *httptest.Server) *x509.CertPool {
	roots := x509.NewCertPool()
	if certificate := srv.Certificate(); certificate != nil {
		roots.AddCert(certificate)
	}
	return roots
}

// resetStreams is a minimal HTTP/2 server: it counts the requests whose body was
// complete, and resets each request.
func resetStreams(conn net.Conn, code byte, creates *atomic.Int32) {
	defer conn.Close()
	const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	in := bufio.NewReader(conn)
	_, _ = in.Discard(len(preface))
	_, _ = conn.Write([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}) // SETTINGS
	for {
		var head [9]byte
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		_, _ = in.Discard(int(head[0])<<16 | int(head[1])<<8 | int(head[2]))
		const data, headers, settings, endStream = 0, 1, 4, 1
		switch kind, flags := head[3], head[4]; {
		case kind == settings && flags == 0:
			_, _ = conn.Write([]byte{0, 0, 0, settings, 1, 0, 0, 0, 0})
		case (kind == data || kind == headers) && flags&endStream != 0:
			if kind == data {
				creates.Add(1)
			}
			_, _ = conn.Write(append(append([]byte{0, 0, 4, 3, 0}, head[5:]...), 0, 0, 0, code)) // RST_STREAM
		}
	}
}
