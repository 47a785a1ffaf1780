package tools_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

const example = `"Target":"webhook","Configuration.Url":"https://example.com/a","Configuration.Filters":["onMessageAdded","onMessageRemoved"]`

// of returns arguments for a webhook of the empty conversation.
func of(sid any, more string) string {
	return `{"ConversationSid":"` + empty + `","Sid":"` + sid.(string) + `"` + more + `}`
}

func TestAnEnsureCreatesOnlyWhatIsNotThere(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	created, notes := s.succeeds(ensure, `{"ConversationSid":"`+empty+`",`+example+`}`)
	require.Equal(t, []string{"Created."}, notes)
	again := strings.Replace(example, `"onMessageAdded","onMessageRemoved"`, `"onMessageRemoved","onMessageAdded"`, 1) + `,"Configuration.ReplayAfter":0`
	result := s.call(ensure, `{"ConversationSid":"`+empty+`",`+again+`}`)
	require.False(t, result.IsError)
	require.Equal(t, map[string]any{"existing": true}, result.Meta.AdditionalFields)
	require.Contains(t, texts(t, result)[1], "An identical webhook was already there. Nothing was created, so past messages are not replayed; ")
	require.Equal(t, []any{created}, s.webhooks(empty))
}

func TestAnEnsureNamesSimilarWebhooks(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	first, _ := s.succeeds(ensure, `{"ConversationSid":"`+empty+`",`+example+`}`)
	_, notes := s.succeeds(ensure, `{"ConversationSid":"`+empty+`",`+example+`,"Configuration.Method":"get"}`)
	require.Len(t, notes, 1)
	require.Contains(t, notes[0], "Created. Note: "+first["sid"].(string)+" calls the same URL (differs in Configuration.Method; it has onMessageAdded, onMessageRemoved), so ")
	require.Len(t, s.webhooks(empty), 2)
	for range 3 {
		s.succeeds(create, `{"ConversationSid":"`+empty+`",`+flow+`}`)
	}
	text, _ := s.fails(ensure, `{"ConversationSid":"`+empty+`","Target":"trigger","Configuration.Url":"https://example.com/a","Configuration.Triggers":["help"]}`)
	require.Contains(t, text, first["sid"].(string)+" calls the same URL: it may already do what was asked. ")
}

func TestAnEnsureSaysThatItCreated(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	result := s.call(ensure, `{"ConversationSid":"`+empty+`",`+example+`}`)
	require.Equal(t, map[string]any{"existing": false}, result.Meta.AdditionalFields)
	require.Nil(t, s.call(create, `{"ConversationSid":"`+empty+`",`+example+`}`).Meta)
}

func TestParametersThatTheTargetDoesNotUseAreNoted(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	arguments := `{"ConversationSid":"` + empty + `",` + flow + `,"Configuration.Url":"https://example.com"}`
	const note = "Ignored, because the target does not use it: Configuration.Url."
	_, notes := s.succeeds(create, arguments)
	require.Equal(t, []string{note}, notes)
	_, notes = s.succeeds(ensure, arguments)
	require.Equal(t, []string{"An identical webhook was already there. Nothing was created.", note}, notes)
}

func TestAWebhookIsFetchedUpdatedAndDeleted(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	created, _ := s.succeeds(create, `{"ConversationSid":"`+empty+`",`+example+`}`)
	fetched, _ := s.succeeds(fetch, of(created["sid"], ""))
	require.Equal(t, created, fetched)

	updated, notes := s.succeeds(update, of(created["sid"], `,"Configuration.Url":"https://example.com/b","Configuration.Filters":["onMessageAdded"]`))
	require.Empty(t, notes)
	configuration := updated["configuration"].(map[string]any)
	require.Equal(t, "https://example.com/b", configuration["url"])
	require.Equal(t, []any{"onMessageAdded"}, configuration["filters"])

	deleted, notes := s.succeeds(remove, of(created["sid"], ""))
	require.Equal(t, map[string]any{"sid": created["sid"], "deleted": true}, deleted)
	require.Empty(t, notes)
	require.Empty(t, s.webhooks(empty))
	text, details := s.fails(remove, of(created["sid"], ""))
	require.Contains(t, text, "this means that the webhook is gone.")
	require.Equal(t, false, details["retryable"])
}

// scripted answers reads with one status and body, and writes with another. A
// status of 0 aborts the connection.
func scripted(readStatus int, readBody string, writeStatus int, writeBody string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := writeStatus, writeBody
		if r.Method == http.MethodGet {
			status, body = readStatus, readBody
		}
		_, _ = io.Copy(io.Discard, r.Body)
		if status == 0 {
			panic(http.ErrAbortHandler)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	})
}

func TestAResultThatDiffersFromWhatWasAskedForIsNoted(t *testing.T) {
	t.Parallel()
	const answer = `{"sid":"` + sid + `","target":"webhook","configuration":{"url":"https://example.com/a","method":"GET","filters":["onMessageAdded"]}}`
	s := connect(t, scripted(0, "", 201, answer))
	content, notes := s.succeeds(create, `{"ConversationSid":"`+empty+`",`+example+`}`)
	require.Equal(t, sid, content["sid"])
	require.Equal(t, []string{"Twilio carried out the call, but the webhook does not match the request in " +
		"Configuration.Method, Configuration.Filters. Tell the user, and do not repeat the call."}, notes)
	_, notes = s.succeeds(update, of(sid, `,"Configuration.Method":"post"`))
	require.Len(t, notes, 1)
	require.Contains(t, notes[0], "in Configuration.Method.")
}

