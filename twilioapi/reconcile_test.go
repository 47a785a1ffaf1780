package twilioapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const room = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// A fault is what becomes of a create: applied by the sandbox or not, and
// answered by w or not.
type fault func(apply func(), w http.ResponseWriter, r *http.Request)

func appliedAndLost(apply func(), _ http.ResponseWriter, _ *http.Request) {
	apply()
	panic(http.ErrAbortHandler)
}

func lost(func(), http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// faulty is a sandbox behind a proxy that lets faults happen to creates, in
// order, and counts what was applied.
type faulty struct {
	*twilioapi.Client
	url     string
	faults  chan fault
	lists   chan fault
	applied atomic.Int32
	waited  atomic.Int64
	nap     func() // what happens meanwhile
}

func newFaulty(t *testing.T, now func() time.Time, faults ...fault) *faulty {
	t.Helper()
	if now == nil { // Twilio's clock stands still, so that no second ends between two looks
		fixed := time.Now()
		now = func() time.Time { return fixed }
	}
	twilio := sandbox.New(sandbox.Options{Now: now})
	f := &faulty{faults: make(chan fault, 100), lists: make(chan fault, 100), nap: func() {}}
	for _, next := range faults {
		f.faults <- next
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pending := f.lists
		if r.Method == http.MethodPost {
			pending = f.faults
		}
		select {
		case next := <-pending:
			next(func() { twilio.ServeHTTP(httptest.NewRecorder(), r); f.applied.Add(1) }, w, r)
		default:
			twilio.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(srv.Close)
	client, err := twilioapi.New(twilioapi.Config{
		BaseURL: srv.URL, Credentials: give("AC1", "x"),
		Sleep: func(_ context.Context, d time.Duration) error { f.waited.Add(int64(d)); f.nap(); return nil },
	})
	require.NoError(t, err)
	f.Client, f.url = client, srv.URL
	return f
}

// byAnother makes a webhook as another process would.
func (f *faulty) byAnother(t *testing.T, w twilioapi.NewWebhook) string {
	t.Helper()
	other, err := twilioapi.New(twilioapi.Config{BaseURL: f.url, Credentials: give("AC1", "x")})
	require.NoError(t, err)
	made, err := other.CreateWebhook(t.Context(), room, w)
	require.NoError(t, err)
	return sid(t, made.JSON)
}

func sid(t *testing.T, webhook json.RawMessage) string {
	t.Helper()
	var fields struct{ SID string }
	require.NoError(t, json.Unmarshal(webhook, &fields))
	require.NotEmpty(t, fields.SID)
	return fields.SID
}

func (f *faulty) unsettled(t *testing.T, w twilioapi.NewWebhook) *twilioapi.OutcomeUnknownError {
	t.Helper()
	result, err := f.CreateWebhook(t.Context(), room, w)
	require.False(t, result.Info.Reconciled)
	unsettled, ok := errors.AsType[*twilioapi.OutcomeUnknownError](err)
	require.True(t, ok, err)
	return unsettled
}

func trigger(keywords ...string) twilioapi.NewWebhook {
	return twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com/a?b=c"), Triggers: keywords}
}

func TestACreateWhoseAnswerWasLostIsFound(t *testing.T) {
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
	unsettled := f.unsettled(t, trigger("help"))
	require.Zero(t, unsettled.Found)
	require.NoError(t, unsettled.List)
	require.GreaterOrEqual(t, time.Duration(f.waited.Load()), 2*time.Second, "looked at twice")
	require.Less(t, time.Duration(f.waited.Load()), 3*time.Second)
	require.ErrorAs(t, unsettled, new(*twilioapi.NoAnswerError))
}

func TestAWebhookThatComesLateIsFoundAtTheSecondLook(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, lost)
	f.nap = func() { f.byAnother(t, trigger("help")) }
	webhook, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	require.True(t, webhook.Info.Reconciled)
}

// An older twin is not taken for the new one, though Twilio's clock and ours
// are minutes apart.
func TestAnOldTwinIsNotTaken(t *testing.T) {
	t.Parallel()
	for name, skew := range map[string]time.Duration{"ahead": 7 * time.Minute, "behind": -7 * time.Minute, "equal": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var shift atomic.Int64
			fixed := time.Now()
			now := func() time.Time { return fixed.Add(skew + time.Duration(shift.Load())) }
			f := newFaulty(t, now)
			f.byAnother(t, trigger("help"))
			shift.Store(int64(3 * time.Second))
			f.faults <- lost
			require.Zero(t, f.unsettled(t, trigger("help")).Found)

			f.faults <- appliedAndLost
			webhook, err := f.CreateWebhook(t.Context(), room, trigger("help"))
			require.NoError(t, err)
			require.True(t, webhook.Info.Reconciled)
			require.NotEmpty(t, sid(t, webhook.JSON))
		})
	}
}

