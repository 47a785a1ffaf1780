package sandbox_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi/sandbox"
)

const (
	support   = "/v1/Conversations/CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Webhooks"
	empty     = "/v1/Conversations/CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/Webhooks"
	magic     = "/v1/Conversations/CH00000000000000000000000000000%s/Webhooks"
	flow      = "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	added     = "Target=webhook&Configuration.Url=https://example.com&Configuration.Filters=onMessageAdded"
	keyword   = "Target=trigger&Configuration.Url=https://example.com&Configuration.Triggers=help"
	sampleSID = "WHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	studio    = "Target=studio&Configuration.FlowSid=" + flow
	formal    = "application/x-www-form-urlencoded"
)

// An api is a sandbox behind an HTTP server.
type api struct {
	*testing.T
	base string
}

func start(t *testing.T, o sandbox.Options) api {
	server := httptest.NewServer(sandbox.New(o))
	t.Cleanup(server.Close)
	return api{t, server.URL}
}

type reply struct {
	status int
	header http.Header
	body   string
}

var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// send sends a request, which edit may change.
func (a api) send(method, path, form string, edit func(*http.Request)) reply {
	a.Helper()
	r, err := http.NewRequestWithContext(a.Context(), method, a.base+path, strings.NewReader(form))
	require.NoError(a, err)
	r.SetBasicAuth("SK1", "secret")
	r.Header.Set("Content-Type", formal)
	if edit != nil {
		edit(r)
	}
	response, err := direct.Do(r)
	require.NoError(a, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(a, err)
	return reply{response.StatusCode, response.Header, string(body)}
}

func (a api) get(path string) reply        { a.Helper(); return a.send("GET", path, "", nil) }
func (a api) post(path, form string) reply { a.Helper(); return a.send("POST", path, form, nil) }
func (a api) delete(path string) reply     { a.Helper(); return a.send("DELETE", path, "", nil) }

type webhook struct {
	SID             string `json:"sid"`
	ChatServiceSID  string `json:"chat_service_sid"`
	ConversationSID string `json:"conversation_sid"`
	Target          string
	Configuration   map[string]any
	DateCreated     string `json:"date_created"`
	DateUpdated     string `json:"date_updated"`
	URL             string
}

type page struct {
	Meta struct {
		Page     int
		PageSize int     `json:"page_size"`
		First    string  `json:"first_page_url"`
		Previous *string `json:"previous_page_url"`
		URL      string
		Next     *string `json:"next_page_url"`
		Key      string
	}
	Webhooks []webhook
}

type failure struct {
	Code     int
	Message  string
	MoreInfo string `json:"more_info"`
	Status   int
}

// read decodes a response that must have this status.
func read[T any](t *testing.T, status int, r reply) (v T) {
	t.Helper()
	require.Equal(t, status, r.status, r.body)
	require.NoError(t, json.Unmarshal([]byte(r.body), &v))
	return v
}

func (a api) created(path, form string) webhook {
	a.Helper()
	return read[webhook](a.T, 201, a.post(path, form))
}

func (a api) listed(path string) page {
	a.Helper()
	p := read[page](a.T, 200, a.get(path))
	require.Equal(a, "webhooks", p.Meta.Key)
	return p
}

// refused checks that a response is an error with this status and code.
func (a api) refused(r reply, status, code int) failure {
	a.Helper()
	f := read[failure](a.T, status, r)
	require.Equal(a, code, f.Code, f.Message)
	require.Equal(a, status, f.Status)
	require.Equal(a, fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), f.MoreInfo)
	require.NotEmpty(a, f.Message)
	require.Equal(a, fmt.Sprint(code), r.header.Get("X-Twilio-Error-Code"))
	return f
}

func sids(p page) (all []string) {
	for _, h := range p.Webhooks {
		all = append(all, h.SID)
	}
	return all
}

// at returns the path of a URL of Twilio's host.
func at(t *testing.T, address *string) string {
	t.Helper()
	require.NotNil(t, address)
	path, ok := strings.CutPrefix(*address, "https://conversations.twilio.com")
	require.True(t, ok, *address)
	return path
}

// documented returns an example of the API reference in compact form.
func documented(t *testing.T, name string, corrections ...string) string {
	t.Helper()
	example, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var compact bytes.Buffer
	require.NoError(t, json.Compact(&compact, example))
	return strings.NewReplacer(corrections...).Replace(compact.String())
}

// corrections of the examples: Twilio returns methods in upper case, keywords as triggers, and the event
// names of this product.
var corrections = []string{
	`"get"`, `"GET"`, `"post"`, `"POST"`, `"filters":["keyword1"`, `"triggers":["keyword1"`,
	"onMessageSent", "onMessageAdded", "onConversationDestroyed", "onConversationRemoved",
}

