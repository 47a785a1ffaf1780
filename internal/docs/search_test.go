package docs_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
)

// questions are queries as users and agents write them, with the page that
// should come first. An error code is expected where the code is explained at
// length.
var questions = []struct{ query, page string }{
	// As a user would ask.
	{"how many webhooks can a conversation have", "limits"},
	{"maximum number of webhooks", "limits"},
	{"which event fires when a participant leaves", "events"},
	{"someone joined the conversation", "events"},
	{"get notified when a message was read", "events"},
	{"delivery receipts", "events"},
	{"conversation closed event", "events"},
	{"webhook does not fire for messages sent with the REST API", "events"},
	{"are keywords case sensitive", "keywords"},
	{"does a keyword match inside a longer word", "keywords"},
	{"can a keyword contain a comma", "keywords"},
	{"more than five keywords", "keywords"},
	{"send old messages to a new webhook", "replay"},
	{"what does ReplayAfter 0 do", "replay"},
	{"replay all messages from the beginning", "replay"},
	{"unique name with a slash", "addressing"},
	{"conversation in another Service", "addressing"},
	{"percent-encode the name of the conversation", "addressing"},
	{"how do I get the next page", "paging"},
	{"what should I do after a 503 on create", "safe-creates"},
	{"avoid duplicate webhooks", "safe-creates"},
	{"is it safe to retry after a timeout", "errors"},
	{"difference between webhook and trigger target", "targets"},
	{"connect a Studio Flow", "targets"},
	{"run a flow when a message arrives", "targets"},
	{"remove a webhook", "delete"},
	{"change the URL of a webhook", "update"},
	{"show one webhook by its SID", "fetch"},
	{"show all webhooks", "list"},
	{"add a webhook", "create"},
	// As an agent would ask.
	{"create_conversation_webhook", "create"},
	{"list_conversation_webhooks", "list"},
	{"update_conversation_webhook parameters", "update"},
	{"delete_conversation_webhook", "delete"},
	{"fetch_conversation_webhook", "fetch"},
	{"ensure_conversation_webhook", "safe-creates"},
	{"Configuration.Triggers", "keywords"},
	{"Configuration.ReplayAfter", "replay"},
	{"Configuration.FlowSid", "targets"},
	{"PageToken", "paging"},
	{"next_page_url", "paging"},
	{"meta.key", "paging"},
	{"50361", "limits"},
	{"error 20404", "errors"},
	{"20429 too many requests", "limits"},
	{"code 50377", "errors"},
	{"70051 permission", "errors"},
	{"onMessageAdded", "events"},
	{"onDeliveryUpdated status", "events"},
	{"StateTo closed", "events"},
	{"X-Twilio-Webhook-Enabled", "events"},
	{"TWILIO_CHAT_SERVICE_SID", "addressing"},
	{"idempotency key", "safe-creates"},
	{"_meta.settled", "safe-creates"},
	{"_meta.error retryable", "errors"},
	// Half-remembered words.
	{"onMessageSent not valid", "events"},
	{"sixth webhook refused", "limits"},
	{"url too long", "limits"},
	{"pagination", "paging"},
	{"signature of the callback", "events"},
	{"rate limiting", "limits"},
}

func TestTheExpectedPageIsFoundFirst(t *testing.T) {
	t.Parallel()
	var notFirst []string
	for _, q := range questions {
		found := docs.Search(q.query, "")
		place := -1
		for i, r := range found.Results {
			if r.Page.Name == q.page {
				place = i
			}
		}
		require.True(t, 0 <= place && place < 3, "%q: %s is at %d of %v", q.query, q.page, place, names(found))
		if place != 0 {
			notFirst = append(notFirst, q.query+" → "+strings.Join(names(found)[:max(0, place)], ", "))
		}
	}
	t.Logf("%d of %d first; not first: %q", len(questions)-len(notFirst), len(questions), notFirst)
	require.LessOrEqual(t, len(notFirst)*10, len(questions), "nine in ten come first")
}

func names(found docs.Results) (all []string) {
	for _, r := range found.Results {
		all = append(all, r.Page.Name)
	}
	return all
}

func TestAPassageAnswersTheQuestion(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"which event fires when a participant leaves":       "onParticipantRemoved",
		"what does ReplayAfter 0 do":                        "every old message",
		"why is a sixth webhook refused":                    "50361",
		"unique name with a slash":                          "support/42",
		"what to do after a 503 on create":                  "503",
		"maximum length of Configuration.Url":               "512 characters",
		"TWILIO_CHAT_SERVICE_SID":                           "--chat-service-sid",
		"which event tells that the conversation is closed": "onConversationStateUpdated",
	} {
		found := docs.Search(query, "")
		require.NotEmpty(t, found.Results, query)
		require.Contains(t, found.Results[0].Passage, want, query)
	}
}

func TestAPassageIsShortPlainText(t *testing.T) {
	t.Parallel()
	for _, q := range questions {
		for _, r := range docs.Search(q.query, "").Results {
			require.NotEmpty(t, r.Passage, q.query)
			require.LessOrEqual(t, utf8.RuneCountInString(r.Passage), 320)
			require.NotContains(t, r.Passage, "](", q.query)
			require.NotContains(t, r.Passage, "```", q.query)
			require.NotRegexp(t, `^\|| \|$|^#`, r.Passage, q.query)
		}
	}
}

func TestASearchWithoutAQueryReturnsEveryPage(t *testing.T) {
	t.Parallel()
	for kind, want := range map[docs.Kind]int{"": 14, docs.Operation: 5, docs.Guide: 9} {
		found := docs.Search(" \t", kind)
		require.Equal(t, want, found.Total)
		require.Len(t, found.Results, want)
		for _, r := range found.Results {
			require.Equal(t, r.Page.Description, r.Passage)
		}
	}
}

func TestASearchCanBeLimitedToOneKind(t *testing.T) {
	t.Parallel()
	for _, kind := range []docs.Kind{docs.Operation, docs.Guide} {
		found := docs.Search("webhook", kind)
		require.Positive(t, found.Total)
		for _, r := range found.Results {
			require.Equal(t, kind, r.Page.Kind)
		}
	}
}

func TestTheTotalCountsEveryPageThatMatches(t *testing.T) {
	t.Parallel()
	found := docs.Search("conversation", "")
	require.Equal(t, 14, found.Total)
	require.Len(t, found.Results, docs.MaxResults)
	require.ElementsMatch(t, names(found), unique(names(found)), "a page comes once")

	found = docs.Search("zebra", "")
	require.Zero(t, found.Total)
	require.NotNil(t, found.Results)
	require.Empty(t, found.Results)
}

func unique(all []string) (once []string) {
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s] {
			once = append(once, s)
		}
		seen[s] = true
	}
	return once
}

// A search reads a bounded part of its query.
func TestAnyQueryIsAnswered(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("webhook ", docs.MaxQuery)
	require.Equal(t, docs.Search("webhook", ""), docs.Search(long, ""))
	require.Zero(t, docs.Search(strings.Repeat("x", docs.MaxQuery)+" webhook", "").Total)
	for _, query := range []string{"\x00", "\xff\xfe", "?", "the", "|", "](", strings.Repeat("é", docs.MaxQuery)} {
		require.NotNil(t, docs.Search(query, "").Results, "%q", query)
	}
	require.Zero(t, docs.Search("webhook", "topic").Total)
}

func BenchmarkSearch(b *testing.B) {
	for b.Loop() {
		docs.Search("what should I do after a 503 on create", "")
	}
}
