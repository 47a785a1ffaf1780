package twilioapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

const (
	conversation = "CH0123456789abcdef0123456789abcdef"
	webhookSID   = "WH0123456789abcdef0123456789abcdef"
	emptyList    = `{"webhooks":[]}`
	oneWebhook   = `{"sid":"` + webhookSID + `"}`
)

// A request is a request as the server received it.
type request struct {
	method, target, body string
	header               http.Header
}

// record starts a server and returns a client of it, and the requests it received.
func record(t *testing.T, config twilioapi.Config, handler http.HandlerFunc) (*twilioapi.Client, <-chan request) {
	t.Helper()
	got := make(chan request, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got <- request{r.Method, r.RequestURI, string(body), r.Header}
		handler(w, r)
	}))
	t.Cleanup(srv.Close)
	config.BaseURL = srv.URL
	if config.Credentials == nil {
		config.Credentials = give("SK1", "secret")
	}
	if config.Sleep == nil {
		config.Sleep = noSleep
	}
	client, err := twilioapi.New(config)
	require.NoError(t, err)
	return client, got
}

func noSleep(context.Context, time.Duration) error { return nil }

// creates counts the requests that were creates.
func creates(got <-chan request) (n int) {
	for range len(got) {
		if r := <-got; r.method == "POST" {
			n++
		}
	}
	return n
}

// twilioError returns a copy of an Error with its exported fields only.
func twilioError(t *testing.T, err error) twilioapi.Error {
	t.Helper()
	e, ok := errors.AsType[*twilioapi.Error](err)
	require.True(t, ok, err)
	return twilioapi.Error{Status: e.Status, Code: e.Code, Message: e.Message, MoreInfo: e.MoreInfo, RequestID: e.RequestID, RetryAfter: e.RetryAfter, Attempts: e.Attempts}
}

// requireOutcome returns an error, which must have the outcome.
func requireOutcome(t *testing.T, want twilioapi.Outcome, err error) *twilioapi.Error {
	t.Helper()
	e, ok := errors.AsType[*twilioapi.Error](err)
	require.True(t, ok, err)
	require.Equal(t, want, e.Outcome, err)
	return e
}

func give(username, password string) twilioapi.CredentialsFunc {
	return func() (twilioapi.Credentials, error) {
		return twilioapi.Credentials{Username: username, Password: password}, nil
	}
}

func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Twilio-Request-Id", "RQ1")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func ptr[T any](v T) *T { return &v }

func TestTheListRequestIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{Version: "v1.2.3", Credentials: give("username", "password")}, reply(200, ` {"webhooks": []} `))
	result, err := client.ListWebhooks(t.Context(), conversation, twilioapi.Page{})
	require.NoError(t, err)
	require.Equal(t, `{"webhooks":[]}`, string(result.JSON), "Twilio's JSON without white space")

	r := <-got
	require.Equal(t, "GET", r.method)
	require.Equal(t, "/v1/Conversations/"+conversation+"/Webhooks", r.target)
	require.Empty(t, r.body)
	require.Equal(t, "Basic dXNlcm5hbWU6cGFzc3dvcmQ=", r.header.Get("Authorization"))
	require.Equal(t, "application/json", r.header.Get("Accept"))
	require.Equal(t, fmt.Sprintf("twilio-conversations-mcp/v1.2.3 (%s %s) go/%s",
		runtime.GOOS, runtime.GOARCH, strings.TrimPrefix(runtime.Version(), "go")), r.header.Get("User-Agent"))
}

func TestTheCreateRequestIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, reply(201, oneWebhook))
	result, err := client.CreateWebhook(t.Context(), conversation, twilioapi.NewWebhook{
		Target:      "webhook",
		URL:         ptr("https://example.com"),
		Method:      ptr("get"),
		Filters:     []string{"onMessageSent", "onConversationDestroyed"},
		ReplayAfter: ptr(int64(7)),
	})
	require.NoError(t, err)
	require.Equal(t, oneWebhook, string(result.JSON))

	r := <-got
	require.Equal(t, "POST", r.method)
	require.Equal(t, "/v1/Conversations/"+conversation+"/Webhooks", r.target)
	require.Equal(t, "application/x-www-form-urlencoded", r.header.Get("Content-Type"))
	require.ElementsMatch(t, strings.Split("Target=webhook&Configuration.Url=https%3A%2F%2Fexample.com&Configuration.Method=get"+
		"&Configuration.Filters=onMessageSent&Configuration.Filters=onConversationDestroyed&Configuration.ReplayAfter=7", "&"),
		strings.Split(r.body, "&"), "the parameters of the documented curl example")
}