func TestTheFirstListIsTheDocumentedOneByteForByte(t *testing.T) {
	t.Parallel()
	want := documented(t, "list.json", corrections...)
	for i := range 3 { // the example has the same SID three times
		want = strings.Replace(want, sampleSID, fmt.Sprintf("WH%032d", i+1), 2) // in sid and in url
	}
	require.Equal(t, want, start(t, sandbox.Options{}).get(support).body)
}

func TestAnEmptyListIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	want := documented(t, "list_empty.json", "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
	require.JSONEq(t, want, start(t, sandbox.Options{}).get(empty).body)
}

func TestACreateRespondsAsDocumentedByteForByte(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{Now: func() time.Time { return time.Date(2016, 3, 24, 22, 5, 50, 9e8, time.FixedZone("", 3600)) }})
	form := "Target=webhook&Configuration.Url=https%3A%2F%2Fexample.com&Configuration.Method=get" +
		"&Configuration.Filters=onMessageAdded&Configuration.Filters=onConversationRemoved&Configuration.ReplayAfter=7"
	want := strings.ReplaceAll(documented(t, "create.json", corrections...), sampleSID, fmt.Sprintf("WH%032d", 4))
	want = strings.Replace(want, `Removed"]`, `Removed"],"replay_after":7`, 1)
	got := a.post(support, form)
	require.Equal(t, 201, got.status)
	require.Equal(t, want, got.body)
}

func TestTheDocumentedSampleRequestIsRefusedForItsEventNames(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	a.refused(a.post(support, "Target=webhook&Configuration.Url=https%3A%2F%2Fexample.com&Configuration.Method=get"+
		"&Configuration.Filters=onMessageSent&Configuration.Filters=onConversationDestroyed&Configuration.ReplayAfter=7"), 400, 50365)
}

func TestEveryResponseHasTwiliosHeaders(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	anonymous := func(r *http.Request) { r.Header.Del("Authorization") }
	for name, got := range map[string]reply{
		"list":         a.get(support),
		"create":       a.post(empty, added),
		"delete":       a.delete(support + "/WH00000000000000000000000000000001"),
		"refusal":      a.post(support, ""),
		"no such path": a.get("/v1"),
		"not clean":    a.get("//v1"),
		"wrong method": a.send("PUT", support, "", nil),
		"anonymous":    a.send("GET", support, "", anonymous),
		"bad gateway":  a.post(fmt.Sprintf(magic, "502"), added),
	} {
		require.Regexp(t, `^RQ[0-9a-f]{32}$`, got.header.Get("Twilio-Request-Id"), name)
		require.Regexp(t, `^\d+\.\d{3}$`, got.header.Get("Twilio-Request-Duration"), name)
		require.Equal(t, "1", got.header.Get("Twilio-Concurrent-Requests"), name)
		for _, h := range []string{"Origin", "Methods", "Headers", "Credentials"} {
			require.NotEmpty(t, got.header.Get("Access-Control-Allow-"+h), name)
		}
		require.NotEmpty(t, got.header.Get("Access-Control-Expose-Headers"), name)
		want := "application/json;charset=utf-8"
		switch {
		case got.status == 204:
			want = ""
			require.Empty(t, got.body)
		case got.status == 502:
			want = "text/html"
		}
		require.Equal(t, want, got.header.Get("Content-Type"), name)
		require.Equal(t, got.status >= 400 && got.status != 502, got.header.Get("X-Twilio-Error-Code") != "", name)
	}
	require.NotEqual(t, a.get(support).header.Get("Twilio-Request-Id"), a.get(support).header.Get("Twilio-Request-Id"))
}

func TestWellFormedCredentialsAreAccepted(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	basic := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	header := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	for name, edit := range map[string]func(*http.Request){
		"account": basic("AC0123abc", "token"), "key": basic("SKxyz", "secret"), "bearer": header("Bearer ey.J.h"),
	} {
		require.Equal(t, 200, a.send("GET", support, "", edit).status, name)
	}
	for name, edit := range map[string]func(*http.Request){
		"none": header(""), "no password": basic("AC1", ""), "no user": basic("", "x"), "short": basic("AC", "x"),
		"other kind": basic("XX1", "x"), "punctuation": basic("AC1-2", "x"), "empty bearer": header("Bearer "),
		"other scheme": header("Digest x"), "not base64": header("Basic ???"),
	} {
		for _, path := range []string{support, "/nowhere", "//v1"} {
			got := a.send("POST", path, "%zz", edit)
			require.Equal(t, "Authenticate", a.refused(got, 401, 20003).Message, name)
			require.Equal(t, `Basic realm="Twilio API"`, got.header.Get("WWW-Authenticate"))
		}
	}
}

func TestUnknownPathsAreNotFoundAndNeverRedirected(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	for _, path := range []string{
		"/v1", "/v2/Conversations", "/v1/Conversations/", support + "/", "/" + support, "/v1/x/.." + support[3:],
		"/v1//Conversations", "/v1/Conversations//Webhooks", "/v1/./Conversations", support + "//WH1", support + "/WH1/x",
		"/v1/Services/IS1/Conversations",
		"/v1/Services/ISgggggggggggggggggggggggggggggggg" + support[3:], "/v1/Services/" + support[4:],
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			f := a.refused(a.send(method, path, "", nil), 404, 20404)
			if path != "" {
				require.Equal(t, "The requested resource "+strings.TrimPrefix(path, "/v1")+" was not found", f.Message)
			}
		}
	}
}