func TestTheOutcomeOfAnUpdateIsReadBack(t *testing.T) {
	t.Parallel()
	webhook := func(url, updated string) string {
		return `{"sid":"` + sid + `","target":"webhook","date_updated":"` + updated + `","configuration":{"url":"` + url + `","method":"POST","filters":["onMessageAdded"]}}`
	}
	const change = `,"Configuration.Url":"https://example.com/new"`

	result := connect(t, scripted(200, webhook("https://example.com/new", "2026-01-01T00:00:00Z"), 503, "")).call(update, of(sid, change))
	require.False(t, result.IsError)
	require.Equal(t, map[string]any{"reconciled": true}, result.Meta.AdditionalFields)
	require.Contains(t, texts(t, result)[1], "response to the update was lost")

	for name, row := range map[string]struct {
		twilio http.Handler
		want   string
	}{
		"not applied": {scripted(200, webhook("https://example.com/old", "2020-01-01T00:00:00Z"), 503, ""), "Twilio failed: HTTP 503. The update was not applied so far, but Twilio may still apply it."},
		"changed":     {scripted(200, webhook("https://example.com/old", "2036-01-01T00:00:00Z"), 0, ""), " Whether the update was applied is unknown: the webhook's Configuration.Url does not match the request."},
		"unreadable":  {scripted(200, strings.Replace(webhook("", ""), `"url":""`, `"url":7`, 1), 503, ""), " Whether the update was applied is unknown: the webhook's Configuration.Url cannot be read."},
		"not read":    {scripted(404, `{"code":20404}`, 503, ""), "Whether the update was applied is unknown: reading it back failed too (HTTP 404, code 20404)."},
	} {
		text, details := connect(t, row.twilio).fails(update, of(sid, change))
		require.Contains(t, text, row.want, name)
		require.Contains(t, text, "Ten seconds from now or later, call fetch_conversation_webhook", name)
		require.Equal(t, false, details["retryable"], name)
	}
}

func TestADeleteOfUnknownOutcomeMayBeRepeated(t *testing.T) {
	t.Parallel()
	text, details := connect(t, scripted(0, "", 503, "")).fails(remove, of(sid, ""))
	require.Contains(t, text, "Twilio failed: HTTP 503")
	require.Contains(t, text, "Whether the webhook was deleted is unknown; the call may be repeated. Try again later.")
	require.Equal(t, true, details["retryable"])
}

func TestAnEnsureThatCannotListCreatesNothing(t *testing.T) {
	t.Parallel()
	text, details := connect(t, scripted(503, "", 201, `{"sid":"`+sid+`"}`)).fails(ensure, `{"ConversationSid":"x",`+flow+`}`)
	require.Contains(t, text, "Nothing was created. Try again later.")
	require.Equal(t, true, details["retryable"])
}

func TestAnEnsureOfUnknownOutcomeIsEnsuredAgain(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	s.tools = choose(t, "manage")
	text, details := s.fails(ensure, `{"ConversationSid":"CH00000000000000000000000000000503",`+flow+`}`)
	require.Contains(t, text, "not found so far, but Twilio may still create it. Do not create it again yet: wait ten seconds, then "+
		"call ensure_conversation_webhook with the same arguments, once: it uses the webhook if it has appeared.")
	require.Equal(t, false, details["retryable"])
}

func TestAFullConversationIsMadeRoomIn(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	for i := range 5 {
		s.succeeds(create, fmt.Sprintf(`{"ConversationSid":"%s","Target":"trigger","Configuration.Url":"https://example.com/%d","Configuration.Triggers":["a, b"]}`, empty, i))
	}
	arguments := `{"ConversationSid":"` + empty + `",` + example + `}`
	s.fails(ensure, arguments)
	second := s.webhooks(empty)[1].(map[string]any)
	s.succeeds(remove, of(second["sid"], ""))
	ensured, _ := s.succeeds(ensure, arguments)
	require.Len(t, s.webhooks(empty), 5)
	require.Contains(t, s.webhooks(empty), any(ensured))
	require.NotContains(t, s.webhooks(empty), any(second))
}

// Ensures of one webhook at once create it once, and every one of them gets it.
func TestEnsuresAtOnceCreateOneWebhook(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	arguments := `{"ConversationSid":"` + empty + `",` + example + `}`
	sids := make(chan any, 16)
	var calls sync.WaitGroup
	for range cap(sids) {
		calls.Go(func() {
			var content map[string]any
			_ = json.Unmarshal(s.call(ensure, arguments).RawStructuredContent, &content)
			sids <- content["sid"]
		})
	}
	calls.Wait()
	require.Len(t, s.webhooks(empty), 1)
	for range cap(sids) {
		require.Equal(t, s.webhooks(empty)[0].(map[string]any)["sid"], <-sids)
	}
}
