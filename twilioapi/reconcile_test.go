package twilioapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const room = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// A fault handles a request in place of the sandbox. It may have the sandbox apply
// the request without a response.
type fault func(apply func(), w http.ResponseWriter, r *http.Request)

func appliedAndLost(apply func(), _ http.ResponseWriter, _ *http.Request) {
	apply()
	panic(http.ErrAbortHandler)
}

func lost(func(), http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// A faulty is a client of a sandbox behind a proxy, which injects faults in order.
type faulty struct {
	*twilioapi.Client
	url      string
	faults   chan fault   // of writes
	reads    chan fault   // of reads
	applied  atomic.Int32 // writes that a fault applied
	opened   atomic.Int32 // connections
	waited   atomic.Int64 // nanoseconds
	onSleep  func()       // called instead of sleeping
	mu       sync.Mutex
	outcomes []string // of reconciled creates
}

func newFaulty(t *testing.T, now func() time.Time, faults ...fault) *faulty {
	t.Helper()
	if now == nil { // the clock does not advance, so that no second ends between two polls
		fixed := time.Now()
		now = func() time.Time { return fixed }
	}
	twilio := sandbox.New(sandbox.Options{Now: now})
	f := &faulty{faults: make(chan fault, 100), reads: make(chan fault, 100), onSleep: func() {}}
	for _, next := range faults {
		f.faults <- next
	}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pending := f.faults
		if r.Method == http.MethodGet {
			pending = f.reads
		}
		select {
		case next := <-pending:
			next(func() { twilio.ServeHTTP(httptest.NewRecorder(), r); f.applied.Add(1) }, w, r)
		default:
			twilio.ServeHTTP(w, r)
		}
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			f.opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	f.url = srv.URL
	f.restart(t)
	return f
}

// restart replaces the client by one without a record of earlier creates.
func (f *faulty) restart(t *testing.T) {
	t.Helper()
	client, err := twilioapi.New(twilioapi.Config{
		BaseURL: f.url, Credentials: give("AC1", "x"),
		Sleep: func(_ context.Context, d time.Duration) error { f.waited.Add(int64(d)); f.onSleep(); return nil },
		OnReconciled: func(outcome string) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.outcomes = append(f.outcomes, outcome)
		},
	})
	require.NoError(t, err)
	f.Client = client
}

// answer returns a fault that sends a response, and applies the request first if
// apply is set.
func answer(status int, body string, applied bool) fault {
	return func(apply func(), w http.ResponseWriter, r *http.Request) {
		if applied {
			apply()
		}
		reply(status, body)(w, r)
	}
}

// createElsewhere creates a webhook as another process would.
func (f *faulty) createElsewhere(t *testing.T, w twilioapi.NewWebhook) string {
	t.Helper()
	other, err := twilioapi.New(twilioapi.Config{BaseURL: f.url, Credentials: give("AC1", "x")})
	require.NoError(t, err)
	created, err := other.CreateWebhook(t.Context(), room, w)
	require.NoError(t, err)
	return sid(t, created.JSON)
}

func sid(t *testing.T, webhook json.RawMessage) string {
	t.Helper()
	var fields struct{ SID string }
	require.NoError(t, json.Unmarshal(webhook, &fields))
	require.NotEmpty(t, fields.SID)
	return fields.SID
}

// unknown creates a webhook and returns the error, which must say that the outcome
// is unknown.
func (f *faulty) unknown(t *testing.T, w twilioapi.NewWebhook) *twilioapi.ReadBack {
	t.Helper()
	result, err := f.CreateWebhook(t.Context(), room, w)
	require.False(t, result.Info.Reconciled)
	return requireOutcome(t, twilioapi.Unknown, err).ReadBack
}

func trigger(keywords ...string) twilioapi.NewWebhook {
	return twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com/a?b=c"), Triggers: keywords}
}

