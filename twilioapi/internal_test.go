package twilioapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
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
	}
}

// Whatever the name and the values, the request line has one shape and the
// form reads back as it was given.
func FuzzRequest(f *testing.F) {
	f.Add("CH0123456789abcdef0123456789abcdef", "https://example.com/?a=b&c", "onMessageAdded")
	f.Add("support/42?#%", "", "a+b c;d")
	f.Add("..", "\x00\xff", "é")
	f.Fuzz(func(t *testing.T, name, url, filter string) {
		path, err := webhooksPath(name)
		if name == "" || name == "." || name == ".." {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		w := NewWebhook{Target: "webhook", URL: &url, Filters: []string{filter, filter}}
		req, err := newRequest(t.Context(), "POST", "http://127.0.0.1"+path, w.form())
		require.NoError(t, err)
		require.Equal(t, path, req.URL.EscapedPath())
		require.Equal(t, "/Conversations/"+name+"/Webhooks", req.URL.Path)
		require.Empty(t, req.URL.RawQuery)
		require.Empty(t, req.URL.Fragment)
		require.NoError(t, req.ParseForm())
		require.Equal(t, []string{url}, req.PostForm["Configuration.Url"])
		require.Equal(t, []string{filter, filter}, req.PostForm["Configuration.Filters"])
		require.Len(t, req.PostForm, 3)
	})
}

// Whatever Twilio answers, it is a JSON object of sound text, or an error that
// keeps the status and can be shown.
func FuzzAnswer(f *testing.F) {
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
		req, err := newRequest(t.Context(), "GET", "http://127.0.0.1", nil)
		require.NoError(t, err)
		req.SetBasicAuth("SK1", "secret")
		res := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {wait}}, Body: io.NopCloser(strings.NewReader(body)), Request: req}
		got, err := answer(res, exchange{status: status})
		if err == nil {
			require.True(t, json.Valid(got.body) && utf8.Valid(got.body) && got.body[0] == '{', "%q", got.body)
			return
		}
		refused, ok := errors.AsType[*Error](err)
		require.True(t, ok)
		require.Equal(t, status, refused.Status)
		require.GreaterOrEqual(t, refused.RetryAfter, time.Duration(0))
		for _, text := range []string{refused.Message, refused.MoreInfo} {
			require.LessOrEqual(t, utf8.RuneCountInString(text), 501)
			require.NotContains(t, text, "U0sxOnNlY3JldA==")
			require.False(t, strings.ContainsFunc(text, unicode.IsControl), "%q", text)
		}
	})
}

// However many webhooks are made, the last ones are known: a twin among them
// must not be taken for another's.
func TestTheMemoryIsBoundedAndKeepsTheLast(t *testing.T) {
	t.Parallel()
	m := newMemory()
	for i := range memorySize + 1000 {
		m.remember(json.RawMessage(fmt.Sprintf(`{"sid":"WH%032x"}`, i)))
	}
	require.Len(t, m.returned, memorySize)
	require.Len(t, m.order, memorySize)
	require.False(t, m.returned[fmt.Sprintf("WH%032x", 999)])
	require.True(t, m.returned[fmt.Sprintf("WH%032x", 1000)])
}

// The second look is a whole number of seconds after the create, by our clock.
func TestTheSecondLookTellsTheSecondOfTheCreate(t *testing.T) {
	t.Parallel()
	for _, elapsed := range []time.Duration{0, 1, time.Second, 1700 * time.Millisecond, 30 * time.Second} {
		pause := untilSecondLook(elapsed)
		require.Zero(t, (elapsed+pause)%time.Second, elapsed)
		require.GreaterOrEqual(t, pause, settlePause)
		require.Less(t, pause, settlePause+time.Second)
	}
}

func TestRetryAfterIsReadByTheClockThatWroteIt(t *testing.T) {
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

// It does what encoding/json does.
func FuzzCompact(f *testing.F) {
	for _, text := range []string{
		`{"meta": {"page": 0, "next_page_url": null}, "webhooks": [ ]}`, ` [1 , -0.5e+10,true,false , null,"a\u00e9\\\"\n\/"] `,
		`{"a":{"b":[{}]}}`, "", " ", "{", "[", `"`, `{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, "01", "-", "1.", "1e", "+1", "tru", "truex", "nul",
		`"\x"`, `"\u12"`, `"\u12g4"`, "\"\x01\"", "\"\xff\"", "[1]2", "{}{}", "\x00", "[\x00]", "1\x00", "\ufeff{}", `{1:2}`, `[}`, `{]`,
		strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth), strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want bytes.Buffer
		err := json.Compact(&want, text)
		got, ok := compact(text)
		require.Equal(t, err == nil, ok, "%q: %v", text, err)
		if ok {
			require.Equal(t, want.String(), string(got))
		}
	})
}