func TestTheResponseForAnUnknownConversationNamesTheOnesToTry(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	for _, method := range []string{"GET", "POST"} {
		f := a.refused(a.send(method, "/v1/Conversations/caf%C3%A9%2F1/Webhooks", added, nil), 404, 20404)
		require.Equal(t, "The requested resource /Conversations/caf%C3%A9%2F1/Webhooks was not found. "+sandbox.Guide, f.Message)
	}
	require.Contains(t, sandbox.Guide, "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")
	require.Contains(t, sandbox.Guide, "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")
	require.Contains(t, sandbox.Guide, "CH00000000000000000000000000000429")
}

func TestTheResponseToAnUnknownMethodNamesTheAllowedOnes(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	for path, allow := range map[string]string{
		"/v1/Conversations": "GET, POST", support: "GET, POST", support + "/WH1": "DELETE, GET, POST",
	} {
		for _, method := range []string{"PUT", "PATCH", "OPTIONS"} {
			got := a.send(method, path, "", nil)
			a.refused(got, 405, 20004)
			require.Equal(t, allow, got.header.Get("Allow"))
		}
	}
}

func TestInvalidCreatesAreRefused(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	long := "https://example.com/" + strings.Repeat("é", 492) // 512 characters, more bytes
	many := strings.Repeat("&Configuration.Triggers=k", 4)
	for name, row := range map[string]struct {
		form string
		code int
	}{
		"no parameters":              {"", 50368},
		"empty target":               {"Target=&Configuration.Url=x", 50368},
		"unknown target":             {"Target=flex", 50364},
		"target in capitals":         {"Target=WEBHOOK&" + added[15:], 50364},
		"webhook without url":        {"Target=webhook&Configuration.Filters=onMessageAdded", 50369},
		"webhook with empty url":     {"Target=webhook&Configuration.Url=", 50369},
		"webhook without filters":    {"Target=webhook&Configuration.Url=x&Configuration.Method=put", 50370},
		"trigger without url":        {"Target=trigger&Configuration.Triggers=x", 50369},
		"trigger without triggers":   {"Target=trigger&Configuration.Url=x&Configuration.Filters=onMessageAdded", 50371},
		"studio without flow":        {"Target=studio&Configuration.Url=x", 50367},
		"url of 513 characters":      {strings.Replace(added, "https://example.com", long+"x", 1), 50372},
		"url before filters":         {"Target=webhook&Configuration.Filters=x&Configuration.Url=" + long + "x", 50372},
		"old event":                  {added + "&Configuration.Filters=onMessageSent", 50365},
		"pre-action event":           {added + "&Configuration.Filters=onMessageAdd", 50365},
		"event in capitals":          {added + "&Configuration.Filters=ONMESSAGEADDED", 50365},
		"empty event":                {"Target=webhook&Configuration.Url=x&Configuration.Filters=", 50365},
		"filters before method":      {added + "x&Configuration.Method=put", 50365},
		"six keywords":               {keyword + many + "&Configuration.Triggers=", 50362},
		"empty keyword":              {"Target=trigger&Configuration.Url=x&Configuration.Triggers=", 50366},
		"keyword of 249 characters":  {keyword + "&Configuration.Triggers=" + strings.Repeat("é", 249), 50366},
		"short flow":                 {"Target=studio&Configuration.FlowSid=FW1", 50367},
		"flow with a line break":     {studio + "%0A", 50367},
		"studio with a wrong filter": {studio + "&Configuration.Filters=x", 50365},
		"other method":               {added + "&Configuration.Method=put", 20001},
		"replay after a word":        {added + "&Configuration.ReplayAfter=soon", 20001},
		"replay after a fraction":    {added + "&Configuration.ReplayAfter=1.0", 20001},
		"replay after hexadecimal":   {added + "&Configuration.ReplayAfter=0x1", 20001},
		"replay after nothing":       {studio + "&Configuration.ReplayAfter=", 20001},
		"bad percent escape":         {added + "&x=%zz", 20001},
	} {
		a.refused(a.post(empty, row.form), 400, row.code)
		require.Empty(t, a.listed(empty).Webhooks, name)
	}
	a.refused(a.get(support+"?PageSize=%zz"), 400, 20001)
}

