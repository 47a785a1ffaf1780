package twilioapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestEdgeAndRegionChooseTheHost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ edge, region, base, want string }{
		{"", "", "", "https://conversations.twilio.com"},
		{"", "ie1", "", "https://conversations.ie1.twilio.com"},
		{"dublin", "", "", "https://conversations.dublin.us1.twilio.com"},
		{"dublin", "ie1", "", "https://conversations.dublin.ie1.twilio.com"},
		{"dublin", "ie1", "http://127.0.0.1:8080/", "http://127.0.0.1:8080"},
	} {
		client, err := New(Config{Edge: row.edge, Region: row.region, BaseURL: row.base})
		require.NoError(t, err)
		require.Equal(t, row.want+"/v1", client.root)
		require.Equal(t, strings.Replace(row.want, "conversations", "monitor", 1)+"/v1", client.monitor)
	}
}

// Whatever the names and the values are, they stay in their path elements, and the
// form is parsed to what was given.
func FuzzRequest(f *testing.F) {
	f.Add("CH0123456789abcdef0123456789abcdef", "WH0123456789abcdef0123456789abcdef", "https://example.com/?a=b&c", "onMessageAdded")
	f.Add("support/42?#%", "a/b", "", "a+b c;d")
	f.Add("..", ".", "\x00\xff", "é")
	f.Fuzz(func(t *testing.T, name, sid, url, filter string) {
		path, err := (&request{requestScope: requestScope{conversation: name}, sid: &sid}).path()
		if sid == "" || sid == "." || sid == ".." || name == "" || name == "." || name == ".." {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		w := NewWebhook{Target: "webhook", URL: &url, Filters: []string{filter, filter}}
		req, err := w.form().newRequest(t.Context(), "POST", "http://127.0.0.1"+path)
		require.NoError(t, err)
		require.Equal(t, path, req.URL.EscapedPath())
		require.Equal(t, "/Conversations/"+name+"/Webhooks/"+sid, req.URL.Path)
		require.Empty(t, req.URL.RawQuery)
		require.Empty(t, req.URL.Fragment)
		require.NoError(t, req.ParseForm())
		require.Equal(t, []string{url}, req.PostForm["Configuration.Url"])
		require.Equal(t, []string{filter, filter}, req.PostForm["Configuration.Filters"])
		require.Len(t, req.PostForm, 3)
	})
}

// Whatever the response is, it becomes a valid JSON object, or an error that has the
// status and is safe to show.
func FuzzResponse(f *testing.F) {
	for _, body := range []string{`{"webhooks":[],"meta":null}`, `{"code":50361,"message":"no\u0000 secret","more_info":"x","status":400}`,
		`{"code":1e400}`, `{"code":"x","message":{}}`, "{\"a\":\"\xff\"}", "<html>", "[]", "", "{}x", `{"a":` + strings.Repeat("[", 20000)} {
		for _, status := range []int{200, 201, 307, 400, 503} {
			f.Add(status, "3", body)
		}
	}
	f.Fuzz(func(t *testing.T, status int, wait, body string) {
		if status < 200 || status > 599 {
			return
		}
		req, err := form{}.newRequest(t.Context(), "GET", "http://127.0.0.1")
		require.NoError(t, err)
		req.SetBasicAuth("SK1", "secret")
		res := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {wait}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}
		client, err := New(Config{})
		require.NoError(t, err)
		decode := func(_ responseMeta, body []byte) (json.RawMessage, error) { return decodeObject(body, "", nil) }
		got, refused := client.readResponse(t.Context(), res, responseMeta{status: status}, &request{method: http.MethodGet, decode: decode})
		if refused == nil {
			require.True(t, json.Valid(got.body) && utf8.Valid(got.body) && got.body[0] == '{', "%q", got.body)
			return
		}
		require.Equal(t, status, refused.Status)
		require.GreaterOrEqual(t, refused.RetryAfter, time.Duration(0))
		for _, text := range []string{refused.Message, refused.MoreInfo} {
			require.LessOrEqual(t, utf8.RuneCountInString(text), 501)
			require.NotContains(t, text, "U0sxOnNlY3JldA==")
			require.False(t, strings.ContainsFunc(text, unicode.IsControl), "%q", text)
		}
	})
}

