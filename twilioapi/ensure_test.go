package twilioapi_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

const flowSID = "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

func TestEnsureReturnsTheIdenticalWebhookOrCreatesIt(t *testing.T) {
	t.Parallel()
	type webhook = twilioapi.NewWebhook
	url, other, get, post := ptr("https://example.com"), ptr("https://example.org"), ptr("get"), ptr("POST")
	added, both, reversed := []string{"onMessageAdded"}, []string{"onMessageAdded", "onMessageRemoved"}, []string{"onMessageRemoved", "onMessageAdded", "onMessageAdded"}
	for name, row := range map[string]struct {
		existing, asked webhook
		identical       bool
		differs         []string // of a similar webhook
	}{
		"webhook":                    {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: url, Method: post, Filters: reversed}, true, nil},
		"webhook, replay":            {webhook{Target: "webhook", URL: url, Filters: both, ReplayAfter: ptr(int64(3))}, webhook{Target: "webhook", URL: url, Filters: both, ReplayAfter: ptr(int64(0))}, true, nil},
		"webhook, unused parameters": {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: url, Filters: both, Triggers: []string{"a"}, FlowSID: ptr(flowSID)}, true, nil},
		"webhook, more filters":      {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: url, Filters: added}, false, []string{"Configuration.Filters"}},
		"webhook, fewer filters":     {webhook{Target: "webhook", URL: url, Filters: added}, webhook{Target: "webhook", URL: url, Filters: both}, false, []string{"Configuration.Filters"}},
		"webhook, method":            {webhook{Target: "webhook", URL: url, Filters: both, Method: get}, webhook{Target: "webhook", URL: url, Filters: both}, false, []string{"Configuration.Method"}},
		"webhook, URL":               {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: other, Filters: both}, false, nil},
		"no path":                    {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: ptr("https://example.com/"), Filters: both}, true, nil},
		"no path, query":             {webhook{Target: "webhook", URL: ptr("https://example.com/?a"), Filters: both}, webhook{Target: "webhook", URL: ptr("https://example.com?a"), Filters: both}, true, nil},
		"no path, filters":           {webhook{Target: "webhook", URL: ptr("https://example.com/"), Filters: both}, webhook{Target: "webhook", URL: url, Filters: added}, false, []string{"Configuration.Filters"}},
		"a path":                     {webhook{Target: "webhook", URL: ptr("https://example.com/a"), Filters: both}, webhook{Target: "webhook", URL: ptr("https://example.com/a/"), Filters: both}, false, nil},
		"target":                     {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "trigger", URL: url, Triggers: []string{"a"}}, false, []string{"Target"}},
		"trigger":                    {webhook{Target: "trigger", URL: url, Triggers: []string{"a", "b"}}, webhook{Target: "trigger", URL: url, Triggers: []string{"b", "a"}, Filters: added}, true, nil},
		"trigger, case":              {webhook{Target: "trigger", URL: url, Triggers: []string{"a"}}, webhook{Target: "trigger", URL: url, Triggers: []string{"A"}}, false, []string{"Configuration.Triggers"}},
		"studio":                     {webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: added}, webhook{Target: "studio", FlowSID: ptr(flowSID), URL: url}, true, nil},
		"studio, filters":            {webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: reversed}, webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: both}, true, nil},
		"studio, other filters":      {webhook{Target: "studio", FlowSID: ptr(flowSID)}, webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: both}, false, []string{"Configuration.Filters"}},
		"studio, flow":               {webhook{Target: "studio", FlowSID: ptr(flowSID)}, webhook{Target: "studio", FlowSID: ptr("FWbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")}, false, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, nil)
			existing := f.createElsewhere(t, row.existing)
			result, err := f.EnsureWebhook(t.Context(), room, row.asked)
			require.NoError(t, err)
			require.Equal(t, row.identical, result.Existing)
			require.Equal(t, row.identical, existing == sid(t, result.JSON))
			if row.differs == nil {
				require.Empty(t, result.Similar)
			} else {
				require.Len(t, result.Similar, 1)
				similar := result.Similar[0]
				require.Equal(t, []any{existing, row.existing.Target, row.differs}, []any{similar.SID, similar.Target, similar.Differs})
				require.ElementsMatch(t, row.existing.Filters, similar.Filters)
			}
			again, err := f.EnsureWebhook(t.Context(), room, row.asked)
			require.NoError(t, err)
			require.True(t, again.Existing)
			require.Equal(t, sid(t, result.JSON), sid(t, again.JSON))
			require.Equal(t, 200, again.Info.Status)
		})
	}
}