func TestAWebhookThatThisProcessReturnedIsNotTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	_, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	f.faults <- lost
	require.Zero(t, f.unsettled(t, trigger("help")).Found)

	f.faults <- appliedAndLost
	first, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	f.faults <- appliedAndLost
	second, err := f.CreateWebhook(t.Context(), room, trigger("help"))
	require.NoError(t, err)
	require.NotEqual(t, sid(t, first.JSON), sid(t, second.JSON))
}

func TestSeveralNewTwinsLeaveItUnknown(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	f.byAnother(t, trigger("help"))
	f.faults <- appliedAndLost
	require.Equal(t, 2, f.unsettled(t, trigger("help")).Found)
}

func TestAnotherWebhookIsNotTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	f.byAnother(t, trigger("other"))
	f.byAnother(t, twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com/other"), Triggers: []string{"help"}})
	f.byAnother(t, twilioapi.NewWebhook{Target: "trigger", URL: ptr("https://example.com/a?b=c"), Method: ptr("get"), Triggers: []string{"help"}})
	f.byAnother(t, twilioapi.NewWebhook{Target: "studio", FlowSID: ptr("FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")})
	f.faults <- lost
	require.Zero(t, f.unsettled(t, trigger("help")).Found)
}

// What was asked for includes the filters of a studio webhook.
func TestAnotherStudioWebhookIsNotTaken(t *testing.T) {
	t.Parallel()
	studio := func(filters ...string) twilioapi.NewWebhook {
		return twilioapi.NewWebhook{Target: "studio", FlowSID: ptr("FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), Filters: filters}
	}
	f := newFaulty(t, nil)
	f.byAnother(t, studio("onMessageRemoved"))
	f.faults <- lost
	require.Zero(t, f.unsettled(t, studio("onMessageAdded")).Found)
	f.faults <- appliedAndLost
	webhook, err := f.CreateWebhook(t.Context(), room, studio("onMessageAdded"))
	require.NoError(t, err)
	require.True(t, webhook.Info.Reconciled)
}

// A conversation has a SID and a unique name. While a create by one is under
// way, a lost one by the other is not taken for it.
func TestACreateByTheConversationsOtherNameIsADoubt(t *testing.T) {
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
	other, err := f.CreateWebhook(t.Context(), "empty room", trigger("help"))
	require.Error(t, err)
	require.False(t, other.Info.Reconciled)
	close(ended)
	require.NoError(t, <-slow)
}

func TestAListThatIsNotWholeLeavesItUnknown(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"{}", `{"webhooks":[],"meta":{"next_page_url":"https://example.com"}}`, `{"webhooks":7}`} {
		f := newFaulty(t, nil, lost)
		f.lists <- func(_ func(), w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page)) }
		require.Error(t, f.unsettled(t, trigger("help")).List, page)
	}
}

func TestAListThatFailsTooLeavesItUnknown(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, appliedAndLost)
	for range 4 {
		f.lists <- lost
	}
	require.Error(t, f.unsettled(t, trigger("help")).List)
	require.EqualValues(t, 1, f.applied.Load())
}

func TestWithoutADateNothingIsTaken(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil, appliedAndLost)
	undated := func(_ func(), w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = nil
		_, _ = w.Write([]byte(`{"webhooks":[{"sid":"WH1","target":"trigger","date_created":"2026-01-01T00:00:00Z","configuration":{"url":"https://example.com/a?b=c","method":"POST","triggers":["help"]}}]}`))
	}
	f.lists <- undated
	f.lists <- undated
	require.Equal(t, 1, f.unsettled(t, trigger("help")).Found)
}

// Many creates at once, each lost after it was applied or before: no webhook is
// given to two of them, and none is said to be made that was not.
func TestManyLostCreatesAtOnce(t *testing.T) {
	t.Parallel()
	f := newFaulty(t, nil)
	f.nap = runtime.Gosched
	for i := range 5 {
		if i%2 == 0 {
			f.faults <- appliedAndLost
		} else {
			f.faults <- lost
		}
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	given := map[string]int{}
	for range 5 {
		all.Go(func() {
			webhook, err := f.CreateWebhook(t.Context(), room, trigger("help"))
			if err != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			given[sid(t, webhook.JSON)]++
		})
	}
	all.Wait()
	require.LessOrEqual(t, len(given), int(f.applied.Load()))
	for sid, times := range given {
		require.Equal(t, 1, times, sid)
	}
}

// A create of another account's, on a conversation of the same name, is no
// reason to doubt.
func TestAnotherAccountsCreateIsNoDoubt(t *testing.T) {
	t.Parallel()
	fixed := time.Now()
	twilio := sandbox.New(sandbox.Options{Now: func() time.Time { return fixed }})
	arrived, settled := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch username, _, _ := r.BasicAuth(); {
		case username == "AC2":
			close(arrived)
			<-settled
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
	close(settled)
	require.NoError(t, err)
	require.True(t, webhook.Info.Reconciled)
	require.Error(t, <-other)
}