func TestTheCreateLogIsBoundedAndKeepsTheLatest(t *testing.T) {
	t.Parallel()
	l := newCreateLog(nil, "", 0)
	for i := range maxReturned + 1000 {
		require.True(t, l.claim(t.Context(), fmt.Sprintf("WH%032x", i), false))
	}
	require.Len(t, l.returned, maxReturned)
	require.Len(t, l.order, maxReturned)
	require.False(t, l.claim(t.Context(), fmt.Sprintf("wh%032X", 1000), false), "a SID is the same in upper case")
	require.True(t, l.claim(t.Context(), fmt.Sprintf("WH%032x", 999), false))
}

func TestACreateOfUnknownOutcomeIsForgottenAfterAMinute(t *testing.T) {
	t.Parallel()
	l := newCreateLog(nil, "", 0)
	scope, w := requestScope{conversation: "room"}, NewWebhook{Target: "studio"}
	lost, next := l.begin(t.Context(), scope, w), l.begin(t.Context(), scope, w)
	require.True(t, l.hasRival(next), "in flight")
	l.end(t.Context(), lost, true)
	require.Empty(t, l.inFlight[lost])
	require.True(t, l.hasRival(next))
	lost.expires = time.Now().Add(-time.Second)
	require.False(t, l.hasRival(next))
	require.Empty(t, l.unknown)
	l.end(t.Context(), next, false)
	require.Empty(t, l.inFlight)
	require.False(t, l.hasRival(l.begin(t.Context(), scope, w)))
}

func TestCreatesOfUnknownOutcomeAreBounded(t *testing.T) {
	t.Parallel()
	l := newCreateLog(nil, "", 0)
	for range maxUnknown + 100 {
		l.end(t.Context(), l.begin(t.Context(), requestScope{}, NewWebhook{}), true)
	}
	require.Len(t, l.unknown, maxUnknown)
}

// A call that waits for its turn could otherwise wait as long as there are others.
func TestAnEnsureWaitsForALimitedTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := New(Config{Credentials: func() (Credentials, error) { return Credentials{}, nil }})
		require.NoError(t, err)
		_, err = client.ensures.lock(t.Context(), requestScope{conversation: "room"})
		require.NoError(t, err)
		began := time.Now()
		_, err = client.EnsureWebhook(t.Context(), "room", NewWebhook{})
		require.ErrorIs(t, err, errBusy)
		require.Equal(t, maxWait, time.Since(began))
	})
}

// Waiting calls keep others from running. A caller must not be able to have them
// all wait.
func TestAFewEnsuresWaitAndOthersAreRefused(t *testing.T) {
	t.Parallel()
	k, key := newKeyedMutex(), requestScope{conversation: "room"}
	unlock, err := k.lock(t.Context(), key)
	require.NoError(t, err)
	for range maxUsers - 1 {
		require.NotNil(t, k.acquire(key), "as a call that waits does")
	}
	_, err = k.lock(t.Context(), key)
	require.ErrorIs(t, err, errBusy)
	other, err := k.lock(t.Context(), requestScope{conversation: "other"})
	require.NoError(t, err)
	other()
	for range maxUsers - 1 {
		k.release(key, k.mutexes[key])
	}
	unlock()
	require.Empty(t, k.mutexes)
}

func TestCreatesThatMayProduceTheSame(t *testing.T) {
	t.Parallel()
	sid, url, other := "CH0123456789abcdef0123456789abcdef", "https://example.com", "https://example.org"
	scope := func(conversation, username string) requestScope {
		return requestScope{conversation, Credentials{Username: username}}
	}
	w := NewWebhook{Target: "webhook", URL: &url}
	p := newPendingCreate(scope(sid, "AC1"), w)
	for _, row := range []struct {
		scope requestScope
		w     NewWebhook
		want  bool
	}{
		{scope(sid, "AC1"), w, true},
		{scope(strings.ToUpper(sid), "AC1"), w, true},
		{scope(sid, "SK1"), w, true},
		{scope("name", "AC1"), w, true},
		{scope(sid, "AC1"), NewWebhook{Target: "webhook", URL: &url, Filters: []string{"onMessageAdded"}}, true},
		{scope(sid, "AC2"), w, false},
		{scope("CHffffffffffffffffffffffffffffffff", "AC1"), w, false},
		{scope(sid, "AC1"), NewWebhook{Target: "trigger", URL: &url}, false},
		{scope(sid, "AC1"), NewWebhook{Target: "webhook", URL: &other}, false},
	} {
		require.Equal(t, row.want, p.mayProduceSame(newPendingCreate(row.scope, row.w)), row)
	}
}

