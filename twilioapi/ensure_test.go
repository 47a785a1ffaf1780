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
		existing, asked  webhook
		identical, alike bool
	}{
		"webhook":                    {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: url, Method: post, Filters: reversed}, true, false},
		"webhook, replay":            {webhook{Target: "webhook", URL: url, Filters: both, ReplayAfter: ptr(int64(3))}, webhook{Target: "webhook", URL: url, Filters: both, ReplayAfter: ptr(int64(0))}, true, false},
		"webhook, unused parameters": {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: url, Filters: both, Triggers: []string{"a"}, FlowSID: ptr(flowSID)}, true, false},
		"webhook, more filters":      {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: url, Filters: added}, false, true},
		"webhook, fewer filters":     {webhook{Target: "webhook", URL: url, Filters: added}, webhook{Target: "webhook", URL: url, Filters: both}, false, true},
		"webhook, method":            {webhook{Target: "webhook", URL: url, Filters: both, Method: get}, webhook{Target: "webhook", URL: url, Filters: both}, false, true},
		"webhook, URL":               {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "webhook", URL: other, Filters: both}, false, false},
		"target":                     {webhook{Target: "webhook", URL: url, Filters: both}, webhook{Target: "trigger", URL: url, Triggers: []string{"a"}}, false, true},
		"trigger":                    {webhook{Target: "trigger", URL: url, Triggers: []string{"a", "b"}}, webhook{Target: "trigger", URL: url, Triggers: []string{"b", "a"}, Filters: added}, true, false},
		"trigger, case":              {webhook{Target: "trigger", URL: url, Triggers: []string{"a"}}, webhook{Target: "trigger", URL: url, Triggers: []string{"A"}}, false, true},
		"studio":                     {webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: added}, webhook{Target: "studio", FlowSID: ptr(flowSID), URL: url}, true, false},
		"studio, filters":            {webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: reversed}, webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: both}, true, false},
		"studio, other filters":      {webhook{Target: "studio", FlowSID: ptr(flowSID)}, webhook{Target: "studio", FlowSID: ptr(flowSID), Filters: both}, false, true},
		"studio, flow":               {webhook{Target: "studio", FlowSID: ptr(flowSID)}, webhook{Target: "studio", FlowSID: ptr("FWbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, nil)
			existing := f.createElsewhere(t, row.existing)
			result, err := f.EnsureWebhook(t.Context(), room, row.asked)
			require.NoError(t, err)
			require.Equal(t, row.identical, result.Existing)
			require.Equal(t, row.identical, existing == sid(t, result.JSON))
			if row.alike {
				require.Equal(t, []string{existing}, result.Similar)
			} else {
				require.Empty(t, result.Similar)
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
			require.NotErrorAs(t, err, new(*twilioapi.OutcomeUnknownError))
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
	require.ErrorAs(t, err, new(*twilioapi.OutcomeUnknownError))
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
	require.ErrorAs(t, err, new(*twilioapi.UnsentError))
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
	_, err := f.EnsureWebhook(t.Context(), room, trigger("help"))
	require.Equal(t, 50361, twilioError(t, err).Code)
	result, err := f.EnsureWebhook(t.Context(), room, trigger("4"))
	require.NoError(t, err)
	require.True(t, result.Existing)
}