func TestValidCreatesAreAccepted(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	type config = map[string]any
	get := func(url string) config {
		return config{"url": url, "method": "POST", "filters": []any{"onMessageAdded"}}
	}
	long := "https://example.com/" + strings.Repeat("é", 492)
	events := []string{"onMessageAdded", "onMessageUpdated", "onMessageRemoved", "onConversationUpdated",
		"onConversationStateUpdated", "onConversationRemoved", "onParticipantAdded", "onParticipantUpdated",
		"onParticipantRemoved", "onDeliveryUpdated"}
	for name, row := range map[string]struct {
		query, body string
		want        config
	}{
		"defaults":    {"", added, get("https://example.com")},
		"in query":    {"?" + added, "", get("https://example.com")},
		"in both":     {"?Target=webhook&Configuration.Filters=onMessageAdded", "Configuration.Url=x", get("x")},
		"plus and 20": {"", "Configuration.Filters=onMessageAdded&Configuration.Url=a+b%20%2B%26%3c&Target=webhook", get("a b +&<")},
		"512":         {"", strings.Replace(added, "https://example.com", long, 1), get(long)},
		"unknown parameters and those of other targets": {"", added + "&Configuration.FlowSid=no&Configuration.Triggers=&More=1", get("https://example.com")},
		"filters are a set": {"", added + "&Configuration.Filters=onParticipantAdded&Configuration.Filters=onMessageAdded&Configuration.Method=gEt",
			config{"url": "https://example.com", "method": "GET", "filters": []any{"onParticipantAdded", "onMessageAdded"}}},
		"all events": {"", added + "&Configuration.Filters=" + strings.Join(events, "&Configuration.Filters="),
			config{"url": "https://example.com", "method": "POST", "filters": []any{"onParticipantUpdated",
				"onParticipantRemoved", "onParticipantAdded", "onMessageUpdated", "onMessageRemoved", "onMessageAdded",
				"onDeliveryUpdated", "onConversationUpdated", "onConversationStateUpdated", "onConversationRemoved"}}},
		"keywords in order": {"", keyword + "&Configuration.Triggers=a+b&Configuration.Triggers=" + strings.Repeat("é", 248) + "&Configuration.Filters=x",
			config{"url": "https://example.com", "method": "POST", "triggers": []any{"help", "a b", strings.Repeat("é", 248)}}},
		"flow":              {"", studio + "&Configuration.Url=x&Configuration.Method=put", config{"flow_sid": flow}},
		"flow with filters": {"", studio + "&Configuration.Filters=onMessageAdded", config{"flow_sid": flow, "filters": []any{"onMessageAdded"}}},
		"replay from 0":     {"", studio + "&Configuration.ReplayAfter=0", config{"flow_sid": flow, "replay_after": 0.0}},
	} {
		h := a.created(empty+row.query, row.body)
		require.Equal(t, row.want, h.Configuration, name)
		require.Equal(t, h.DateCreated, h.DateUpdated)
		require.Equal(t, h, read[webhook](t, 200, a.get(empty+"/"+h.SID)))
		require.Equal(t, []webhook{h}, a.listed(empty).Webhooks)
		require.Equal(t, "https://conversations.twilio.com"+empty+"/"+h.SID, h.URL)
		require.Equal(t, 204, a.delete(empty+"/"+h.SID).status)
	}
}

func TestJSONHasNoHTMLEscapesAndNoNewline(t *testing.T) {
	t.Parallel()
	body := start(t, sandbox.Options{}).post(empty, strings.Replace(added, "https://example.com", "a%26%3Cb%3E", 1)).body
	require.Contains(t, body, `"url":"a&<b>"`)
	require.True(t, strings.HasSuffix(body, "}"))
}

func TestABodyOfMoreThanOneMegabyteIsRefused(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	most := added + "&x=" + strings.Repeat("x", 1<<20-len(added)-3)
	require.Equal(t, 201, a.post(empty, most).status)
	require.Contains(t, a.refused(a.post(empty, most+"x"), 400, 20001).Message, "too large")
}

func TestRequestsAsTheSDKsSendThemAreAccepted(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	plain := func(r *http.Request) { r.Body, r.ContentLength = nil, 0 } // Content-Type stays, as in twilio-go
	require.Equal(t, 200, a.send("GET", support, "", plain).status)
	require.Equal(t, 204, a.send("DELETE", support+"/WH00000000000000000000000000000001", "", plain).status)
	require.Equal(t, 201, a.send("POST", support+"?"+added, "", func(r *http.Request) { plain(r); r.Header.Del("Content-Type") }).status)
}

func TestTheSixthWebhookIsRefused(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	a.created(support, added)
	fifth := a.created(support, added)
	before := a.get(support).body
	a.refused(a.post(support, added), 400, 50361)
	a.refused(a.post(support, added+"x"), 400, 50365) // the limit is the last check
	require.Equal(t, before, a.get(support).body)
	a.created(empty, added) // the limit is per conversation

	require.Equal(t, 204, a.delete(support+"/"+fifth.SID).status)
	require.Greater(t, a.created(support, studio).SID, fifth.SID)
}