func TestAKeyedMutexKeepsNothingThatIsNotInUse(t *testing.T) {
	t.Parallel()
	k := newKeyedMutex()
	a, b := requestScope{conversation: "a"}, requestScope{conversation: "b"}
	unlockA, err := k.lock(t.Context(), a)
	require.NoError(t, err)
	unlockB, err := k.lock(t.Context(), b)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = k.lock(ctx, a)
	require.ErrorIs(t, err, context.Canceled)
	require.Len(t, k.mutexes, 2)
	unlockA()
	unlockB()
	require.Empty(t, k.mutexes)
}

func BenchmarkDecodeList(b *testing.B) {
	text := []byte(`{"meta": {"page": 0, "page_size": 5, "next_page_url": null, "key": "webhooks"}, "webhooks": [` +
		strings.Repeat(`{"sid": "WH0123456789abcdef0123456789abcdef", "configuration": {"url": "https://example.com", "filters": ["onMessageAdded"]}}, `, 4) + `{}]}`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeList(requestScope{}, text); err != nil {
			b.Fatal(err)
		}
	}
}

func TestTheSecondPollIsAWholeNumberOfSecondsAfterTheCreate(t *testing.T) {
	t.Parallel()
	for _, elapsed := range []time.Duration{0, 1, time.Second, 1700 * time.Millisecond, 30 * time.Second} {
		pause := untilNextPoll(elapsed)
		require.Zero(t, (elapsed+pause)%time.Second, elapsed)
		require.GreaterOrEqual(t, pause, pollPause)
		require.Less(t, pause, pollPause+time.Second)
	}
}

func TestRetryAfterUsesTheClockOfTheResponse(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		header, date string
		want         time.Duration
	}{
		{"Wed, 21 Oct 2015 07:28:04 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", 4 * time.Second},
		{"Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:28:04 GMT", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", "Wed, 21 Oct 2015 07:28:04 GMT", time.Hour},
		{"99999999999999999999999", "", time.Hour},
		{"7200", "", time.Hour},
		{"-5", "", 0},
		{"1.5", "", 0},
	} {
		require.Equal(t, row.want, retryAfter(row.header, row.date), row.header)
	}
}

// decodeMember decodes an object that has the value as its only member, and returns
// that.
func decodeMember(value []byte) (json.RawMessage, error) {
	object, err := decodeObject(slices.Concat([]byte(`{"value":`), value, []byte("}")), "", nil)
	if err != nil {
		return nil, err
	}
	return object[len(`{"value":`) : len(object)-1], nil
}

// What decodeObject accepts is the same value for encoding/json, and stays the same
// when it is decoded again.
func FuzzDecodeObject(f *testing.F) {
	for _, text := range []string{
		`{"meta": {"page": 0, "next_page_url": null}, "webhooks": [ ]}`, ` [1 , -0.5e+10,true,false , null,"a\u00e9\\\"\n\/"] `,
		`{"a":{"b":[{}]}}`, "", " ", "{", "[", `"`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, "01", "-", "1.", "1e", "+1", "tru", "truex", "nul",
		`"\x"`, `"\u12"`, `"\u12g4"`, "\"\x01\"", "\"\xff\"", "[1]2", "{}{}", "1 2", "\x00", "[\x00]", "1\x00", "\ufeff{}", `{1:2}`, `[}`, `{]`,
		`"\ud83d"`, `"\ud83d\ude00"`, "1e999", "9007199254740993", strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decodeMember(text)
		if err != nil || !json.Valid(text) {
			return
		}
		var want, value any
		require.NoError(t, json.Unmarshal(text, &want))
		require.NoError(t, json.Unmarshal(got, &value))
		require.Equal(t, want, value)
		again, err := decodeMember(got)
		require.NoError(t, err)
		require.Equal(t, string(got), string(again))
	})
}

