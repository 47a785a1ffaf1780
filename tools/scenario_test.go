package tools_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// What users ask agents for, carried out with what descriptions and errors say.

func TestAWrongURLIsReplaced(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	created, _ := s.succeeds(ensure, `{"ConversationSid":"`+empty+`","Target":"webhook","Configuration.Url":"https://example.com/wrong","Configuration.Filters":["onMessageAdded"]}`)
	const right = "https://example.com/right?a=1&b=%2F%20c"
	updated, notes := s.succeeds(update, of(created["sid"], `,"Configuration.Url":"`+right+`"`))
	require.Empty(t, notes)
	want := created["configuration"].(map[string]any)
	want["url"] = right
	require.Equal(t, want, updated["configuration"], "the rest stays as it is")
	require.Equal(t, []any{updated}, s.webhooks(empty))
}

func TestWhatWasJustCreatedIsUndone(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	before := s.webhooks(full)
	created, _ := s.succeeds(create, `{"ConversationSid":"`+full+`",`+flow+`}`)
	require.NotEqual(t, before, s.webhooks(full))
	s.succeeds(remove, `{"ConversationSid":"`+full+`","Sid":"`+created["sid"].(string)+`"}`)
	require.Equal(t, before, s.webhooks(full))
}

func TestSixKeywordsNeedTwoWebhooks(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	const start = `{"ConversationSid":"` + empty + `","Target":"trigger","Configuration.Url":"https://example.com","Configuration.Triggers":`
	text, _ := s.fails(create, start+`["a","b","c","d","e","f"]}`)
	require.Contains(t, text, "More keywords need a second webhook, ")
	s.succeeds(create, start+`["a","b","c","d","e"]}`)
	_, notes := s.succeeds(ensure, start+`["f, with a comma"]}`)
	require.Len(t, notes, 1, "the other webhook calls the same URL")
	second := s.webhooks(empty)[1].(map[string]any)["configuration"].(map[string]any)
	require.Equal(t, []any{"f, with a comma"}, second["triggers"])
}

func TestPastMessagesAreReplayedOnlyIfAskedFor(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	plain, _ := s.succeeds(create, `{"ConversationSid":"`+empty+`",`+flow+`}`)
	require.NotContains(t, plain["configuration"], "replay_after")
	replaying, _ := s.succeeds(create, `{"ConversationSid":"`+empty+`",`+flow+`,"Configuration.ReplayAfter":0}`)
	require.InDelta(t, 0, replaying["configuration"].(map[string]any)["replay_after"], 0)
}

// continuation returns the arguments that the description of PageToken says to take
// from next_page_url.
func continuation(t *testing.T, next string) string {
	t.Helper()
	address, err := url.Parse(next)
	require.NoError(t, err)
	return `,"Page":` + address.Query().Get("Page") + `,"PageToken":"` + address.Query().Get("PageToken") + `"`
}

func TestAListIsContinuedToItsEnd(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	for range 5 {
		s.succeeds(create, `{"ConversationSid":"`+empty+`",`+flow+`}`)
	}
	var pages []int
	arguments := `{"ConversationSid":"` + empty + `","PageSize":2`
	for more := ""; ; {
		content, _ := s.succeeds(list, arguments+more+"}")
		pages = append(pages, len(content["webhooks"].([]any)))
		next, ok := content["meta"].(map[string]any)["next_page_url"].(string)
		if !ok {
			break
		}
		more = continuation(t, next)
	}
	require.Equal(t, []int{2, 2, 1}, pages)
}
