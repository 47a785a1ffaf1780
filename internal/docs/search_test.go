package docs_test

import (
	"maps"
	"slices"
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
	{"webhook does not fire for messages sent with the REST API", "troubleshooting"},
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
	{"how to get the second page", "paging"},
	{"can the target be changed later", "targets"},
	{"how fast must the receiver answer", "receiving"},
	{"remove all filters", "update"},
	{"stop receiving one of the events", "update"},
	{"is there an event for typing", "events"},
	{"what happens after a 429", "errors"},
	{"what to do after a timeout on create", "safe-creates"},
	{"use the webhooks of a second Service", "addressing"},
	{"20404 after an earlier delete", "delete"},
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
	{"_meta.reconciled", "safe-creates"},
	{"_meta.error retryable", "errors"},
	// About the levels, finding, receiving and what goes wrong.
	{"webhook for all conversations account wide", "levels"},
	{"global webhook", "levels"},
	{"service level webhook", "levels"},
	{"pre-action webhook", "levels"},
	{"reject a message before it is sent", "levels"},
	{"auto-creation for a phone number", "levels"},
	{"who made this webhook", "levels"},
	{"can I edit the webhook in the Console", "levels"},
	{"find conversation by phone number", "finding"},
	{"which conversation is Alice in", "finding"},
	{"find by identity", "finding"},
	{"whatsapp address", "finding"},
	{"search for a friendly name", "finding"},
	{"webhook fires twice", "troubleshooting"},
	{"every event arrives twice", "troubleshooting"},
	{"how do I know whether it works", "troubleshooting"},
	{"nothing arrives at my server", "troubleshooting"},
	{"error 11200", "troubleshooting"},
	{"11217", "troubleshooting"},
	{"why does the Flow not start again", "troubleshooting"},
	{"closed by a timer", "troubleshooting"},
	{"self-signed certificate", "receiving"},
	{"which fields does onMessageAdded send", "receiving"},
	{"which fields does the webhook POST carry", "receiving"},
	{"payload of the request", "receiving"},
	{"basic auth in webhook url", "receiving"},
	{"signature validation", "receiving"},
	{"X-Twilio-Signature", "receiving"},
	{"does twilio retry when my server returns 500", "receiving"},
	{"RetryCount", "receiving"},
	{"connection overrides", "receiving"},
	{"test my receiver on a laptop", "testing"},
	{"_sandbox/deliveries", "testing"},
	{"more than 5 webhooks", "limits"},
	// Half-remembered words.
	{"onMessageSent not valid", "events"},
	{"sixth webhook refused", "limits"},
	{"url too long", "limits"},
	{"pagination", "paging"},
	{"signature of the callback", "receiving"},
	{"rate limiting", "limits"},
	{"receiver timeout", "receiving"},
	{"webhook timeout", "receiving"},
	{"second page", "paging"},
	{"typing", "events"},
	{"comma", "keywords"},
	{"event streams", "events"},
	{"http 429", "limits"},
	{"clear filters", "update"},
	{"API key", "errors"},
	{"region", "addressing"},
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

// answers are queries with what the passage of the first result contains.
var answers = map[string]string{
	"which event fires when a participant leaves":       "onParticipantRemoved",
	"someone joined the conversation":                   "onParticipantAdded",
	"which event tells that the conversation is closed": "onConversationStateUpdated",
	"delivery receipts":                                 "Event: onDeliveryUpdated — Fires when: the status",
	"onMessageAdded":                                    "Event: onMessageAdded — Fires when: a new message",
	"typing":                                            "None of the ten events",
	"event streams":                                     "up to four hours",
	"webhook does not fire for messages sent with the REST API": "X-Twilio-Webhook-Enabled: true",
	"what does ReplayAfter 0 do":                                "every old message",
	"why is a sixth webhook refused":                            "50361",
	"how many webhooks can a conversation have":                 "at most five webhooks",
	"maximum number of webhooks":                                "Limit: 5",
	"maximum length of Configuration.Url":                       "512 characters",
	"how fast must the receiver answer":                         "5 seconds",
	"receiver timeout":                                          "5 seconds",
	"webhook timeout":                                           "5 seconds",
	"unique name with a slash":                                  "support/42",
	"TWILIO_CHAT_SERVICE_SID":                                   "--chat-service-sid",
	"use the webhooks of a second Service":                      "a second Service needs a second server",
	"what to do after a 503 on create":                          "1. Wait ten seconds or more. 2. List the webhooks. If the one you wanted is there, use it. 3. If not,",
	"what happens after a 429":                                  "it can always be sent again",
	"can the target be changed later":                           "No. Target is set at creation",
	"difference between webhook and trigger target":             "a trigger when a message contains a keyword",
	"connect a Studio Flow":                                     "the Flow SID begins with FW",
	"remove all filters":                                        "Nothing can be cleared.",
	"stop receiving one of the events":                          "shorter, complete list",
	"can a keyword contain a comma":                             "A comma is sent as part of the keyword.",
	"are keywords case sensitive":                               "Whether upper and lower case matter.",
	"how to get the second page":                                "1. PageSize as before, 2. Page as in the address, 3. PageToken",
	"avoid duplicate webhooks":                                  "duplicate webhooks",
	"code 50377":                                                "Code: 50377 — Meaning: The conversation is closed",
	"what does 50367 mean":                                      "Code: 50367 — Meaning: Configuration.FlowSid is not FW",
	"error 20404":                                               "Code: 20404 — Status: 404 — Meaning: Not found",
	"21481":                                                     "Code: 21481",
	"ensure_conversation_webhook":                               "which does both in one call",
}

func TestAPassageAnswersTheQuestion(t *testing.T) {
	t.Parallel()
	for query, want := range answers {
		found := docs.Search(query, "")
		require.NotEmpty(t, found.Results, query)
		require.Contains(t, found.Results[0].Passage, want, query)
	}
}

// Passages are prose, list items and rows with the names of their columns.
func TestAPassageIsNoExampleAndNoHeader(t *testing.T) {
	t.Parallel()
	queries := slices.Collect(maps.Keys(answers))
	for _, q := range questions {
		queries = append(queries, q.query)
	}
	for _, query := range append(queries, "code meaning", "source", "request", "tool", "date_created", "account_sid", "curl", "json", "parameter type meaning") {
		for _, r := range docs.Search(query, "").Results {
			require.NotRegexp(t, `Code: Code|Field: Field|Event: Event|What: What|Parameter: Parameter|---|Source:  |(^|: )(Source|Request|Tool|Success): |As a (tool call|request)|"sid":|--request|: ?—|— *$`, r.Passage, query)
		}
	}
}

func TestAPassageIsShortPlainText(t *testing.T) {
	t.Parallel()
	for _, q := range questions {
		for _, r := range docs.Search(q.query, "").Results {
			require.NotEmpty(t, r.Passage, q.query)
			require.LessOrEqual(t, utf8.RuneCountInString(r.Passage), 400)
			require.NotContains(t, r.Passage, "](", q.query)
			require.NotContains(t, r.Passage, "```", q.query)
			require.NotRegexp(t, `^\|| \|$|^#`, r.Passage, q.query)
		}
	}
}

func TestASearchWithoutAQueryReturnsEveryPage(t *testing.T) {
	t.Parallel()
	for kind, want := range map[docs.Kind]int{"": len(docs.All()), docs.Operation: 13, docs.Guide: len(docs.All()) - 13} {
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
	require.Equal(t, len(docs.All()), found.Total)
	require.LessOrEqual(t, len(found.Results), 10)
	require.ElementsMatch(t, names(found), unique(names(found)), "a page comes once")

	found = docs.Search("what does error 99999 mean", "")
	require.Zero(t, found.Total, "a code that no page has")

	found = docs.Search("zebra", "")
	require.Zero(t, found.Total)
	require.NotNil(t, found.Results)
	require.Empty(t, found.Results)
}

func TestPagesThatMatchMuchLessThanTheBestAreLeftOut(t *testing.T) {
	t.Parallel()
	for query, most := range map[string]int{"typing": 2, "pagination": 2, "which event fires when a participant leaves": 7, "rate limiting": 3} {
		found := docs.Search(query, "")
		require.LessOrEqual(t, len(found.Results), most, "%s: %v", query, names(found))
		require.GreaterOrEqual(t, found.Total, len(found.Results))
	}
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