func TestResponsesThatClientsCannotParseAreRefusedOrRepaired(t *testing.T) {
	t.Parallel()
	nested := func(depth int) string { return strings.Repeat("[", depth) + strings.Repeat("]", depth) }
	for text, want := range map[string]string{
		`[9007199254740993, 1.50, 1e-999]`: `[9007199254740993,1.50,1e-999]`,
		`"a\ud83db\ud83d\ude00"`:           "\"a\uFFFDb\U0001F600\"",
		"\"\xe4\"":                         "\"\uFFFD\"",
		nested(maxDepth - 1):               nested(maxDepth - 1),
		nested(maxDepth):                   "",
		`{"a":1e999}`:                      "",
		`[-1e309]`:                         "",
		`{"sid":"WH1","sid":"WH2"}`:        "",
		`{} {}`:                            "",
	} {
		got, err := decodeMember([]byte(text))
		require.Equal(t, want, string(got), text)
		require.Equal(t, want == "", err != nil, text)
	}
}

func TestErrorsOfUnknownOutcomeSayWhatWasFound(t *testing.T) {
	t.Parallel()
	refused := &Error{Outcome: Refused, Status: 404, Code: 20404}
	for want, readBack := range map[string]*ReadBack{
		"no answer from Twilio: EOF":                                                                          nil,
		"no answer from Twilio: EOF; it was not applied so far":                                               {NotApplied: true, Differs: []string{"Configuration.Url"}},
		"no answer from Twilio: EOF; webhooks that may be the created one: 2":                                 {Found: 2},
		"no answer from Twilio: EOF; and reading it back failed: Twilio answered 404, code 20404":             {Err: refused},
		"no answer from Twilio: EOF; the webhook differs in Configuration.Url, Configuration.Method":          {Differs: []string{"Configuration.Url", "Configuration.Method"}},
		"no answer from Twilio: EOF; the webhook cannot be read: Configuration.Filters, Configuration.Method": {Unreadable: []string{"Configuration.Filters", "Configuration.Method"}},
	} {
		require.EqualError(t, &Error{Outcome: Unknown, Message: "EOF", ReadBack: readBack}, want)
	}
}

// Over all of Unicode: JSON that is written has no character that nobody sees, and
// the same value as before.
func TestInvisibleCharactersAreWrittenAsEscapes(t *testing.T) {
	t.Parallel()
	for r := rune(' '); r <= unicode.MaxRune; r++ {
		if !utf8.ValidRune(r) || r == '"' || r == '\\' {
			continue
		}
		text := `{"name":"a` + string(r) + `b"}`
		escaped := EscapeInvisible([]byte(text))
		if string(escaped) == text {
			require.False(t, isInvisible(r), "%U", r)
			continue
		}
		require.False(t, strings.ContainsFunc(string(escaped), isInvisible), "%U", r)
		var value map[string]string
		require.NoError(t, json.Unmarshal(escaped, &value))
		require.Equal(t, "a"+string(r)+"b", value["name"])
	}
}

func TestTheCharactersThatNobodySees(t *testing.T) {
	t.Parallel()
	for _, r := range "\u00AD\u200B\u200D\u200E\u202E\u2060\u2066\uFEFF\uFE0F\u3164\u2028\u007F\U000E0041\U000E0100" {
		require.True(t, isInvisible(r), "%U", r)
	}
	for _, r := range "a é中ש\U0001F600\u00A0" {
		require.False(t, isInvisible(r), "%U", r)
	}
	got, err := decodeMember([]byte(`"` + "x\u200B\U000E0041y" + `"`))
	require.NoError(t, err)
	require.Equal(t, `"x\u200b\udb40\udc41y"`, string(got))
}

func TestURLsThatTwilioCallsAlike(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		a, b string
		want bool
	}{
		{"https://example.com/hook", "HTTPS://Example.COM/hook", true},
		{"https://example.com", "https://example.com/", true},
		{"https://example.com?a=b", "https://example.com/?a=b", true},
		{"https://example.com:443/hook#rc=2", "https://example.com/hook", true},
		{"http://example.com:80", "http://example.com", true},
		{"https://user:Secret@EXAMPLE.com/", "https://user:Secret@example.com", true},
		{"https://user:Secret@example.com/", "https://user:secret@example.com/", false},
		{"https://example.com/Hook", "https://example.com/hook", false},
		{"https://example.com/hook/", "https://example.com/hook", false},
		{"https://example.com:80/", "https://example.com/", false},
		{"http://example.com/", "https://example.com/", false},
		{"https://example.com/?a=b", "https://example.com/?A=b", false},
		{"example.com", "EXAMPLE.com", false},
		{"", "", true},
	} {
		require.Equal(t, row.want, SameURL(row.a, row.b), row)
		require.Equal(t, row.want, SameURL(row.b, row.a), row)
	}
}
