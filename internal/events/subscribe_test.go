package events

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

func set(path string, value any) func(map[string]any) {
	return func(p map[string]any) {
		if first, rest, ok := strings.Cut(path, "."); ok {
			inner := p[first].(map[string]any)
			if p = inner; value == nil {
				delete(inner, rest)
				return
			}
			path = rest
		}
		p[path] = value
	}
}

func TestASubscriptionIsAWebhookOfTheConversation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	result := s.subscribe("onMessageUpdated")
	require.Regexp(t, `^sub_[0-9a-f]{32}$`, result["id"])
	require.Equal(t, false, result["truncated"])
	require.Nil(t, result["cursor"], "the event cannot be polled")
	expires, err := time.Parse(time.RFC3339, result["refreshBefore"].(string))
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(defaultTTL), expires, time.Minute)

	all := s.webhooks(room)
	require.Len(t, all, 1)
	require.Equal(t, []string{"onMessageUpdated"}, all[0].Filters)
	require.Equal(t, "webhook", all[0].Target)
	require.True(t, strings.HasPrefix(all[0].URL, s.public.URL+Path))
	require.LessOrEqual(t, len(all[0].URL), maxURL)
	for _, hidden := range []string{"hook", "whsec", "0123456789", "alice"} {
		require.NotContains(t, strings.TrimPrefix(all[0].URL, s.public.URL), hidden)
	}
	v := s.receiver.await("verification", 1)[0]
	require.Equal(t, result["id"], v.header.Get("X-MCP-Subscription-Id"))
	require.True(t, strings.HasPrefix(v.header.Get("webhook-id"), "msg_verification_"))
}

// The same subscription again keeps its webhook and its id, and gets a new token. A
// callback that is verified is not asked again.
func TestASubscriptionIsRefreshed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	first := s.subscribe("onMessageUpdated")
	before := s.webhooks(room)
	second := s.subscribe("onMessageUpdated", set("ttlMs", 7200000))
	after := s.webhooks(room)
	require.Len(t, after, 1)
	require.Equal(t, before[0].SID, after[0].SID)
	require.NotEqual(t, before[0].URL, after[0].URL)
	require.Equal(t, first["id"], second["id"])
	require.NotEqual(t, first["refreshBefore"], second["refreshBefore"])
	s.receiver.await("verification", 1)

	other := "whsec_" + strings.Repeat("A", 32)
	s.receiver.t = ignoreSignatures{t}
	s.receiver.use(echo)
	s.subscribe("onMessageUpdated", set("delivery.secret", other))
	require.Len(t, s.webhooks(room), 1)
	require.Equal(t, strings.Repeat("\x00", 24), s.server.open(s.webhooks(room)[0].URL).secret)
	require.Len(t, s.receiver.all("verification"), 2, "a new secret is verified")
}

// ignoreSignatures ignores that a message has another signature.
type ignoreSignatures struct{ testing.TB }

func (ignoreSignatures) Errorf(string, ...any) {}

func TestSubscriptionsThatDifferInAnythingAreDifferent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ids := map[any]bool{s.subscribe("onMessageUpdated")["id"]: true}
	ids[s.subscribe("onMessageRemoved")["id"]] = true
	ids[s.subscribe("onMessageUpdated", set("delivery.url", s.receiver.URL+"/other"))["id"]] = true
	result, err := s.server.Subscribe(t.Context(), Call{Twilio: s.twilio, Principal: "subject bob", Params: s.params("onMessageUpdated")})
	require.NoError(t, err)
	ids[result["id"]] = true
	require.Len(t, ids, 4)
	require.Len(t, s.webhooks(room), 4)
	s.receiver.await("verification", 4)
}

func TestTheLifetimeIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for ttl, want := range map[any]time.Duration{
		nil: longestTTL, 0: shortestTTL, 1000: shortestTTL, 7_200_000: 2 * time.Hour, 1 << 50: longestTTL,
	} {
		result := s.subscribe("onMessageUpdated", set("ttlMs", ttl))
		expires, err := time.Parse(time.RFC3339, result["refreshBefore"].(string))
		require.NoError(t, err)
		require.WithinDuration(t, time.Now().Add(want), expires, time.Minute, "%v", ttl)
	}
}