func TestFiftyCreatesAtOnceLeaveFive(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	var wg sync.WaitGroup
	var made, refused atomic.Int32
	for range 50 {
		wg.Go(func() {
			switch a.post(empty, added).status {
			case 201:
				made.Add(1)
			case 400:
				refused.Add(1)
			}
			a.get(empty)
		})
	}
	wg.Wait()
	require.EqualValues(t, 5, made.Load())
	require.EqualValues(t, 45, refused.Load())
	require.Len(t, a.listed(empty).Webhooks, 5)
}

func TestAWebhookBelongsToItsConversation(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	for _, path := range []string{
		empty + "/WH00000000000000000000000000000001", support + "/WH00000000000000000000000000000099", support + "/nonsense",
	} {
		for _, method := range []string{"GET", "POST", "DELETE"} {
			f := a.refused(a.send(method, path, "", nil), 404, 20404)
			require.Equal(t, "The requested resource "+path[3:]+" was not found", f.Message)
		}
	}
	require.Len(t, a.listed(support).Webhooks, 3)
}

func TestADeletedWebhookIsNotFound(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	path := support + "/WH00000000000000000000000000000002"
	got := a.delete(path)
	require.Equal(t, 204, got.status)
	require.Empty(t, got.body)
	a.refused(a.delete(path), 404, 20404)
	a.refused(a.get(path), 404, 20404)
	require.Len(t, a.listed(support).Webhooks, 2)
}

func TestAnUpdateChangesOnlyTheGivenParameters(t *testing.T) {
	t.Parallel()
	var clock atomic.Int64
	a := start(t, sandbox.Options{Now: func() time.Time { return time.Unix(clock.Add(1), 0) }})
	path := empty + "/"
	h := a.created(empty, added+"&Configuration.Method=get&Configuration.ReplayAfter=0")
	path += h.SID

	unchanged := a.get(path).body
	for _, form := range []string{
		"", "Target=studio&Configuration.FlowSid=" + flow, "Configuration.ReplayAfter=8", "Configuration.ReplayAfter=x",
		"Configuration.Triggers=", "Other=1",
	} {
		got := a.post(path, form)
		require.Equal(t, 200, got.status, form)
		require.Equal(t, unchanged, got.body, form)
	}

	got := read[webhook](t, 200, a.post(path, "Configuration.Filters=onMessageRemoved&Configuration.Filters=onParticipantAdded"))
	require.Greater(t, got.DateUpdated, h.DateUpdated)
	require.Equal(t, map[string]any{"url": "https://example.com", "method": "GET", "replay_after": 0.0,
		"filters": []any{"onParticipantAdded", "onMessageRemoved"}}, got.Configuration)
	got.Configuration, got.DateUpdated = h.Configuration, h.DateUpdated
	require.Equal(t, h, got)

	got = read[webhook](t, 200, a.post(path+"?Configuration.Url=x", "Configuration.Method=post"))
	require.Equal(t, "x", got.Configuration["url"])
	require.Equal(t, "POST", got.Configuration["method"])
}

func TestAnUpdateKeepsTheMethodThatWasChosen(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	got := read[webhook](t, 200, a.post(support+"/WH00000000000000000000000000000001", "Configuration.Url=x"))
	require.Equal(t, "GET", got.Configuration["method"])
	got = read[webhook](t, 200, a.post(support+"/WH00000000000000000000000000000002", "Configuration.Triggers=a"))
	require.Equal(t, []any{"a"}, got.Configuration["triggers"])
	got = read[webhook](t, 200, a.post(support+"/WH00000000000000000000000000000003", "Configuration.Url=x&Configuration.Filters=onMessageAdded"))
	require.Equal(t, map[string]any{"flow_sid": flow, "filters": []any{"onMessageAdded"}}, got.Configuration)
}

func TestInvalidUpdatesAreRefused(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	before := a.get(support).body
	for _, row := range []struct {
		webhook, form string
		code          int
	}{
		{"1", "Configuration.Url=", 50369},
		{"1", "Configuration.Url=" + strings.Repeat("x", 513), 50372},
		{"1", "Configuration.Url=fine&Configuration.Filters=onMessageSent", 50365},
		{"1", "Configuration.Filters=onMessageAdded&Configuration.Method=put", 20001},
		{"2", "Configuration.Triggers=" + strings.Repeat("x&Configuration.Triggers=", 5), 50362},
		{"2", "Configuration.Triggers=", 50366},
		{"3", "Configuration.FlowSid=FW1", 50367},
	} {
		a.refused(a.post(support+"/WH0000000000000000000000000000000"+row.webhook, row.form), 400, row.code)
	}
	require.Equal(t, before, a.get(support).body)
}

