package twilioapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

func TestOneWebhookHasThePathOfItsSID(t *testing.T) {
	t.Parallel()
	calls := map[string]func(c *twilioapi.Client, conversation, sid string) error{
		"GET": func(c *twilioapi.Client, conversation, sid string) error {
			_, err := c.FetchWebhook(t.Context(), conversation, sid)
			return err
		},
		"POST": func(c *twilioapi.Client, conversation, sid string) error {
			_, err := c.UpdateWebhook(t.Context(), conversation, sid, twilioapi.WebhookUpdate{Method: ptr("get")})
			return err
		},
		"DELETE": func(c *twilioapi.Client, conversation, sid string) error {
			_, err := c.DeleteWebhook(t.Context(), conversation, sid)
			return err
		},
	}
	for method, call := range calls {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			client, got := record(t, twilioapi.Config{}, reply(404, `{"code":20404}`))
			for _, row := range []struct{ conversation, sid, want string }{
				{conversation, webhookSID, "/v1/Conversations/" + conversation + "/Webhooks/" + webhookSID},
				{"a/b", "../c?d#e", "/v1/Conversations/a%2Fb/Webhooks/..%2Fc%3Fd%23e"},
			} {
				require.Equal(t, 404, twilioError(t, call(client, row.conversation, row.sid)).Status)
				r := <-got
				require.Equal(t, method, r.method)
				require.Equal(t, row.want, r.target)
			}
			for _, sid := range []string{"", ".", ".."} {
				err := call(client, conversation, sid)
				requireOutcome(t, twilioapi.NotSent, err)
				require.ErrorContains(t, err, "Sid must not be")
			}
			require.Empty(t, got)
		})
	}
}

func TestFetchReturnsTheWebhook(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	webhook := f.createElsewhere(t, trigger("help"))
	f.reads <- answer(503, "", false)
	result, err := f.FetchWebhook(t.Context(), room, webhook)
	require.NoError(t, err)
	require.Equal(t, webhook, sid(t, result.JSON))
	require.Equal(t, 2, result.Info.Attempts)

	for _, body := range []string{
		`{}`, emptyList, `{"sid":"WHffffffffffffffffffffffffffffffff"}`, `{"sid":null}`, `<html>`,
		`{"sid":"` + webhook + `","conversation_sid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
	} {
		f.reads <- answer(200, body, false)
		_, err := f.FetchWebhook(t.Context(), room, webhook)
		require.Equal(t, 200, twilioError(t, err).Status, body)
	}
}

func TestUpdateSendsWhatIsGivenAndReportsWhatDiffers(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, reply(200, `{"sid":"`+webhookSID+
		`","target":"webhook","configuration":{"url":"https://example.com","method":"GET","filters":["onMessageAdded"]}}`))
	result, err := client.UpdateWebhook(t.Context(), conversation, webhookSID, twilioapi.WebhookUpdate{
		URL: ptr("https://example.com"), Method: ptr("get"), Filters: []string{"onMessageAdded", "onMessageRemoved"}, Triggers: []string{"a"}, FlowSID: ptr(flowSID),
	})
	require.NoError(t, err)
	require.Equal(t, []string{"Configuration.Filters", "Configuration.Triggers", "Configuration.FlowSid"}, result.Differs)
	require.Equal(t, "Configuration.Filters=onMessageAdded&Configuration.Filters=onMessageRemoved&Configuration.FlowSid="+flowSID+
		"&Configuration.Method=get&Configuration.Triggers=a&Configuration.Url=https%3A%2F%2Fexample.com", (<-got).body)

	result, err = client.UpdateWebhook(t.Context(), conversation, webhookSID, twilioapi.WebhookUpdate{Filters: []string{"onMessageAdded"}})
	require.NoError(t, err)
	require.Empty(t, result.Differs)
	require.Equal(t, "Configuration.Filters=onMessageAdded", (<-got).body)
}

func TestAnUpdateOfUnknownOutcomeIsReadBack(t *testing.T) {
	t.Parallel()
	update := twilioapi.WebhookUpdate{URL: ptr("https://example.org"), Triggers: []string{"a", "b"}}
	for name, fault := range map[string]fault{
		"reset":           appliedAndLost,
		"502":             answer(502, "<html>", true),
		"truncated":       func(apply func(), w http.ResponseWriter, r *http.Request) { apply(); truncated(w, r) },
		"HTML":            answer(200, "<html>", true),
		"an empty object": answer(200, "{}", true),
		"another webhook": answer(200, `{"sid":"WHffffffffffffffffffffffffffffffff"}`, true),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, nil)
			webhook := f.createElsewhere(t, trigger("help"))
			f.faults <- fault
			result, err := f.UpdateWebhook(t.Context(), room, webhook, update)
			require.NoError(t, err)
			require.True(t, result.Info.Reconciled)
			require.Equal(t, webhook, sid(t, result.JSON))
			require.Contains(t, string(result.JSON), "https://example.org")
			require.Empty(t, f.faults)
			require.Empty(t, result.Differs)
			require.EqualValues(t, 1, f.applied.Load())
		})
	}
}