// Many at once, and the webhook is made once.
func TestSubscribersAtTheSameTimeMakeOneWebhook(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var all sync.WaitGroup
	for range 12 {
		all.Go(func() {
			_, err := s.server.Subscribe(t.Context(), s.call(s.params("onMessageUpdated")))
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.Len(t, s.webhooks(room), 1)
}

// Copies that share no lock may make two webhooks. The next refresh removes one.
func TestARefreshLeavesOneWebhook(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook("onMessageUpdated")
	token, ok := s.server.sealer.seal(s.server.open(hook))
	require.True(t, ok)
	address := s.public.URL + Path + token
	_, err := s.twilio.CreateWebhook(t.Context(), room, twilioapi.NewWebhook{Target: "webhook", URL: &address, Filters: []string{"onMessageUpdated"}})
	require.NoError(t, err)
	require.Len(t, s.webhooks(room), 2)
	s.subscribe("onMessageUpdated")
	require.Len(t, s.webhooks(room), 1)
}

func TestTwilioKeepsTheMethodAndTheFilterOfASubscription(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.subscribe("onMessageUpdated")
	w := s.webhooks(room)[0]
	method := "get"
	_, err := s.twilio.UpdateWebhook(t.Context(), room, w.SID, twilioapi.WebhookUpdate{Method: &method, Filters: []string{messageAdded}})
	require.NoError(t, err)
	s.subscribe("onMessageUpdated")
	require.Equal(t, []string{"onMessageUpdated"}, s.webhooks(room)[0].Filters)
}

func TestAConversationWithFiveWebhooksIsFull(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.subscribe("onMessageUpdated", set("arguments.ConversationSid", crowded))
	address := s.public.URL + Path + strings.Repeat("A", 200)
	_, err := s.twilio.CreateWebhook(t.Context(), crowded, twilioapi.NewWebhook{Target: "webhook", URL: &address, Filters: []string{messageAdded}})
	require.NoError(t, err)
	problem := s.problem("onMessageRemoved", set("arguments.ConversationSid", crowded))
	require.Equal(t, codeExhausted, problem.Code)
	require.Equal(t, map[string]any{"limit": "webhooks", "max": 5}, problem.Data)
	for _, w := range s.webhooks(crowded) {
		require.Contains(t, problem.Message, w.SID)
	}
	require.Contains(t, problem.Message, "(target studio)")
	require.Contains(t, problem.Message, "(subscription to onMessageUpdated)")
	require.Contains(t, problem.Message, "(subscription that no key of this server opens)")
	s.receiver.await("verification", 1) // the callback is not asked in vain

	s.subscribe("onMessageUpdated", set("arguments.ConversationSid", crowded))
	s.server.now = func() time.Time { return time.Now().Add(defaultTTL + time.Minute) }
	s.subscribe("onMessageRemoved", set("arguments.ConversationSid", crowded))
	require.Len(t, s.webhooks(crowded), 5, "the place of an expired subscription is free")
}

func TestACallbackThatIsNotVerifiedGetsNothing(t *testing.T) {
	t.Parallel()
	for reason, answer := range map[string]struct {
		status int
		body   string
	}{
		"http_4xx": {404, ""}, "http_5xx": {503, `{"challenge":"x"}`}, "challenge_failed": {200, `{"challenge":"x"}`},
		"challenge_failed 2": {200, ""}, "challenge_failed 3": {302, ""}, "challenge_failed 4": {200, `{"challenge":null}`},
		"challenge_failed 5": {200, strings.Repeat(" ", maxAnswer) + `{"challenge":"x"}`}, "challenge_failed 6": {200, `["x"]`},
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.receiver.use(func(got) (int, string) { return answer.status, answer.body })
			problem := s.problem("onMessageUpdated")
			require.Equal(t, codeCallback, problem.Code)
			reason, _, _ = strings.Cut(reason, " ")
			require.Equal(t, reason, problem.Data["reason"])
			require.NotEmpty(t, problem.Message)
			require.Empty(t, s.webhooks(room))
		})
	}
}

func TestACallbackThatCannotBeReachedIsRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	for address, reason := range map[string]string{
		secure.URL: "tls_error", "http://127.0.0.1:1": "connection_refused", strings.Replace(s.receiver.URL, "http:", "https:", 1): "tls_error",
		"https://10.0.0.1/": "connection_refused", "https://localhost.invalid/": "connection_refused", "https://169.254.169.254/latest": "connection_refused",
	} {
		problem := s.problem("onMessageUpdated", set("delivery.url", address))
		require.Equal(t, codeCallback, problem.Code, address)
		require.Equal(t, reason, problem.Data["reason"], address)
	}
	require.Equal(t, "timeout", reasonOf(fmt.Errorf("x: %w", context.DeadlineExceeded)))
	require.Empty(t, s.webhooks(room))
}

func TestInvalidParamsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, row := range map[string]struct {
		change func(map[string]any)
		code   int
		text   string
	}{
		"unknown event":      {set("name", "onMessageAdd"), codeNotFound, "events/list"},
		"no event":           {set("name", nil), codeNotFound, "events/list"},
		"event not a string": {set("name", 1), codeInvalidParams, "name must be a string"},
		"no conversation":    {set("arguments", map[string]any{}), codeInvalidParams, "arguments.ConversationSid must be"},
		"no arguments":       {set("arguments", nil), codeInvalidParams, "arguments.ConversationSid must be"},
		"arguments":          {set("arguments", "x"), codeInvalidParams, "arguments must be an object"},
		"conversation":       {set("arguments.ConversationSid", ".."), codeInternal, "must not be"},
		"another argument":   {set("arguments.Body", "x"), codeInvalidParams, "Body is not an argument"},
		"push":               {set("delivery.mode", "push"), codeUnsupported, "webhook can"},
		"poll":               {set("delivery.mode", "poll"), codeUnsupported, "webhook can"},
		"no delivery":        {set("delivery", nil), codeInvalidParams, "delivery.url"},
		"delivery":           {set("delivery", "x"), codeInvalidParams, "delivery must be an object"},
		"url":                {set("delivery.url", 1), codeInvalidParams, "delivery.url must be a string"},
		"http":               {set("delivery.url", "http://example.com"), codeInvalidParams, "https"},
		"no secret":          {set("delivery.secret", nil), codeInvalidParams, "delivery.secret must be whsec_"},
		"secret too short":   {set("delivery.secret", "whsec_c2hvcnQ="), codeInvalidParams, "24 to 64"},
		"secret too long":    {set("delivery.secret", "whsec_"+strings.Repeat("A", 88)), codeInvalidParams, "24 to 64"},
		"secret not base64":  {set("delivery.secret", "whsec_"+strings.Repeat("-", 40)), codeInvalidParams, "Base64"},
		"secret not whsec":   {set("delivery.secret", strings.Repeat("A", 40)), codeInvalidParams, "whsec_"},
		"ttl":                {set("ttlMs", "1h"), codeInvalidParams, "ttlMs must be an integer"},
		"ttl not whole":      {set("ttlMs", 1.5), codeInvalidParams, "ttlMs must be an integer"},
		"cursor":             {set("cursor", "newest"), codeInvalidParams, "cursor must be one"},
		"cursor not text":    {set("cursor", 5), codeInvalidParams, "cursor must be a string"},
		"a long url":         {set("delivery.url", s.receiver.URL+"/"+strings.Repeat("x", 400)), codeExhausted, "bytes too long"},
	} {
		problem := s.problem("onMessageUpdated", row.change)
		require.Equal(t, row.code, problem.Code, "%s: %s", name, problem.Message)
		require.Contains(t, problem.Message, row.text, name)
	}
	_, err := s.server.Subscribe(t.Context(), s.call(json.RawMessage(`[]`)))
	require.Equal(t, codeInvalidParams, asError(t, err).Code)
	_, err = s.server.Subscribe(t.Context(), Call{Twilio: s.twilio, Params: s.params("onMessageUpdated")})
	require.Equal(t, codeForbidden, asError(t, err).Code, "without a principal")
	require.Empty(t, s.receiver.all("verification"))
	require.Empty(t, s.webhooks(room))
}

// A unique name is the same conversation as its SID.
func TestAConversationMayHaveItsUniqueName(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	upstream := s.sandbox.Config.Handler
	s.sandbox.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() == "/v1/Conversations/empty%20room" { // until the sandbox has conversations
			_, _ = w.Write([]byte(`{"sid":"` + room + `","unique_name":"empty room"}`))
			return
		}
		upstream.ServeHTTP(w, r)
	})
	id := s.subscribe("onMessageUpdated")["id"]
	require.Equal(t, id, s.subscribe("onMessageUpdated", set("arguments.ConversationSid", "empty room"))["id"])
	require.Len(t, s.webhooks(room), 1)
	problem := s.problem("onMessageUpdated", set("arguments.ConversationSid", "no such room"))
	require.Equal(t, codeNotFound, problem.Code)
}

func TestErrorsOfTwilioHaveCodesOfEvents(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	problem := s.problem("onMessageUpdated", set("arguments.ConversationSid", "CHcccccccccccccccccccccccccccccccc"))
	require.Equal(t, codeNotFound, problem.Code)
	require.Equal(t, "conversation", problem.Data["kind"])
	problem = s.problem("onMessageUpdated", set("arguments.ConversationSid", "CH00000000000000000000000000000503"))
	require.Equal(t, codeInternal, problem.Code)
	require.Contains(t, problem.Message, "503")
	for _, row := range []struct {
		err  error
		code int
	}{
		{&twilioapi.Error{Status: 401, Code: 20003}, codeForbidden}, {&twilioapi.Error{Status: 403}, codeForbidden},
		{&twilioapi.Error{Status: 400, Code: codeTooManyWebhooks}, codeExhausted}, {&twilioapi.Error{Status: 429}, codeExhausted},
		{&twilioapi.Error{Outcome: twilioapi.Failed, Message: "x"}, codeInternal}, {&twilioapi.Error{Status: 500}, codeInternal},
	} {
		require.Equal(t, row.code, AsError(row.err).Code)
	}
}