func TestExactlyTheGivenParametersAreSent(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		webhook twilioapi.NewWebhook
		want    string
	}{
		"nothing":              {twilioapi.NewWebhook{Target: "studio"}, "Target=studio"},
		"zero":                 {twilioapi.NewWebhook{Target: "studio", ReplayAfter: new(int64)}, "Configuration.ReplayAfter=0&Target=studio"},
		"empty string":         {twilioapi.NewWebhook{Target: "webhook", URL: new(string)}, "Configuration.Url=&Target=webhook"},
		"empty list":           {twilioapi.NewWebhook{Target: "webhook", Filters: []string{}}, "Target=webhook"},
		"order and duplicates": {twilioapi.NewWebhook{Target: "trigger", Triggers: []string{"b", "a", "b"}}, "Configuration.Triggers=b&Configuration.Triggers=a&Configuration.Triggers=b&Target=trigger"},
		"reserved":             {twilioapi.NewWebhook{Target: "trigger", Triggers: []string{"a&b=c +%é\x00"}}, "Configuration.Triggers=a%26b%3Dc+%2B%25%C3%A9%00&Target=trigger"},
		"flow":                 {twilioapi.NewWebhook{Target: "studio", FlowSID: ptr("FW1")}, "Configuration.FlowSid=FW1&Target=studio"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, got := record(t, twilioapi.Config{}, reply(201, oneWebhook))
			_, err := client.CreateWebhook(t.Context(), conversation, row.webhook)
			require.NoError(t, err)
			require.Equal(t, row.want, (<-got).body)
		})
	}
}

func TestPageParametersAreSentInTheQuery(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, reply(200, emptyList))
	_, err := client.ListWebhooks(t.Context(), conversation, twilioapi.Page{Size: ptr(int64(2)), Index: new(int64), Token: ptr("PA+/=&")})
	require.NoError(t, err)
	require.Equal(t, "/v1/Conversations/"+conversation+"/Webhooks?Page=0&PageSize=2&PageToken=PA%2B%2F%3D%26", (<-got).target)
}

func TestANameStaysOnePathElement(t *testing.T) {
	t.Parallel()
	for name, element := range map[string]string{
		"support/42":      "support%2F42",
		"a?b#c%d":         "a%3Fb%23c%25d",
		"two words":       "two%20words",
		"Räume":           "R%C3%A4ume",
		"../../Services":  "..%2F..%2FServices",
		"%2e%2e":          "%252e%252e",
		"...":             "...",
		"line\nbreak\x00": "line%0Abreak%00",
		`back\slash;a=b`:  "back%5Cslash%3Ba=b",
	} {
		t.Run(element, func(t *testing.T) {
			t.Parallel()
			client, got := record(t, twilioapi.Config{}, reply(200, emptyList))
			_, err := client.ListWebhooks(t.Context(), name, twilioapi.Page{})
			require.NoError(t, err)
			require.Equal(t, "/v1/Conversations/"+element+"/Webhooks", (<-got).target)
		})
	}
}

func TestNamesThatCannotBePathElementsAreRefused(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, reply(200, emptyList))
	for _, name := range []string{"", ".", ".."} {
		_, err := client.CreateWebhook(t.Context(), name, twilioapi.NewWebhook{Target: "studio"})
		require.ErrorContains(t, err, "ConversationSid must not be")
		requireOutcome(t, twilioapi.NotSent, err)
	}
	require.Empty(t, got)
}