func TestACreateWhoseResponseWasLostIsFound(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		webhook twilioapi.NewWebhook
		fault   fault
	}{
		"reset": {trigger("help"), appliedAndLost},
		"cut off": {trigger("help"), func(apply func(), w http.ResponseWriter, r *http.Request) {
			apply()
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(201)
			_, _ = w.Write([]byte(`{"sid":`))
		}},
		"502": {trigger("help"), func(apply func(), w http.ResponseWriter, r *http.Request) {
			apply()
			w.WriteHeader(502)
		}},
		"method given": {twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com"), Method: ptr("get"), Triggers: []string{"a", "b", "a"}}, appliedAndLost},
		"filters":      {twilioapi.NewWebhook{Target: "webhook", URL: ptr("https://example.com"), Filters: []string{"onMessageAdded", "onParticipantAdded", "onMessageAdded"}}, appliedAndLost},
		"studio":       {twilioapi.NewWebhook{Target: "studio", URL: ptr("ignored"), FlowSID: ptr("FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")}, appliedAndLost},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, nil, row.fault)
			webhook, err := f.CreateWebhook(t.Context(), room, row.webhook)
			require.NoError(t, err)
			require.True(t, webhook.Info.Reconciled)
			require.NotEmpty(t, sid(t, webhook.JSON))
			require.EqualValues(t, 1, f.applied.Load())
		})
	}
}

func TestACreateThatWasNotAppliedIsNotFound(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, lost)
	unknown := f.unknown(t, trigger("help"))
	require.Equal(t, &twilioapi.ReadBack{NotApplied: true}, unknown)
	require.GreaterOrEqual(t, time.Duration(f.waited.Load()), 2*time.Second, "listed twice")
	require.Less(t, time.Duration(f.waited.Load()), 3*time.Second)
}

func TestAWebhookThatIsCreatedLateIsFoundByTheSecondPoll(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, lost)
	f.onSleep = func() { f.createElsewhere(t, trigger("help")) }
	webhook, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	require.True(t, webhook.Info.Reconciled)
}

// An older equal webhook is not mistaken for the created one, although Twilio's
// clock and ours are minutes apart.
func TestAnOlderEqualWebhookIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"ahead": 7 * time.Minute, "behind": -7 * time.Minute, "equal": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var shift atomic.Int64
			fixed := time.Now()
			now := func() time.Time { return fixed.Add(skew + time.Duration(shift.Load())) }
			f := newFaulty(t, now)
			f.createElsewhere(t, trigger("help"))
			shift.Store(int64(3 * time.Second))
			f.faults <- lost
			require.Zero(t, f.unknown(t, trigger("help")).Found)

			f.restart(t)
			f.faults <- appliedAndLost
			webhook, err := f.CreateWebhook(t.Context(), room, trigger("help"))
			require.NoError(t, err)
			require.True(t, webhook.Info.Reconciled)
			require.NotEmpty(t, sid(t, webhook.JSON))
		})
	}
}

func TestAWebhookThatWasReturnedIsNotTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	direct, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	f.faults <- appliedAndLost
	reconciled, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	require.NotEqual(t, sid(t, direct.JSON), sid(t, reconciled.JSON))
	f.faults <- lost
	require.Zero(t, f.unknown(t, trigger("help")).Found)
	require.Equal(t, []string{"found", "not_found"}, f.outcomes)
}

// A create of unknown outcome may still be applied: for a minute, an equal webhook
// may be its own.
func TestAWebhookThatMayBelongToACreateOfUnknownOutcomeIsNotTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, lost, appliedAndLost, appliedAndLost)
	require.Zero(t, f.unknown(t, trigger("help")).Found)
	require.Equal(t, 1, f.unknown(t, trigger("help")).Found)
	_, err := f.CreateWebhook(t.Context(), room, twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com/other"), Triggers: []string{"help"}})
	require.NoError(t, err, "a create of another webhook is not affected")
	require.Equal(t, []string{"not_found", "unknown", "found"}, f.outcomes)
}