func TestPagesLeadForwardAndBack(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	a.created(support, added)
	a.created(support, added)
	all := sids(a.listed(support))
	require.Len(t, all, 5)

	first := a.listed(support + "?PageSize=2")
	second := a.listed(at(t, first.Meta.Next))
	third := a.listed(at(t, second.Meta.Next))
	require.Equal(t, [][]string{all[:2], all[2:4], all[4:]}, [][]string{sids(first), sids(second), sids(third)})
	require.Equal(t, []int{0, 1, 2}, []int{first.Meta.Page, second.Meta.Page, third.Meta.Page})
	require.Nil(t, first.Meta.Previous)
	require.Nil(t, third.Meta.Next)
	require.Equal(t, *first.Meta.Next, second.Meta.URL)
	require.Equal(t, "https://conversations.twilio.com"+support+"?PageSize=2&Page=0", third.Meta.First)
	require.Regexp(t, `\?PageSize=2&Page=1&PageToken=[0-9A-Za-z]+$`, *first.Meta.Next)

	back := a.listed(at(t, third.Meta.Previous))
	require.Equal(t, sids(second), sids(back))
	require.Equal(t, 1, back.Meta.Page)
	require.Equal(t, sids(first), sids(a.listed(at(t, back.Meta.Previous))))
}

func TestPagesStayValidWhenAWebhookIsDeleted(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	all := sids(a.listed(support))
	first := a.listed(support + "?PageSize=2")
	require.Equal(t, 204, a.delete(support+"/"+all[1]).status)
	second := a.listed(at(t, first.Meta.Next))
	require.Equal(t, all[2:], sids(second))
	require.Equal(t, 204, a.delete(support+"/"+all[2]).status)
	require.Equal(t, all[:1], sids(a.listed(at(t, second.Meta.Previous))))

	nothing := a.listed(at(t, first.Meta.Next))
	require.Empty(t, nothing.Webhooks)
	require.Nil(t, nothing.Meta.Next)
	require.Contains(t, a.get(at(t, first.Meta.Next)).body, `"webhooks":[]`)
}

func TestPagingParameters(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	for query, want := range map[string][2]int{ // page and page size
		"": {0, 5}, "?PageSize=50": {0, 5}, "?PageSize=1": {0, 1}, "?Page=7": {7, 5}, "?PageSize=3&Page=0": {0, 3},
	} {
		p := a.listed(support + query)
		require.Equal(t, want, [2]int{p.Meta.Page, p.Meta.PageSize}, query)
		require.Len(t, p.Webhooks, min(want[1], 3), query)
		require.Equal(t, fmt.Sprintf("https://conversations.twilio.com%s?PageSize=%d&Page=%d", support, want[1], want[0]), p.Meta.URL)
	}
	for query, code := range map[string]int{
		"PageSize=0": 20001, "PageSize=-1": 20001, "PageSize=two": 20001, "PageSize=": 20001, "PageSize=1.5": 20001,
		"Page=-1": 20001, "Page=x": 20001, "PageToken=x": 21481, "PageToken=PAWH1": 21481,
		"PageToken=PCWH00000000000000000000000000000001": 21481,
	} {
		a.refused(a.get(support+"?"+query), 400, code)
	}
}

func TestConversationsAreFoundByUniqueName(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	require.Len(t, a.listed("/v1/Conversations/support%2F42/Webhooks").Webhooks, 3)
	require.Empty(t, a.listed("/v1/Conversations/empty%20room/Webhooks").Webhooks)
	for _, name := range []string{
		"a/b", "what?", "#1", "100%", "%2F", "two words", "a+b", "naïve 会話 🙂", "..", ".", "a//b", "/a/../b/", "a;b,c=d", `"<&>"`, "{x}",
	} {
		form := url.Values{"UniqueName": {name}}.Encode()
		require.Equal(t, 201, a.post("/v1/Conversations", form).status, name)
		a.refused(a.post("/v1/Conversations", form), 409, 50353)

		path := "/v1/Conversations/" + strings.ReplaceAll(url.PathEscape(name), ".", "%2E") + "/Webhooks"
		h := a.created(path, added)
		require.Regexp(t, `^CH[0-9a-f]{32}$`, h.ConversationSID)
		require.Contains(t, h.URL, "/v1/Conversations/"+h.ConversationSID+"/Webhooks/"+h.SID)
		a.created(path, added)
		p := a.listed(path + "?PageSize=1")
		require.Equal(t, "https://conversations.twilio.com"+path+"?PageSize=1&Page=0", p.Meta.URL, name)
		require.NotEqual(t, sids(p), sids(a.listed(at(t, p.Meta.Next))))
		require.Equal(t, 204, a.delete(path+"/"+h.SID).status)
	}
	a.refused(a.get("/v1/Conversations/Support%2F42/Webhooks"), 404, 20404)
}