func TestAServiceHasItsOwnPaths(t *testing.T) {
	t.Parallel()
	const service = "IS0123456789abcdef0123456789abcdef"
	client, got := record(t, twilioapi.Config{ServiceSID: service}, reply(200, emptyList))
	_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	require.NoError(t, err)
	require.Equal(t, "/v1/Services/"+service+"/Conversations/room/Webhooks", (<-got).target)
}

func TestCredentialsAreRequestedOncePerCall(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	client, got := record(t, twilioapi.Config{Credentials: func() (twilioapi.Credentials, error) {
		if calls.Add(1) == 2 {
			return twilioapi.Credentials{}, errors.New("set them")
		}
		return twilioapi.Credentials{Username: "AC1", Password: "token"}, nil
	}}, reply(200, emptyList))
	_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	require.NoError(t, err)
	_, err = client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	requireOutcome(t, twilioapi.NotSent, err)
	require.EqualError(t, err, "set them")
	require.Len(t, got, 1)
}

func TestCredentialsDoNotPrint(t *testing.T) {
	t.Parallel()
	c := twilioapi.Credentials{Username: "SKuser", Password: "hunter2"}
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		text := fmt.Sprintf(format, []any{c, &c, struct{ C twilioapi.Credentials }{c}})
		require.NotContains(t, text, "hunter2", format)
		require.NotContains(t, text, fmt.Sprintf("%x", "hunter2"), format)
	}
}

func TestAnErrorHasTwiliosDetails(t *testing.T) {
	t.Parallel()
	client, _ := record(t, twilioapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3")
		reply(429, `{"code": 20429, "message": "Too many\nrequests", "more_info": "https://www.twilio.com/docs/errors/20429", "status": 429}`)(w, r)
	})
	_, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{})
	require.Equal(t, twilioapi.Error{
		Status: 429, Code: 20429, Message: "Too many requests", RequestID: "RQ1", RetryAfter: 3 * time.Second,
		MoreInfo: "https://www.twilio.com/docs/errors/20429", Attempts: 4,
	}, twilioError(t, err))
	require.EqualError(t, err, "Twilio answered 429, code 20429: Too many requests")
}

func TestADetailAndTheParameterArePartOfTheMessage(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"code":20001,"message":"Invalid","detail":"No such event","params":{"field":"Configuration.Filters"}}`: "Invalid: No such event (Configuration.Filters)",
		`{"code":20001,"message":"Invalid","detail":"Invalid","params":{"field":7}}`:                             "Invalid",
		`{"code":20001,"message":"Invalid Url","detail":["x"],"params":{"field":"Url"}}`:                         "Invalid Url",
		`{"code":20001,"detail":"No such event","params":"x"}`:                                                   "No such event",
	} {
		client, _ := record(t, twilioapi.Config{}, reply(400, body))
		_, err := client.ListWebhooks(t.Context(), conversation, twilioapi.Page{})
		require.Equal(t, want, twilioError(t, err).Message, body)
		require.Empty(t, err.(*twilioapi.Error).Body, body)
	}
}

func TestAClientWithoutCredentialsSaysSo(t *testing.T) {
	t.Parallel()
	client, err := twilioapi.New(twilioapi.Config{})
	require.NoError(t, err)
	_, err = client.ListWebhooks(t.Context(), conversation, twilioapi.Page{})
	requireOutcome(t, twilioapi.NotSent, err)
	require.EqualError(t, err, "there are no Twilio credentials")
}

func TestTheStatusIsNeverLost(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		status  int
		body    string
		message string
		code    int
	}{
		"empty":          {503, "", "", 0},
		"HTML":           {502, "<html><h1>Bad Gateway</h1></html>", "", 0},
		"an array":       {400, "[]", "", 0},
		"other types":    {400, `{"code":{},"message":7,"more_info":null}`, "", 0},
		"null code":      {500, `{"code":null,"message":"Internal"}`, "Internal", 0},
		"cut":            {400, `{"code":50369,"mess`, "", 50369},
		"a redirect":     {307, "", "", 0},
		"huge":           {500, strings.Repeat("x", 1<<20), "", 0},
		"success, HTML":  {201, "<html>", "the response is not a JSON object", 0},
		"success, empty": {201, "", "the response is not a JSON object", 0},
		"success, array": {200, "[]", "the response is not a JSON object", 0},
		"success, junk":  {200, `{"a":1} x`, "the response is not a JSON object", 0},
		"success, huge":  {200, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, "the response is too large", 0},
		"a code as text": {400, `{"code":"50361","message":"Five"}`, "Five", 50361},
		"a BOM":          {400, "\uFEFF" + `{"code":50361.0,"message":"Five"}`, "Five", 50361},
		"odd codes":      {400, `{"code":"5x","message":"Five"}`, "Five", 0},
		"a fraction":     {400, `{"code":1.5,"message":"Five"}`, "Five", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, got := record(t, twilioapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				reply(row.status, row.body)(w, r)
			})
			_, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
			require.Equal(t, twilioapi.Error{Status: row.status, Code: row.code, Message: row.message, RequestID: "RQ1", Attempts: 1}, twilioError(t, err))
			require.Equal(t, 1, creates(got), "sent once, redirects not followed")
		})
	}
}

