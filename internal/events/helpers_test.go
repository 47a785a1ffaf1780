package events

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const (
	keyA = "a-key-of-at-least-thirty-two-bytes-A"
	keyB = "a-key-of-at-least-thirty-two-bytes-B"

	room      = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" // has no webhooks
	crowded   = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" // has three
	message1  = "IM00000000000000000000000000000001"
	principal = "subject alice"
)

var secret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))

// A logBuffer is a log that may be written and read at the same time.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A site is a server of events, the sandbox in place of Twilio, and a callback.
type site struct {
	t        testing.TB
	server   *Server
	public   *httptest.Server // of the server of events
	sandbox  *httptest.Server
	twilio   *twilioapi.Client
	receiver *receiver
	messages *conversationMessages
	log      *logBuffer
}

func newSite(t testing.TB, change ...func(*Options)) *site {
	t.Helper()
	s := &site{t: t, receiver: newReceiver(t), messages: &conversationMessages{}, log: &logBuffer{}}
	fake := sandbox.New(sandbox.Options{})
	s.sandbox = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/Messages") {
			s.messages.ServeHTTP(w, r)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(s.sandbox.Close)
	var err error
	s.twilio, err = twilioapi.New(twilioapi.Config{
		BaseURL: s.sandbox.URL,
		Sleep:   func(context.Context, time.Duration) error { return nil },
		Credentials: func() (twilioapi.Credentials, error) {
			return twilioapi.Credentials{Username: "SK1", Password: "secret"}, nil
		},
	})
	require.NoError(t, err)
	s.public = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.server.ServeHTTP(w, r) }))
	t.Cleanup(s.public.Close)
	s.start(change...)
	return s
}

// start starts a server of events, in place of the one before.
func (s *site) start(change ...func(*Options)) {
	s.t.Helper()
	o := Options{
		Keys: []string{keyA}, PublicURL: s.public.URL, Twilio: s.twilio, Version: "1",
		AllowedCallbacks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
		Log:              slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, f := range change {
		f(&o)
	}
	server, err := New(o)
	require.NoError(s.t, err)
	if server.deliverer != nil {
		server.deliverer.pause = func(int) time.Duration { return time.Millisecond }
		s.t.Cleanup(func() {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if server.deliverer.ctx.Err() == nil {
				server.Close(ctx)
			}
		})
	}
	s.server = server
}

// params returns the params of a subscription, with changes.
func (s *site) params(event string, changes ...func(map[string]any)) json.RawMessage {
	p := map[string]any{
		"name": event, "arguments": map[string]any{"ConversationSid": room},
		"delivery": map[string]any{"mode": "webhook", "url": s.receiver.URL + "/hook", "secret": secret},
		"cursor":   nil,
	}
	for _, change := range changes {
		change(p)
	}
	raw, err := json.Marshal(p)
	require.NoError(s.t, err)
	return raw
}

func (s *site) call(params json.RawMessage) Call {
	return Call{Twilio: s.twilio, Principal: principal, Params: params}
}

func (s *site) subscribe(event string, changes ...func(map[string]any)) map[string]any {
	s.t.Helper()
	result, err := s.server.Subscribe(s.t.Context(), s.call(s.params(event, changes...)))
	require.NoError(s.t, err)
	return result
}

// problem returns the error of a subscription.
func (s *site) problem(event string, changes ...func(map[string]any)) *Error {
	s.t.Helper()
	_, err := s.server.Subscribe(s.t.Context(), s.call(s.params(event, changes...)))
	return asError(s.t, err)
}

func asError(t testing.TB, err error) *Error {
	t.Helper()
	require.Error(t, err)
	return AsError(err)
}

// webhooks returns those of a conversation.
func (s *site) webhooks(conversation string) []twilioapi.Webhook {
	s.t.Helper()
	all, err := s.twilio.Webhooks(context.Background(), conversation)
	require.NoError(s.t, err)
	return all
}

// fire sends a request as Twilio does, and returns the status of the answer.
func (s *site) fire(address string, params url.Values, header ...string) int {
	s.t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address, strings.NewReader(params.Encode()))
	require.NoError(s.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer res.Body.Close()
	return res.StatusCode
}

// happened are the parameters of an event in the conversation room.
func happened(event string, more ...string) url.Values {
	v := url.Values{"EventType": {event}, "ConversationSid": {room}, "AccountSid": {"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "Source": {"SDK"}}
	for i := 0; i < len(more); i += 2 {
		v.Add(more[i], more[i+1])
	}
	return v
}

// A receiver is a callback that verifies signatures and keeps what it gets.
type receiver struct {
	*httptest.Server
	t testing.TB

	mu       sync.Mutex
	handle   func(got) (status int, body string) // nil: echo challenges, and accept everything
	messages []got
}

// got is a request that a receiver got.
type got struct {
	header http.Header
	body   string
	fields map[string]any
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{t: t}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	g := got{header: req.Header, body: string(body)}
	if err != nil || json.Unmarshal(body, &g.fields) != nil || !isSigned(g) {
		r.t.Errorf("an invalid request: %v %s", req.Header, body)
	}
	r.mu.Lock()
	r.messages = append(r.messages, g)
	handle := r.handle
	r.mu.Unlock()
	if handle == nil {
		handle = echo
	}
	status, answer := handle(g)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

// echo accepts a message, and proves that it wants a verification.
func echo(g got) (int, string) {
	if g.fields["type"] == "verification" {
		answer, _ := json.Marshal(map[string]any{"challenge": g.fields["challenge"]})
		return http.StatusOK, string(answer)
	}
	return http.StatusNoContent, ""
}

// answer makes the receiver answer all but verifications with a status.
func (r *receiver) answer(status int) {
	r.use(func(g got) (int, string) {
		if g.fields["type"] == "verification" {
			return echo(g)
		}
		return status, ""
	})
}

func (r *receiver) use(handle func(got) (int, string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handle = handle
}

// all returns what was received: verifications, other controls or events.
func (r *receiver) all(kind string) (list []got) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, g := range r.messages {
		if t, _ := g.fields["type"].(string); t == kind {
			list = append(list, g)
		}
	}
	return list
}

// await waits until the receiver has got a number of messages of a kind.
func (r *receiver) await(kind string, count int) []got {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.all(kind)) >= count }, 10*time.Second, time.Millisecond)
	list := r.all(kind)
	require.Len(r.t, list, count)
	return list
}

// awaitSome waits until the receiver has got a message of a kind.
func (r *receiver) awaitSome(kind string) {
	r.t.Helper()
	require.Eventually(r.t, func() bool { return len(r.all(kind)) > 0 }, 10*time.Second, time.Millisecond)
}

// isSigned verifies a message as https://www.standardwebhooks.com says.
func isSigned(g got) bool {
	raw, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	mac := hmac.New(sha256.New, raw)
	mac.Write([]byte(g.header.Get("webhook-id") + "." + g.header.Get("webhook-timestamp") + "." + g.body))
	return g.header.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) &&
		g.header.Get("Content-Type") == "application/json" && strings.HasPrefix(g.header.Get("X-MCP-Subscription-Id"), "sub_")
}

// awaitEnded waits until no webhook of an ended subscription is being removed.
func (s *site) awaitEnded() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		s.server.ending.mu.Lock()
		defer s.server.ending.mu.Unlock()
		return len(s.server.ending.counts) == 0
	}, 10*time.Second, time.Millisecond)
}

// newExchange returns a request of Twilio and what records its answer.
func newExchange(t testing.TB, address string, params url.Values) (*httptest.ResponseRecorder, *http.Request) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, address, strings.NewReader(params.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return httptest.NewRecorder(), r
}