func TestANewConversation(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{BaseURL: "http://localhost:1/", Now: func() time.Time { return time.Unix(0, 0) }})
	require.JSONEq(t, `{"sid": "CH00000000000000000000000000001000", "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"chat_service_sid": "ISaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "unique_name": "a", "friendly_name": "A & B", "state": "active",
		"messaging_service_sid": null, "attributes": "{}", "timers": {}, "bindings": {},
		"links": {"participants": "http://localhost:1/v1/Conversations/CH00000000000000000000000000001000/Participants",
			"messages": "http://localhost:1/v1/Conversations/CH00000000000000000000000000001000/Messages",
			"webhooks": "http://localhost:1/v1/Conversations/CH00000000000000000000000000001000/Webhooks",
			"export": "http://localhost:1/v1/Conversations/CH00000000000000000000000000001000/Export"},
		"date_created": "1970-01-01T00:00:00Z", "date_updated": "1970-01-01T00:00:00Z",
		"url": "http://localhost:1/v1/Conversations/CH00000000000000000000000000001000"}`,
		a.post("/v1/Conversations", "UniqueName=a&FriendlyName=A+%26+B").body)
	unnamed := a.post("/v1/Conversations", "")
	require.Equal(t, 201, unnamed.status)
	require.Contains(t, unnamed.body, `"friendly_name":null,"unique_name":null`)
	require.Equal(t, 201, a.post("/v1/Conversations", "").status)
	a.refused(a.post("/v1/Conversations", "UniqueName=support/42"), 409, 50353)
	h := a.created("/v1/Conversations/CH00000000000000000000000000001001/Webhooks", studio)
	require.Equal(t, "http://localhost:1/v1/Conversations/CH00000000000000000000000000001001/Webhooks/"+h.SID, h.URL)
}

func TestServicesShareNoConversations(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	const one, two = "IS11111111111111111111111111111111", "ISFFFFFFFFFFFFFFFFFFFFFFFFFFFFffff"
	in := func(service string) string { return "/v1/Services/" + service + empty[3:] }

	h := a.created(in(one), added)
	require.Equal(t, one, h.ChatServiceSID)
	require.Equal(t, "https://conversations.twilio.com"+in(one)+"/"+h.SID, h.URL)
	require.Empty(t, a.listed(in(two)).Webhooks)
	require.Empty(t, a.listed(empty).Webhooks)
	other := a.listed("/v1/Services/" + two + support[3:]).Webhooks
	require.Len(t, other, 3)
	require.NotEqual(t, a.listed(support).Webhooks[0].SID, other[0].SID, "a SID is one webhook's")

	a.created(in(one), studio)
	p := a.listed(in(one) + "?PageSize=1")
	require.Equal(t, one, p.Webhooks[0].ChatServiceSID)
	require.Contains(t, *p.Meta.Next, "https://conversations.twilio.com"+in(one)+"?")
	require.Len(t, a.listed(at(t, p.Meta.Next)).Webhooks, 1)
	require.Equal(t, one, read[webhook](t, 200, a.post(in(one)+"/"+h.SID, "Configuration.Url=x")).ChatServiceSID)
	require.Equal(t, 204, a.delete(in(one)+"/"+h.SID).status)

	made := a.post("/v1/Services/"+one+"/Conversations", "UniqueName=mine")
	require.Equal(t, 201, made.status)
	require.Contains(t, made.body, `"chat_service_sid":"`+one+`"`)
	require.Contains(t, made.body, "/v1/Services/"+one+"/Conversations/CH")
	a.refused(a.get("/v1/Conversations/mine/Webhooks"), 404, 20404)

	a.created(empty, added)
	byService := a.listed(in("ISaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")) // the default Service by its SID
	require.Len(t, byService.Webhooks, 1)
	require.NotContains(t, a.get(empty).body, "chat_service_sid")
}

func TestConversation429RefusesOnlyTheFirstRequest(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(a api, path string) reply{
		"list":   func(a api, path string) reply { return a.get(path) },
		"create": func(a api, path string) reply { return a.post(path, added) },
		"delete": func(a api, path string) reply { return a.delete(path + "/WH1") },
	} {
		a := start(t, sandbox.Options{})
		for _, path := range []string{fmt.Sprintf(magic, "429"), "/v1/Services/IS11111111111111111111111111111111" + fmt.Sprintf(magic, "429")[3:]} {
			got := first(a, path)
			a.refused(got, 429, 20429)
			require.Equal(t, "1", got.header.Get("Retry-After"), name)
			require.Empty(t, a.listed(path).Webhooks)
			a.created(path, added)
			require.Len(t, a.listed(path).Webhooks, 1)
		}
	}
}

func TestConversation503RefusesWritesAndAppliesNone(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	path := fmt.Sprintf(magic, "503")
	a.refused(a.post(path, added), 503, 20503)
	a.refused(a.post(path, ""), 503, 20503)
	a.refused(a.delete(path+"/WH1"), 503, 20503)
	require.Empty(t, a.listed(path).Webhooks)
}

func TestConversation502AppliesWritesAndThenFails(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	path := fmt.Sprintf(magic, "502")
	a.refused(a.post(path, ""), 400, 50368)
	broken := func(r reply) {
		t.Helper()
		require.Equal(t, 502, r.status)
		require.Contains(t, r.body, "<h1>502 Bad Gateway</h1>")
	}
	broken(a.post(path, added))
	h := a.listed(path).Webhooks[0]
	broken(a.post(path+"/"+h.SID, "Configuration.Url=x"))
	require.Equal(t, "x", read[webhook](t, 200, a.get(path+"/"+h.SID)).Configuration["url"])
	broken(a.delete(path + "/" + h.SID))
	require.Empty(t, a.listed(path).Webhooks)
	a.refused(a.delete(path+"/"+h.SID), 404, 20404)
}