func TestASubscriptionEndsWhenItsCallerSaysSo(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook("onMessageUpdated")
	s.receiver.answer(503)
	s.server.deliverer.pause = func(int) time.Duration { return time.Hour }
	require.True(t, s.server.deliverer.accept(event(s.server.open(hook), "e0")))
	leave := s.params("onMessageUpdated", set("delivery", map[string]any{"mode": "webhook", "url": s.receiver.URL + "/hook"}))

	_, err := s.server.Unsubscribe(t.Context(), Call{Twilio: s.twilio, Principal: "subject bob", Params: leave})
	require.Equal(t, codeNotFound, asError(t, err).Code, "of another caller")
	require.Len(t, s.webhooks(room), 1)

	result, err := s.server.Unsubscribe(t.Context(), s.call(leave))
	require.NoError(t, err)
	require.Empty(t, result)
	require.Empty(t, s.webhooks(room))
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "outcome=ended") }, 10*time.Second, time.Millisecond)

	_, err = s.server.Unsubscribe(t.Context(), s.call(leave))
	require.Equal(t, codeNotFound, asError(t, err).Code)
	require.Equal(t, "subscription", asError(t, err).Data["kind"])
}

// The webhook is removed if its caller has gone before it is told.
func TestWhoHasGoneIsNotSubscribed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	upstream := s.sandbox.Config.Handler
	s.sandbox.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			cancel()
		}
		upstream.ServeHTTP(w, r)
	})
	_, err := s.server.Subscribe(ctx, s.call(s.params("onMessageUpdated")))
	require.Contains(t, err.Error(), "nothing was subscribed to")
	require.Empty(t, s.webhooks(room))
}

func TestVerificationsOfOneCallerAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for range maxVerifying {
		require.True(t, s.server.verifying.enter(principal, maxVerifying))
	}
	problem := s.problem("onMessageUpdated")
	require.Equal(t, codeExhausted, problem.Code)
	_, err := s.server.Subscribe(t.Context(), Call{Twilio: s.twilio, Principal: "subject bob", Params: s.params("onMessageUpdated")})
	require.NoError(t, err)
	for range maxVerifying {
		s.server.verifying.leave(principal)
	}
	require.Empty(t, s.server.verifying.counts)
}

// A hostile callback takes its time, and the conversation is not locked meanwhile.
func TestAConversationIsNotLockedWhileACallbackIsVerified(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var asked atomic.Int32
	release := make(chan struct{})
	s.receiver.use(func(g got) (int, string) {
		if asked.Add(1) == 1 {
			<-release
		}
		return echo(g)
	})
	var slow sync.WaitGroup
	slow.Go(func() {
		if _, err := s.server.Subscribe(t.Context(), s.call(s.params("onMessageUpdated"))); err != nil {
			t.Error(err)
		}
	})
	require.Eventually(t, func() bool { return asked.Load() == 1 }, 10*time.Second, time.Millisecond)
	s.subscribe("onMessageRemoved")
	close(release)
	slow.Wait()
	require.Len(t, s.webhooks(room), 2)
}

func TestTheListSaysWhatIsOffered(t *testing.T) {
	t.Parallel()
	list := func(s *site) (names []string) {
		result, err := s.server.List(t.Context(), Call{})
		require.NoError(t, err)
		raw, err := json.Marshal(result)
		require.NoError(t, err)
		var got struct {
			Events []struct {
				Name, Description          string
				Delivery                   []string
				InputSchema, PayloadSchema map[string]any
			}
		}
		require.NoError(t, json.Unmarshal(raw, &got))
		for _, e := range got.Events {
			names = append(names, e.Name+" "+strings.Join(e.Delivery, " "))
			require.Contains(t, e.Description, "untrusted data")
			require.Equal(t, []any{"ConversationSid"}, e.InputSchema["required"])
			require.Contains(t, e.PayloadSchema["properties"], "ConversationSid")
		}
		return names
	}
	all := list(newSite(t))
	require.Len(t, all, 10)
	require.Equal(t, "onMessageAdded webhook poll", all[0])
	require.Equal(t, "onDeliveryUpdated webhook", all[9])
	require.Equal(t, []string{"onMessageAdded poll"}, list(newSite(t, func(o *Options) { o.Keys = nil })))
	_, err := newSite(t).server.List(t.Context(), Call{Params: json.RawMessage(`{"cursor":"x"}`)})
	require.Equal(t, codeInvalidParams, asError(t, err).Code)
}

func TestInvalidOptionsAreRefused(t *testing.T) {
	t.Parallel()
	for text, o := range map[string]Options{
		"at least 32 bytes": {Keys: []string{keyA, "short"}, PublicURL: "https://mcp.example.com"},
		"public URL":        {Keys: []string{keyA}},
	} {
		_, err := New(o)
		require.ErrorContains(t, err, text)
	}
}
