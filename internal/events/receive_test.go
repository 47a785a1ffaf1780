package events

import (
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/signature"
)

// hook subscribes, and returns the URL that Twilio calls.
func (s *site) hook(event string, changes ...func(map[string]any)) string {
	s.t.Helper()
	s.subscribe(event, changes...)
	all := s.webhooks(room)
	return all[len(all)-1].URL
}

func TestARequestOfTwilioIsDeliveredAsAnEvent(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	require.Equal(t, 204, s.fire(hook, happened(messageAdded, "MessageSid", message1, "Index", "7", "Body", "<b>é\u200b", "Author", "alice",
		"DateCreated", "2026-11-26T10:00:00.123+01:00", "Media", "a", "Media", "b"), "I-Twilio-Idempotency-Token", "token-1234"))
	g := s.receiver.await("", 1)[0]
	require.Contains(t, g.body, `\u200b`, "what nobody sees is an escape")
	require.Equal(t, message1, g.fields["eventId"], "as a poll returns it")
	require.Equal(t, messageAdded, g.fields["name"])
	require.Equal(t, "2026-11-26T09:00:00Z", g.fields["timestamp"])
	require.NotContains(t, g.fields, "cursor", "a client would keep null")
	require.Equal(t, map[string]any{
		"EventType": messageAdded, "ConversationSid": room, "AccountSid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Source": "SDK",
		"MessageSid": message1, "Index": "7", "Body": "<b>é\u200b", "Author": "alice", "DateCreated": "2026-11-26T10:00:00.123+01:00", "Media": []any{"a", "b"},
	}, g.fields["data"])
}

// Twilio calls the URL of a webhook with the method GET if someone sets that.
func TestARequestMayHaveItsParametersInTheQuery(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	res, err := http.Get(s.hook("onParticipantAdded") + "?" + happened("onParticipantAdded", "Identity", "bob").Encode())
	require.NoError(t, err)
	_ = res.Body.Close()
	require.Equal(t, 204, res.StatusCode)
	require.Equal(t, "bob", s.receiver.await("", 1)[0].fields["data"].(map[string]any)["Identity"])
}

func TestTheIDOfAnEventIsStable(t *testing.T) {
	t.Parallel()
	updated := happened("onMessageUpdated", "MessageSid", message1)
	require.Equal(t, "token-1234", eventID(updated, "token-1234"))
	require.Equal(t, eventID(updated, ""), eventID(happened("onMessageUpdated", "MessageSid", message1), "a token\nthat is none"))
	require.NotEqual(t, eventID(updated, ""), eventID(happened("onMessageUpdated", "MessageSid", message1, "Body", "x"), ""))
	require.Regexp(t, `^evt_[0-9a-f]{32}$`, eventID(updated, ""))
	require.Equal(t, message1, eventID(happened(messageAdded, "MessageSid", message1), "token-1234"))
	require.Equal(t, "token-1234", eventID(happened(messageAdded, "MessageSid", "IM\r\nx"), "token-1234"))
}

// A request that Twilio repeats is delivered once.
func TestARepeatedRequestIsAnsweredAndNotDelivered(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	for range 3 {
		require.Equal(t, 204, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	}
	s.receiver.await("", 1)
}

// An event that cannot be delivered at once is kept.
func TestTwilioIsAnsweredBeforeASlowCallbackIs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	s.server.patience = time.Millisecond
	release := make(chan struct{})
	s.receiver.use(func(got) (int, string) { <-release; return 200, "" })
	require.Equal(t, 204, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	close(release)
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "outcome=delivered") }, 10*time.Second, time.Millisecond)
}

// A request is refused alike whatever is wrong with it.
func TestARefusalTellsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	valid := happened(messageAdded, "MessageSid", message1)
	ask := func(method, address, body string) (int, string, http.Header) {
		req, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		res.Header.Del("Date")
		return res.StatusCode, string(answer), res.Header
	}
	status, body, header := ask("POST", s.public.URL+Path+"nothing", valid.Encode())
	require.Equal(t, 404, status)
	for name, request := range map[string][3]string{
		"no token":             {"POST", s.public.URL + Path, valid.Encode()},
		"a cut token":          {"POST", hook[:len(hook)-1], valid.Encode()},
		"a path below":         {"POST", hook + "/", valid.Encode()},
		"another event":        {"POST", hook, happened("onMessageUpdated").Encode()},
		"another conversation": {"POST", hook, strings.ReplaceAll(valid.Encode(), room, crowded)},
		"no parameters":        {"POST", hook, ""},
		"an invalid form":      {"POST", hook, "%zz"},
		"a long body":          {"POST", hook, valid.Encode() + "&x=" + strings.Repeat("x", maxRequest)},
		"many parameters":      {"POST", hook, valid.Encode() + manyParameters()},
		"another method":       {"PUT", hook, valid.Encode()},
	} {
		gotStatus, gotBody, gotHeader := ask(request[0], request[1], request[2])
		require.Equal(t, status, gotStatus, name)
		require.Equal(t, body, gotBody, name)
		if name == "a long body" {
			gotHeader.Del("Connection") // which net/http closes
		}
		require.Equal(t, header, gotHeader, name)
	}
	require.Empty(t, s.receiver.all(""))
	require.NotContains(t, s.log.String(), "event=")
}