// A response of 2xx is accepted only if it can be the response to this create. Any
// other one leaves it open whether the webhook was created.
func TestASuccessThatCannotBeTheResponseIsReconciled(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		status int
		body   string
	}{
		{201, `{}`},
		{200, `{"status":"ok","login":"please"}`},
		{202, `{"status":"queued"}`},
		{201, `{"sid":"CH123"}`},
		{201, `{"sid":null}`},
		{201, `{"sid":["WHffffffffffffffffffffffffffffffff"]}`},
		{201, `{"sid":"WHffffffffffffffffffffffffffffffff","conversation_sid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`},
		{201, `{"sid":"WHffffffffffffffffffffffffffffffff","conversation_sid":7}`},
		{201, `{"sid":"WHffffffffffffffffffffffffffffffff","x":1e999}`},
		{201, `{"sid":"WHffffffffffffffffffffffffffffffff","x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`},
		{204, ``},
		{201, `<html>`},
	} {
		t.Run(fmt.Sprint(row.status, " ", row.body[:min(len(row.body), 100)]), func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t, nil, answer(row.status, row.body, true))
			result, err := f.CreateWebhook(t.Context(), room, trigger("help"))
			require.NoError(t, err)
			require.True(t, result.Info.Reconciled)
			require.Equal(t, row.status, result.Info.Status)
			require.NotEqual(t, "WHffffffffffffffffffffffffffffffff", sid(t, result.JSON))
			require.EqualValues(t, 1, f.applied.Load())

			f.restart(t)
			f.faults <- answer(row.status, row.body, false)
			unknown := f.unknown(t, trigger("other"))
			require.Zero(t, unknown.Found)
			require.EqualValues(t, 1, f.applied.Load(), "not sent again")
		})
	}
}

func TestAWebhookIsNotReturnedTwice(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	first, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	f.faults <- answer(201, string(first.JSON), true)
	second, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	require.True(t, second.Info.Reconciled)
	require.NotEqual(t, sid(t, first.JSON), sid(t, second.JSON))
}

func TestASuccessThatDiffersIsReturnedWithTheNamesOfTheParameters(t *testing.T) {
	t.Parallel()
	webhook := twilioapi.NewWebhook{Target: "webhook", URL: ptr("https://example.com"), Filters: []string{"onMessageAdded", "onMessageRemoved"}}
	for body, want := range map[string][]string{
		`"target":"webhook","configuration":{"url":"https://example.com","method":"POST","filters":["onMessageRemoved","onMessageAdded"]}`:                       nil,
		`"target":"webhook","configuration":{"url":"https://example.com","method":"GET","filters":["onMessageAdded"]}`:                                           {"Configuration.Method", "Configuration.Filters"},
		`"target":"webhook","configuration":{"url":"HTTPS://Example.com:443/","method":"post","filters":["onMessageRemoved","onMessageAdded"],"replay_after":0}`: {"Configuration.ReplayAfter"},
		`"target":"trigger","configuration":"?"`: {"Target"},
		`"configuration":null`:                   nil,
		`"target":"webhook","configuration":{"url":7,"method":"get","filters":"onMessageAdded","replay_after":"7"}`: {"Configuration.Method"},
	} {
		client, got := record(t, twilioapi.Config{}, reply(201, `{"sid":"`+webhookSID+`","conversation_sid":null,`+body+`}`))
		result, err := client.CreateWebhook(t.Context(), conversation, webhook)
		require.NoError(t, err)
		require.Equal(t, want, result.Differs, body)
		require.False(t, result.Info.Reconciled)
		require.Len(t, got, 1)
	}
}