func TestConversation000NeverRespondsAndDelaysNoOtherRequest(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	// Twilio-Concurrent-Requests includes the request itself. It shows when the other request arrives and ends.
	patience, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	inFlight := func(want string) {
		for a.get(support).header.Get("Twilio-Concurrent-Requests") != want {
			require.NoError(t, patience.Err())
		}
	}
	for _, method := range []string{"GET", "POST", "DELETE"} {
		ctx, leave := context.WithCancel(patience)
		failed := make(chan error, 1)
		go func() {
			r, _ := http.NewRequestWithContext(ctx, method, a.base+fmt.Sprintf(magic, "000"), strings.NewReader(added))
			if method == "DELETE" {
				r.URL.Path += "/WH1"
			}
			r.SetBasicAuth("AC1", "token")
			r.Header.Set("Content-Type", formal)
			_, err := http.DefaultClient.Do(r)
			failed <- err
		}()
		inFlight("2")
		leave()
		require.ErrorIs(t, <-failed, context.Canceled)
		inFlight("1")
	}
}

// FuzzForm sends arbitrary forms. What is created must be a well-formed webhook.
func FuzzForm(f *testing.F) {
	for _, form := range []string{added, keyword, studio, "", "Target=webhook", "a;b", "%"} {
		f.Add("", form)
		f.Add(form, studio+"&Configuration.ReplayAfter=-1")
	}
	f.Fuzz(func(t *testing.T, query, body string) {
		s := sandbox.New(sandbox.Options{})
		ask := func(method, path string) *httptest.ResponseRecorder {
			r := httptest.NewRequest(method, path, strings.NewReader(body))
			r.URL.RawQuery = query
			r.SetBasicAuth("AC1", "token")
			r.Header.Set("Content-Type", formal)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			require.Less(t, w.Code, 500)
			require.True(t, json.Valid(w.Body.Bytes()))
			return w
		}
		for _, sid := range []string{"1", "2", "3"} {
			ask("POST", support+"/WH0000000000000000000000000000000"+sid)
			wellFormed(t, ask("GET", support+"/WH0000000000000000000000000000000"+sid))
		}
		if made := ask("POST", empty); made.Code == 201 {
			wellFormed(t, made)
		}
		ask("GET", support)
		ask("POST", "/v1/Conversations")
	})
}

// FuzzPages requests arbitrary pages. From each, next_page_url leads to the end of the list.
func FuzzPages(f *testing.F) {
	for _, query := range []string{"", "PageSize=1", "PageSize=2&Page=1&PageToken=PAWH00000000000000000000000000000001",
		"PageToken=PBWH00000000000000000000000000000003", "Page=9223372036854775807&PageSize=1", "PageSize=-1", "PageToken=%00", "Page=1;2"} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		s := sandbox.New(sandbox.Options{BaseURL: "http://127.0.0.1"})
		seen := 0
		for address := (&url.URL{RawQuery: query}); address != nil; {
			r := httptest.NewRequest("GET", support, nil)
			r.URL.RawQuery = address.RawQuery
			r.SetBasicAuth("AC1", "token")
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if address.RawQuery == query && w.Code == 400 {
				return
			}
			require.Equal(t, 200, w.Code, address)
			var page struct {
				Meta struct {
					Next *string `json:"next_page_url"`
					Page int
				}
				Webhooks []any
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &page))
			require.GreaterOrEqual(t, page.Meta.Page, 0)
			seen += len(page.Webhooks)
			require.LessOrEqual(t, seen, 3, "the list does not end")
			address = nil
			if page.Meta.Next != nil {
				var err error
				address, err = url.Parse(*page.Meta.Next)
				require.NoError(t, err)
			}
		}
	})
}

func wellFormed(t *testing.T, w *httptest.ResponseRecorder) {
	if w.Code == 400 { // the fuzzed query is not a valid form
		return
	}
	var h webhook
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &h))
	for key, value := range h.Configuration {
		require.Contains(t, map[string]string{
			"webhook": "url method filters replay_after", "trigger": "url method triggers replay_after",
			"studio": "flow_sid filters replay_after",
		}[h.Target], key)
		require.NotEqual(t, "", value)
	}
	switch h.Target {
	case "webhook":
		require.NotEmpty(t, h.Configuration["filters"])
	case "trigger":
		require.LessOrEqual(t, len(h.Configuration["triggers"].([]any)), 5)
	case "studio":
		require.Regexp(t, `^FW[0-9a-fA-F]{32}$`, h.Configuration["flow_sid"])
		return
	}
	require.Contains(t, []any{"GET", "POST"}, h.Configuration["method"])
	require.LessOrEqual(t, len([]rune(h.Configuration["url"].(string))), 512)
}