func TestEnsureReadsEveryPage(t *testing.T) {
	t.Parallel()
	item := func(n int, keyword string) string {
		return fmt.Sprintf(`{"sid":"WH%032x","target":"trigger","configuration":{"url":"https://example.com/a?b=c","method":"POST","triggers":["%s"]}}`, n, keyword)
	}
	client, got := record(t, twilioapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
		switch r.FormValue("PageToken") {
		case "":
			reply(200, `{"webhooks":[`+item(1, "a")+`],"meta":{"next_page_url":"https://elsewhere.example/x?PageSize=1&Page=1&PageToken=P%2B1"}}`)(w, r)
		case "P+1":
			reply(200, `{"webhooks":[`+item(2, "help")+`],"meta":{"next_page_url":null}}`)(w, r)
		}
	})
	result, err := client.EnsureWebhook(t.Context(), "room", trigger("help"))
	require.NoError(t, err)
	require.True(t, result.Existing)
	require.JSONEq(t, item(2, "help"), string(result.JSON))
	require.Equal(t, "/v1/Conversations/room/Webhooks", (<-got).target)
	require.Equal(t, "/v1/Conversations/room/Webhooks?Page=1&PageSize=1&PageToken=P%2B1", (<-got).target)
	require.Empty(t, got)
}

func TestAnEnsureSaysWhatTheWebhookThatWasThereDoesNotDo(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	flow := twilioapi.NewWebhook{Target: "studio", FlowSID: ptr(flowSID)}
	existing := flow
	existing.Filters = []string{"onConversationRemoved"}
	f.createElsewhere(t, existing)
	for _, row := range []struct {
		asked       twilioapi.NewWebhook
		notReplayed bool
		events      []string
	}{
		{existing, false, nil},
		{flow, false, existing.Filters},
		{twilioapi.NewWebhook{Target: "studio", FlowSID: ptr(flowSID), ReplayAfter: ptr(int64(0))}, true, existing.Filters},
	} {
		result, err := f.EnsureWebhook(t.Context(), room, row.asked)
		require.NoError(t, err)
		require.True(t, result.Existing)
		require.Equal(t, row.notReplayed, result.NotReplayed)
		require.Equal(t, row.events, result.Events)
	}
}

func TestParametersThatTheTargetDoesNotUseAreNamed(t *testing.T) {
	t.Parallel()
	all := twilioapi.NewWebhook{
		URL: ptr("https://example.com"), Method: ptr("get"), Filters: []string{"onMessageAdded"},
		Triggers: []string{"help"}, FlowSID: ptr(flowSID), ReplayAfter: ptr(int64(0)),
	}
	for target, want := range map[string][]string{
		"webhook": {"Configuration.Triggers", "Configuration.FlowSid"},
		"trigger": {"Configuration.Filters", "Configuration.FlowSid"},
		"studio":  {"Configuration.Url", "Configuration.Method", "Configuration.Triggers"},
	} {
		f := newFaulty(t, nil)
		all.Target = target
		created, err := f.CreateWebhook(t.Context(), room, all)
		require.NoError(t, err)
		require.Equal(t, want, created.Ignored, target)
		found, err := f.EnsureWebhook(t.Context(), room, all)
		require.NoError(t, err)
		require.True(t, found.Existing)
		require.Equal(t, want, found.Ignored, target)
		none, err := f.CreateWebhook(t.Context(), room, twilioapi.NewWebhook{
			Target: "webhook", URL: all.URL, Method: all.Method, Filters: all.Filters, ReplayAfter: all.ReplayAfter,
		})
		require.NoError(t, err)
		require.Empty(t, none.Ignored)
	}
}