func manyParameters() string {
	var b strings.Builder
	for i := range maxParameters {
		b.WriteString("&p" + string(rune('a'+i%26)) + strings.Repeat("x", i/26) + "=1")
	}
	return b.String()
}

func TestAnExpiredSubscriptionIsGoneAndItsWebhookIsRemoved(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	s.server.now = func() time.Time { return time.Now().Add(defaultTTL + time.Second) }
	require.Equal(t, 410, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	require.Eventually(t, func() bool { return len(s.webhooks(room)) == 0 }, 10*time.Second, time.Millisecond)
	g := s.receiver.await("terminated", 1)[0]
	require.EqualValues(t, codeNotFound, g.fields["error"].(map[string]any)["code"])
	require.Empty(t, s.receiver.all(""))
	require.Equal(t, 410, s.fire(hook, happened(messageAdded, "MessageSid", message1)), "again, and nobody is told again")
	s.awaitEnded()
	s.receiver.await("terminated", 1)
}

// The webhook of a subscription that has been refreshed stays, even if a request to
// its old URL arrives late.
func TestAnExpiredTokenDoesNotEndARefreshedSubscription(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	old := s.hook(messageAdded)
	s.server.now = func() time.Time { return time.Now().Add(time.Hour) }
	s.subscribe(messageAdded)
	s.server.now = func() time.Time { return time.Now().Add(defaultTTL + time.Minute) }
	require.Equal(t, 410, s.fire(old, happened(messageAdded, "MessageSid", message1)))
	s.awaitEnded()
	require.Len(t, s.webhooks(room), 1)
}

func TestACallbackThatAnswers410EndsItsSubscription(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	s.receiver.answer(http.StatusGone)
	require.Equal(t, 204, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	require.Eventually(t, func() bool { return len(s.webhooks(room)) == 0 }, 10*time.Second, time.Millisecond)
	require.Contains(t, s.log.String(), "outcome=ended")
}

func TestWithoutCredentialsOfTheServerTheWebhookOfAnEndedSubscriptionStays(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Twilio = nil })
	hook := s.hook(messageAdded)
	s.server.now = func() time.Time { return time.Now().Add(defaultTTL + time.Second) }
	require.Equal(t, 410, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	require.Len(t, s.webhooks(room), 1)
}

func TestASubscriptionEndsWithItsConversation(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	require.Equal(t, 204, s.fire(s.hook(conversationRemoved), happened(conversationRemoved)))
	s.receiver.await("", 1)
	require.Equal(t, "the conversation was removed", s.receiver.await("terminated", 1)[0].fields["error"].(map[string]any)["message"])
}

// If too much waits, Twilio gets 503, and the subscriber is told of a gap.
func TestAnEventThatThereIsNoRoomForIsRefused(t *testing.T) {
	t.Parallel()
	var o outcomes
	s := newSite(t, o.observe)
	hook := s.hook(messageAdded)
	s.receiver.answer(503)
	own := s.server.open(hook)
	for range ownCost {
		require.True(t, s.server.deliverer.accept(event(own, messageID("x"))))
	}
	require.Equal(t, 503, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	require.Equal(t, 1, o.of("full"))
	s.receiver.use(nil)
	s.awaitIdle()
	require.Len(t, s.receiver.all("gap"), 1)

	require.Equal(t, 503, s.fire(hook, happened(messageAdded, "MessageSid", message1, "Body", strings.Repeat("\x01", 80<<10))), "longer than a message may be, as JSON")
}

// Requests without a token do not keep those of Twilio out.
func TestRequestsThatAreHandledAtOnceAreLimited(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	require.True(t, s.server.strangers.TryAcquire(maxStrangers))
	require.Equal(t, 503, s.fire(s.public.URL+Path+"x", happened(messageAdded)))
	require.Equal(t, 204, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	require.True(t, s.server.receiving.TryAcquire(maxReceiving))
	require.Equal(t, 503, s.fire(hook, happened(messageAdded, "MessageSid", messageSID(2))))
}

// A token that has expired makes the server ask Twilio for its webhook until there is
// none, and not ever after.
func TestAnExpiredTokenCostsLittle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook("onMessageUpdated")
	var asked atomic.Int32
	upstream := s.sandbox.Config.Handler
	s.sandbox.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { asked.Add(1); upstream.ServeHTTP(w, r) })
	s.server.now = func() time.Time { return time.Now().Add(defaultTTL + time.Second) }
	for range 20 {
		require.Equal(t, 410, s.fire(hook, happened("onMessageUpdated")))
		s.awaitEnded()
	}
	require.LessOrEqual(t, asked.Load(), int32(3), "a list, a delete, and a list")
	s.receiver.await("terminated", 1)
}

// With an auth token, a request needs Twilio's signature, whatever its token is.
func TestARequestNeedsTwiliosSignature(t *testing.T) {
	t.Parallel()
	const authToken = "an-auth-token"
	s := newSite(t, func(o *Options) { o.AuthToken = authToken })
	hook := s.hook(messageAdded)
	valid := happened(messageAdded, "MessageSid", message1, "Media", "b", "Media", "a")
	changed := happened(messageAdded, "MessageSid", message1, "Body", "x")
	signed := signature.Sign(authToken, hook, valid)
	require.Equal(t, 204, s.fire(hook, valid, signature.Header, signed))
	s.receiver.await("", 1)
	require.Equal(t, 404, s.fire(hook, valid))
	require.Equal(t, 404, s.fire(hook, changed, signature.Header, signed), "replayed with another content")
	require.Equal(t, 404, s.fire(s.hook("onMessageUpdated"), happened("onMessageUpdated"), signature.Header, signed), "replayed to another subscription")
	require.Equal(t, 404, s.fire(hook+"?x=1", valid, signature.Header, signed))
	random := rand.New(rand.NewPCG(5, 6))
	for range 10_000 {
		forged := []byte(signed)
		forged[random.IntN(len(forged)-1)] ^= byte(1 + random.IntN(255))
		w, r := newExchange(t, hook, valid)
		r.Header.Set(signature.Header, string(forged))
		s.server.ServeHTTP(w, r)
		require.Equal(t, 404, w.Code)
	}
	s.receiver.await("", 1)
}

// Old keys open the tokens in webhooks, and a removed key opens none.
func TestKeysCanBeReplaced(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	s.start(func(o *Options) { o.Keys = []string{keyB, keyA} })
	require.Equal(t, 204, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
	s.receiver.await("", 1)
	s.start(func(o *Options) { o.Keys = []string{keyB} })
	require.Equal(t, 404, s.fire(hook, happened(messageAdded, "MessageSid", message1)))
}

// 10,000 requests that are not Twilio's, by their tokens, their content or their
// signatures: none is accepted.
func TestNoForgedRequestIsAccepted(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hook := s.hook(messageAdded)
	other := s.hook("onMessageUpdated")
	random := rand.New(rand.NewPCG(3, 4))
	valid := happened(messageAdded, "MessageSid", message1)
	for i := range 10_000 {
		address, params := hook, valid
		switch i % 5 {
		case 0:
			address = hook[:len(s.public.URL+Path)+random.IntN(len(hook)-len(s.public.URL+Path))]
		case 1:
			at := len(s.public.URL+Path) + random.IntN(len(hook)-len(s.public.URL+Path))
			b := []byte(hook)
			b[at] = "AB"[(b[at]+1)%2]
			if address = string(b); address == hook {
				continue
			}
		case 2:
			address = other // of another event
		case 3:
			params = url.Values{"EventType": {messageAdded}, "ConversationSid": {crowded}}
		case 4:
			address = s.public.URL + Path + messageID("x")
		}
		w, r := newExchange(t, address, params)
		s.server.ServeHTTP(w, r)
		require.Equal(t, 404, w.Code, "%d", i)
	}
	require.Empty(t, s.receiver.all(""))
}

func TestJSONOfAnEventHasTheDocumentedFields(t *testing.T) {
	t.Parallel()
	m := newEvent(example(), happened(messageAdded, "MessageSid", message1), "", time.Unix(1_700_000_000, 0))
	var fields map[string]any
	require.NoError(t, json.Unmarshal(m.body, &fields))
	require.Equal(t, "2023-11-14T22:13:20Z", fields["timestamp"], "the time of the request, if it has no date")
	require.Len(t, fields, 4)
}