func TestInvalidUTF8InAResponseIsReplaced(t *testing.T) {
	t.Parallel()
	client, _ := record(t, twilioapi.Config{}, reply(201, "{\"sid\":\""+webhookSID+"\",\"url\":\"\xe4\"}"))
	result, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
	require.NoError(t, err)
	require.Equal(t, `{"sid":"`+webhookSID+`","url":"`+"\uFFFD"+`"}`, string(result.JSON))
}

func TestErrorsHaveNoSecretsAndNoControlCharacters(t *testing.T) {
	t.Parallel()
	const header = "U0sxOmh1bnRlcjI=" // SK1:hunter2
	t.Run("refusal", func(t *testing.T) {
		t.Parallel()
		client, _ := record(t, twilioapi.Config{Credentials: give("SK1", "hunter2")}, func(w http.ResponseWriter, r *http.Request) {
			reply(400, `{"code":20001,"message":"no\u001b[2J \u202e`+r.Header.Get("Authorization")+`\nhunter2","more_info":"https://x/?hunter2"}`)(w, r)
		})
		_, err := client.ListWebhooks(t.Context(), conversation, twilioapi.Page{})
		require.Equal(t, twilioapi.Error{
			Status: 400, Code: 20001, Message: "no [2J  Basic [secret] [secret]", MoreInfo: "https://x/?[secret]", RequestID: "RQ1", Attempts: 1,
		}, twilioError(t, err))
	})
	t.Run("no HTTP", func(t *testing.T) {
		t.Parallel()
		client, _ := record(t, twilioapi.Config{Credentials: give("SK1", "hunter2")}, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "\x1b[2J "+header+" hunter2 "+strings.Repeat("x", 10_000)+"\n\n")
			_ = conn.Close()
		})
		_, err := client.ListWebhooks(t.Context(), conversation, twilioapi.Page{})
		noAnswer := requireOutcome(t, twilioapi.Failed, err)
		require.Less(t, len(noAnswer.Message), 600)
		require.NotContains(t, err.Error(), "hunter2")
		require.NotContains(t, err.Error(), header)
		require.NotContains(t, err.Error(), "\x1b")
	})
}

func TestATruncatedResponseKeepsItsStatus(t *testing.T) {
	t.Parallel()
	client, _ := record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		w.WriteHeader(201)
		_, _ = io.WriteString(w, `{"sid":`)
	})
	_, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
	require.Equal(t, twilioapi.Error{Status: 201, Message: "the response was cut off", Attempts: 1}, twilioError(t, err))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestAnErrorReportsWhetherTheRequestWasSent(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		client, err := twilioapi.New(twilioapi.Config{BaseURL: "http://127.0.0.1:1", Credentials: give("a", "b")})
		require.NoError(t, err)
		_, err = client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
		requireOutcome(t, twilioapi.NotSent, err)
		require.NotContains(t, err.Error(), "room", "no URL in the message")
	})
	t.Run("reset", func(t *testing.T) {
		t.Parallel()
		client, got := record(t, twilioapi.Config{}, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		_, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
		requireOutcome(t, twilioapi.Unknown, err)
		require.Equal(t, 1, creates(got), "a create is not sent again")
	})
	t.Run("time limit", func(t *testing.T) {
		t.Parallel()
		client, _ := record(t, twilioapi.Config{Timeout: 50 * time.Millisecond}, func(w http.ResponseWriter, r *http.Request) {
			if r.Method == "POST" {
				<-r.Context().Done()
			}
		})
		_, err := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
		requireOutcome(t, twilioapi.Unknown, err)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		ctx, cancel := context.WithCancel(t.Context())
		client, _ := record(t, twilioapi.Config{}, func(_ http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() })
		_, err := client.ListWebhooks(ctx, "room", twilioapi.Page{})
		require.ErrorIs(t, err, context.Canceled)
	})
}