func TestAListThatIsNotOneOfTheConversationIsAnError(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{}`, `{"webhooks":null}`, `{"webhooks":{}}`, `{"webhooks":[7]}`, `{"sid":"` + webhookSID + `"}`,
		`{"webhooks":[{"conversation_sid":null},{"conversation_sid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}]}`,
	} {
		client, _ := record(t, twilioapi.Config{}, reply(200, body))
		_, err := client.ListWebhooks(t.Context(), conversation, twilioapi.Page{})
		require.Equal(t, 200, twilioError(t, err).Status, body)
	}
}

func TestReplayAfterIsComparedWhereTheListShowsIt(t *testing.T) {
	t.Parallel()
	replay := func(after int64) twilioapi.NewWebhook {
		w := trigger("help")
		w.ReplayAfter = &after
		return w
	}
	f := newFaulty(t, nil)
	f.createElsewhere(t, replay(3))
	f.faults <- lost
	require.Zero(t, f.unknown(t, replay(0)).Found)
	f.restart(t)
	f.faults <- appliedAndLost
	result, err := f.CreateWebhook(t.Context(), room, replay(0))
	require.NoError(t, err)
	require.Contains(t, string(result.JSON), `"replay_after":0`)
}

// Webhooks that are younger than the list show that date_created and Date are of
// different clocks. Then the age of webhooks proves nothing.
func TestClocksThatDisagreeMakeTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(time.Minute) // the clock of date_created
	f := newFaulty(t, nil, lost)
	list := func(_ func(), w http.ResponseWriter, r *http.Request) { // the Date header has another clock
		listedAt(now)(w, r)
	}
	f.reads <- list
	f.reads <- list
	require.Equal(t, 1, f.unknown(t, trigger("help")).Found)
}

// A webhook whose date or content cannot be read may be the created one.
func TestAWebhookThatCannotBeReadMayBeTheCreatedOne(t *testing.T) {
	t.Parallel()
	for _, item := range []string{
		listed("null"), listed(`"yesterday"`), listed("7"), strings.Replace(listed("null"), `["help"]`, `"help"`, 1),
		strings.Replace(listed("null"), webhookSID, "WH1", 1),
	} {
		f := newFaulty(t, nil, lost)
		for range 2 {
			f.reads <- answer(200, `{"webhooks":[`+item+`]}`, false)
		}
		require.Equal(t, 1, f.unknown(t, trigger("help")).Found, item)
		require.Equal(t, []string{"unknown"}, f.outcomes)
	}
}

// listed is the webhook of trigger("help") with a date_created, which is JSON.
func listed(date string) string {
	return `{"sid":"` + webhookSID + `","target":"trigger","date_created":` + date +
		`,"configuration":{"url":"https://example.com/a?b=c","method":"POST","triggers":["help"]}}`
}

func listedAt(created time.Time) http.HandlerFunc {
	return reply(200, `{"webhooks":[`+listed(created.UTC().Format(`"`+time.RFC3339+`"`))+`]}`)
}

func TestSeveralEqualWebhooksMakeTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	f.createElsewhere(t, trigger("help"))
	f.faults <- appliedAndLost
	require.Equal(t, 2, f.unknown(t, trigger("help")).Found)
}

func TestAWebhookThatDiffersIsNotTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	f.createElsewhere(t, trigger("other"))
	f.createElsewhere(t, twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com/other"), Triggers: []string{"help"}})
	f.createElsewhere(t, twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com/a?b=c"), Method: ptr("get"), Triggers: []string{"help"}})
	f.createElsewhere(t, twilioapi.NewWebhook{Target: "studio", FlowSID: ptr("FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")})
	f.faults <- lost
	require.Zero(t, f.unknown(t, trigger("help")).Found)
}

func TestAStudioWebhookWithOtherFiltersIsNotTaken(t *testing.T) {
	t.Parallel()
	studio := func(filters ...string) twilioapi.NewWebhook {
		return twilioapi.NewWebhook{Target: "studio", FlowSID: ptr("FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), Filters: filters}
	}
	f := newFaulty(t, nil)
	f.createElsewhere(t, studio("onMessageRemoved"))
	f.faults <- lost
	require.Zero(t, f.unknown(t, studio("onMessageAdded")).Found)
	f.restart(t)
	f.faults <- appliedAndLost
	webhook, err := f.CreateWebhook(t.Context(), room, studio("onMessageAdded"))
	require.NoError(t, err)
	require.True(t, webhook.Info.Reconciled)
}

// A conversation has a SID and a unique name: a webhook may belong to a create by
// the other name that has no response yet.
func TestACreateByTheOtherNameOfTheConversationMayOwnTheWebhook(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	applied, ended := make(chan struct{}), make(chan struct{})
	f.faults <- func(apply func(), _ http.ResponseWriter, _ *http.Request) {
		apply()
		close(applied)
		<-ended
		panic(http.ErrAbortHandler)
	}
	slow := make(chan error, 1)
	go func() {
		_, err := f.CreateWebhook(t.Context(), room, trigger("help"))
		slow <- err
	}()
	<-applied
	f.faults <- lost
	_, err := f.CreateWebhook(t.Context(), "empty room", trigger("help"))
	requireOutcome(t, twilioapi.Unknown, err)
	close(ended)
	requireOutcome(t, twilioapi.Unknown, <-slow) // the other create may still be applied
}

func TestAnIncompleteListMakesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"{}", `{"webhooks":[],"meta":{"next_page_url":"https://example.com"}}`, `{"webhooks":[],"meta":7}`,
		`{"webhooks":[],"meta":{"next_page_url":"https://example.com?PageToken=PA1"}}`, `{"webhooks":7}`} {
		f := newFaulty(t, nil, lost)
		for range 10 {
			f.reads <- answer(200, page, false)
		}
		require.Error(t, f.unknown(t, trigger("help")).Err, page)
	}
}

func TestAListThatFailsMakesTheOutcomeUnknown(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, appliedAndLost)
	for range 4 {
		f.reads <- lost
	}
	require.Error(t, f.unknown(t, trigger("help")).Err)
	require.EqualValues(t, 1, f.applied.Load())
}

func TestWithoutADateHeaderNothingIsTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, appliedAndLost)
	for range 2 {
		f.reads <- func(_ func(), w http.ResponseWriter, r *http.Request) {
			w.Header()["Date"] = nil
			listedAt(time.Now())(w, r)
		}
	}
	require.Equal(t, 1, f.unknown(t, trigger("help")).Found)
}

// The responses of concurrent creates are lost, some before the create was applied:
// no webhook is returned twice, and none that was not created.
func TestConcurrentLostCreatesReturnNoWebhookTwice(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	f.onSleep = runtime.Gosched
	for i := range 5 {
		if i%2 == 0 {
			f.faults <- appliedAndLost
		} else {
			f.faults <- lost
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	returned := map[string]int{}
	for range 5 {
		all.Go(func() {
			webhook, err := f.CreateWebhook(t.Context(), room, trigger("help"))
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			returned[sid(t, webhook.JSON)]++
		})
	}
	all.Wait()
	require.LessOrEqual(t, len(returned), int(f.applied.Load()))
	for sid, times := range returned {
		require.Equal(t, 1, times, sid)
	}
}

// A create of another account cannot own the webhook, although the conversation
// has the same name.
func TestACreateOfAnotherAccountCannotOwnTheWebhook(t *testing.T) {
	t.Parallel()
	fixed := time.Now()
	twilio := sandbox.New(sandbox.Options{Now: func() time.Time { return fixed }})
	arrived, reconciled := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch username, _, _ := r.BasicAuth(); {
		case username == "AC2":
			close(arrived)
			<-reconciled
			w.WriteHeader(http.StatusNotFound)
		case r.Method == http.MethodPost:
			<-arrived
			twilio.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			twilio.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	client, err := twilioapi.New(twilioapi.Config{BaseURL: srv.URL, Credentials: give("AC1", "x")})
	require.NoError(t, err)
	other := make(chan error, 1)
	go func() {
		_, err := client.WithCredentials(twilioapi.Credentials{Username: "AC2", Password: "x"}).CreateWebhook(t.Context(), room, trigger("help"))
		other <- err
	}()
	webhook, err := client.CreateWebhook(t.Context(), room, trigger("help"))
	close(reconciled)
	require.NoError(t, err)
	require.True(t, webhook.Info.Reconciled)
	require.Error(t, <-other)
}