func TestAnUpdateThatWasNotAppliedIsReportedAsSuch(t *testing.T) {
	t.Parallel()
	now := time.Now()
	f := newFaulty(t, func() time.Time { return now })
	webhook := f.createElsewhere(t, trigger("help"))
	update := twilioapi.WebhookUpdate{URL: ptr("https://example.org"), Triggers: []string{"help"}}
	unknown := func(faults ...fault) *twilioapi.ReadBack {
		for _, fault := range faults {
			f.faults <- fault
		}
		_, err := f.UpdateWebhook(t.Context(), room, webhook, update)
		return requireOutcome(t, twilioapi.Unknown, err).ReadBack
	}
	outcome := unknown(lost)
	require.Equal(t, []string{"Configuration.Url"}, outcome.Differs)
	require.False(t, outcome.NotApplied, "it may have been changed in this second")
	require.GreaterOrEqual(t, time.Duration(f.waited.Load()), 2*time.Second, "read twice")

	now = now.Add(time.Minute)
	outcome = unknown(lost)
	require.True(t, outcome.NotApplied)
	require.Contains(t, outcome.String(), "not applied so far")

	// Another update came in between.
	outcome = unknown(func(_ func(), w http.ResponseWriter, r *http.Request) {
		_, err := f.UpdateWebhook(t.Context(), room, webhook, twilioapi.WebhookUpdate{Method: ptr("get")})
		if err != nil {
			t.Error(err)
		}
		reset(w, r)
	})
	require.False(t, outcome.NotApplied)
	require.Contains(t, outcome.String(), "the webhook differs in Configuration.Url")

	undated := `{"sid":"` + webhook + `","date_updated":null,"configuration":{"url":"https://example.com","triggers":["help"]}}`
	for range 2 {
		f.reads <- answer(200, undated, false)
	}
	outcome = unknown(lost)
	require.Equal(t, []string{"Configuration.Url"}, outcome.Differs)
	require.False(t, outcome.NotApplied, "when it was changed is not known")

	f.reads <- answer(404, `{"code":20404}`, false)
	outcome = unknown(lost)
	require.Equal(t, 404, twilioError(t, outcome.Err).Status)
	require.False(t, outcome.NotApplied)
}

func TestAnUpdateThatIsAppliedLateIsFoundByTheSecondPoll(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	webhook := f.createElsewhere(t, trigger("help"))
	update := twilioapi.WebhookUpdate{URL: ptr("https://example.org")}
	f.onSleep = func() {
		f.restart(t)
		_, err := f.UpdateWebhook(t.Context(), room, webhook, update)
		require.NoError(t, err)
	}
	f.faults <- lost
	result, err := f.UpdateWebhook(t.Context(), room, webhook, update)
	require.NoError(t, err)
	require.True(t, result.Info.Reconciled)
}

func TestDeleteReportsTheSID(t *testing.T) {
	t.Parallel()
	for name, handler := range map[string]http.HandlerFunc{
		"204":                     func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) },
		"200":                     reply(200, ""),
		"200 and an empty object": reply(200, "{}"),
		"200 and the webhook":     reply(200, oneWebhook),
	} {
		client, got := record(t, twilioapi.Config{}, handler)
		result, err := client.DeleteWebhook(t.Context(), conversation, webhookSID)
		require.NoError(t, err, name)
		require.JSONEq(t, `{"sid":"`+webhookSID+`","deleted":true}`, string(result.JSON))
		require.Len(t, got, 1)
	}
	for _, handler := range []http.HandlerFunc{reply(200, "<html>"), reply(202, "{}"), reply(200, `{"sid":"WHffffffffffffffffffffffffffffffff"}`)} {
		client, got := record(t, twilioapi.Config{}, handler)
		_, err := client.DeleteWebhook(t.Context(), conversation, webhookSID)
		require.Error(t, err)
		require.Len(t, got, 4)
	}
}

// A webhook that is not found was deleted by an earlier attempt, if there was one
// that may have been carried out.
func TestNotFoundAfterAnUnknownAttemptIsDeleted(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		faults  []fault
		deleted bool
	}{
		"reset":            {[]fault{appliedAndLost}, true},
		"502":              {[]fault{answer(502, "<html>", true)}, true},
		"HTML":             {[]fault{answer(200, "<html>", true)}, true},
		"503, not applied": {[]fault{answer(503, "", false)}, true},
		"502, then 429":    {[]fault{answer(502, "", true), answer(429, "{}", false)}, true},
		"429":              {[]fault{answer(429, "{}", true)}, false},
		"404":              {[]fault{answer(404, `{"code":20404}`, true)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, nil, row.faults...)
			pending := f.faults
			f.faults = make(chan fault) // none for the create
			webhook := f.createElsewhere(t, trigger("help"))
			f.faults = pending
			result, err := f.DeleteWebhook(t.Context(), room, webhook)
			if !row.deleted {
				require.Equal(t, 404, twilioError(t, err).Status)
				return
			}
			require.NoError(t, err)
			require.Equal(t, webhook, sid(t, result.JSON))
			require.Greater(t, result.Info.Attempts, 1)
			_, err = f.FetchWebhook(t.Context(), room, webhook)
			require.Equal(t, 404, twilioError(t, err).Status)
		})
	}
}

// An attempt that may have deleted the webhook is not hidden by later ones that
// did nothing. A 404 without Twilio's code is not Twilio's.
func TestADeleteThatMayHaveHappenedIsNotReportedAsRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		then http.HandlerFunc
		sent int
	}{
		"429":             {reply(429, `{"code":20429}`), 4},
		"a gateway's 404": {reply(404, "<html>"), 2},
		"another 404":     {reply(404, `{"code":20001}`), 2},
	} {
		client, got := record(t, twilioapi.Config{}, once(reply(502, ""), row.then))
		result, err := client.DeleteWebhook(t.Context(), conversation, webhookSID)
		require.Equal(t, twilioapi.Error{Status: 502, RequestID: "RQ1", Attempts: row.sent}, twilioError(t, err), name)
		require.Equal(t, twilioapi.CallInfo{Status: 502, RequestID: "RQ1", Attempts: row.sent}, result.Info, name)
		require.Len(t, got, row.sent, name)
	}
}