func TestACreateThatWasSentIsCompletedAfterCancellation(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	client, got := record(t, twilioapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		reply(201, oneWebhook)(w, r)
	})
	result, err := client.CreateWebhook(ctx, "room", twilioapi.NewWebhook{Target: "studio"})
	require.NoError(t, err)
	require.Equal(t, oneWebhook, string(result.JSON))

	_, err = client.CreateWebhook(ctx, "room", twilioapi.NewWebhook{Target: "studio"})
	requireOutcome(t, twilioapi.NotSent, err)
	require.Len(t, got, 1, "a cancelled create is not sent")
}

func TestCallInfoDescribesTheCall(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		answer http.HandlerFunc
		want   twilioapi.CallInfo
	}{
		{reply(201, oneWebhook), twilioapi.CallInfo{Status: 201, RequestID: "RQ1", Attempts: 1}},
		{reply(404, `{"code":20404}`), twilioapi.CallInfo{Status: 404, Code: 20404, RequestID: "RQ1", Attempts: 1}},
		{reset, twilioapi.CallInfo{Attempts: 1}},
	} {
		client, _ := record(t, twilioapi.Config{}, row.answer)
		result, _ := client.CreateWebhook(t.Context(), "room", twilioapi.NewWebhook{Target: "studio"})
		require.Equal(t, row.want, result.Info)
	}
}

func TestConcurrentListsShareConnections(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	srv := httptest.NewUnstartedServer(reply(200, emptyList))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	client, err := twilioapi.New(twilioapi.Config{BaseURL: srv.URL, Credentials: give("a", "b")})
	require.NoError(t, err)
	const callers, calls = 16, 50
	done := make(chan error, callers)
	for range callers {
		go func() {
			for range calls {
				if _, err := client.ListWebhooks(t.Context(), "room", twilioapi.Page{}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range callers {
		require.NoError(t, <-done)
	}
	require.LessOrEqual(t, int(opened.Load()), 2*callers, "of %d calls", callers*calls)
}

func TestInvalidSettingsAreNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		config twilioapi.Config
		want   string
	}{
		{twilioapi.Config{BaseURL: "conversations.twilio.com"}, "http or https URL"},
		{twilioapi.Config{BaseURL: "ftp://x"}, "http or https URL"},
		{twilioapi.Config{BaseURL: "https://"}, "http or https URL"},
		{twilioapi.Config{BaseURL: "https://:443"}, "http or https URL"},
		{twilioapi.Config{BaseURL: "https://user:pass@x"}, "http or https URL"},
		{twilioapi.Config{BaseURL: "https://x y"}, "http or https URL"},
		{twilioapi.Config{BaseURL: "https://x/v1"}, "no path"},
		{twilioapi.Config{BaseURL: "https://x?a=b"}, "no path"},
		{twilioapi.Config{Edge: "dublin.evil"}, "lower-case name"},
		{twilioapi.Config{Region: "IE1"}, "lower-case name"},
		{twilioapi.Config{ServiceSID: "IS1"}, "Service SID"},
	} {
		_, err := twilioapi.New(row.config)
		require.ErrorContains(t, err, row.want, "%+v", row.config)
		require.NotContains(t, err.Error(), "pass", "a base URL may contain a secret")
	}
	for _, good := range []string{"http://127.0.0.1:8081", "https://x/", "https://[::1]:1"} {
		_, err := twilioapi.New(twilioapi.Config{BaseURL: good})
		require.NoError(t, err, good)
	}
}