// If the list cannot be read to its end, nothing is created.
func TestEnsureCreatesNothingWithoutTheWholeList(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]http.HandlerFunc{
		"refused":          reply(404, `{"code":20404}`),
		"failed":           reply(503, ``),
		"reset":            reset,
		"HTML":             reply(200, `<html>`),
		"an object":        reply(200, `{}`),
		"endless":          reply(200, `{"webhooks":[],"meta":{"next_page_url":"?PageToken=P1"}}`),
		"no token":         reply(200, `{"webhooks":[],"meta":{"next_page_url":"?Page=1"}}`),
		"unreadable item":  reply(200, `{"webhooks":[{"sid":"`+webhookSID+`","configuration":"?"}]}`),
		"item without SID": reply(200, `{"webhooks":[`+strings.Replace(listed("null"), webhookSID, "", 1)+`]}`),
		"unreadable meta":  reply(200, `{"webhooks":[],"meta":"?"}`),
		"another's":        reply(200, `{"webhooks":[{"conversation_sid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}`),
		"too many at once": reply(429, `{"code":20429}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, got := record(t, twilioapi.Config{}, page)
			_, err := client.EnsureWebhook(t.Context(), conversation, trigger("help"))
			require.Error(t, err)
			require.Contains(t, []twilioapi.Outcome{twilioapi.Failed, twilioapi.Refused}, err.(*twilioapi.Error).Outcome)
			require.Zero(t, creates(got))
		})
	}
}

func TestAnEnsureIsReconciledAsACreateIs(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, appliedAndLost, lost)
	result, err := f.EnsureWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	require.True(t, result.Info.Reconciled)
	require.False(t, result.Existing)

	_, err = f.EnsureWebhook(t.Context(), room, trigger("other"))
	requireOutcome(t, twilioapi.Unknown, err)
	require.EqualValues(t, 1, f.applied.Load())
}

func TestConcurrentEnsuresOfAConversationCreateOneWebhook(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	var all sync.WaitGroup
	var sids sync.Map
	for range 16 {
		all.Go(func() {
			result, err := f.EnsureWebhook(t.Context(), room, trigger("help"))
			if err != nil {
				t.Error(err)
				return
			}
			sids.Store(string(result.JSON), true)
		})
	}
	all.Wait()
	n := 0
	sids.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
}

// While an ensure is in progress, one of the same conversation and credentials waits,
// until its context ends; others do not wait.
func TestEnsuresWaitOnlyForTheirOwnConversation(t *testing.T) {
	t.Parallel()
	entered, release := make(chan struct{}), make(chan struct{})
	var blocked atomic.Bool
	client, got := record(t, twilioapi.Config{Timeout: time.Hour}, func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/slow/") && !blocked.Swap(true) {
			close(entered)
			<-release
		}
		if r.Method == http.MethodPost {
			reply(201, oneWebhook)(w, r)
			return
		}
		reply(200, emptyList)(w, r)
	})
	slow := make(chan error, 1)
	go func() {
		_, err := client.EnsureWebhook(t.Context(), "slow", trigger("help"))
		slow <- err
	}()
	<-entered

	_, err := client.ListWebhooks(t.Context(), "slow", twilioapi.Page{})
	require.NoError(t, err, "reads do not wait")
	_, err = client.WithCredentials(twilioapi.Credentials{Username: "SK1", Password: "another"}).EnsureWebhook(t.Context(), "slow", trigger("help"))
	require.NoError(t, err, "other credentials do not wait")
	sent := len(got)
	ctx, cancel := context.WithCancel(t.Context())
	waiting := make(chan error, 1)
	go func() {
		_, err := client.EnsureWebhook(ctx, "slow", trigger("help"))
		waiting <- err
	}()
	cancel()
	err = <-waiting
	requireOutcome(t, twilioapi.NotSent, err)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, got, sent, "nothing was sent")
	close(release)
	<-slow
}

// The time that an ensure waits for another one does not count toward the timeout.
func TestWaitingForAnEnsureDoesNotUseUpTheTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 300 * time.Millisecond
	var lists atomic.Int32
	entered := make(chan struct{})
	client, _ := record(t, twilioapi.Config{Timeout: timeout}, func(w http.ResponseWriter, r *http.Request) {
		if lists.Add(1) == 1 {
			close(entered)
			<-r.Context().Done() // the first ensure uses up its timeout
			return
		}
		reply(200, `{"webhooks":[`+listed("null")+`]}`)(w, r)
	})
	first := make(chan error, 1)
	go func() {
		_, err := client.EnsureWebhook(t.Context(), "room", trigger("help"))
		first <- err
	}()
	<-entered
	result, err := client.EnsureWebhook(t.Context(), "room", trigger("help"))
	require.NoError(t, err)
	require.True(t, result.Existing)
	require.ErrorIs(t, <-first, context.DeadlineExceeded)
}

func TestAFullConversationRefusesAnEnsure(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	for i := range 5 {
		f.createElsewhere(t, trigger(fmt.Sprint(i)))
	}
	refused, err := f.EnsureWebhook(t.Context(), room, trigger("help"))
	require.Equal(t, 50361, twilioError(t, err).Code)
	require.Len(t, refused.Similar, 5)
	result, err := f.EnsureWebhook(t.Context(), room, trigger("4"))
	require.NoError(t, err)
	require.True(t, result.Existing)
}

// What is of an odd type matters only if it decides whether a webhook is identical.
func TestEnsureComparesWhatItCanRead(t *testing.T) {
	t.Parallel()
	asked := twilioapi.NewWebhook{Target: "webhook", URL: ptr("https://example.com/hook"), Filters: []string{"onMessageAdded"}}
	webhook := func(configuration, more string) string {
		return `{"webhooks":[{"sid":"` + webhookSID + `","target":"webhook","configuration":{` + configuration + `}` + more + `}]}`
	}
	const same = `"url":"HTTPS://Example.com/hook","method":"POST","filters":["onMessageAdded"]`
	for page, want := range map[string]struct {
		existing bool
		problem  string
	}{
		webhook(same+`,"replay_after":"7"`, `,"date_created":1781087539`):            {existing: true},
		webhook(`"url":"https://example.org","filters":"?"`, `,"date_created":1`):    {},
		webhook(`"url":7,"method":"post","filters":["onMessageAdded"]`, ""):          {problem: "the Configuration.Url of " + webhookSID + " cannot be read"},
		webhook(`"url":"https://example.com/hook","method":"POST","filters":{}`, ""): {problem: "the Configuration.Filters of " + webhookSID + " cannot be read"},
	} {
		client, _ := record(t, twilioapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				reply(201, `{"sid":"WHffffffffffffffffffffffffffffffff"}`)(w, r)
				return
			}
			reply(200, page)(w, r)
		})
		result, err := client.EnsureWebhook(t.Context(), conversation, asked)
		if want.problem != "" {
			require.ErrorContains(t, err, want.problem, page)
			require.True(t, requireOutcome(t, twilioapi.Failed, err).Permanent)
			continue
		}
		require.NoError(t, err, page)
		require.Equal(t, want.existing, result.Existing, page)
	}
}
