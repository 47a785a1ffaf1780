package docs_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

// This file compares what the guides say with the code that says the same.

func guide(t *testing.T, name string) string {
	t.Helper()
	p, ok := docs.Lookup(name)
	require.True(t, ok)
	return p.Content()
}

// create asks a new sandbox for a webhook with these values of its form, besides
// those of a valid one, and returns the code of the refusal, or "".
func create(t *testing.T, change url.Values) string {
	t.Helper()
	return createIn(t, sandbox.New(sandbox.Options{}), change)
}

func createIn(t *testing.T, s http.Handler, change url.Values) string {
	t.Helper()
	form := url.Values{"Target": {"webhook"}, "Configuration.Url": {"https://example.com"}, "Configuration.Filters": {"onMessageAdded"}}
	maps.Copy(form, change)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/Conversations/"+conversation+"/Webhooks", strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("SK1", "secret")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Header().Get("X-Twilio-Error-Code")
}

func TestTheTenEventsAreThoseThatTheCodeAccepts(t *testing.T) {
	t.Parallel()
	var events []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(on[A-Za-z]+)` \\| [^|]+ \\| [^|]+ \\|$").FindAllStringSubmatch(guide(t, "events"), -1) {
		events = append(events, row[1])
	}
	require.Len(t, events, 10)
	for _, event := range events {
		require.Empty(t, create(t, url.Values{"Configuration.Filters": {event}}), event)
	}
	schema := published(t, "create_conversation_webhook.input.json")
	i := slices.IndexFunc(schema.Properties, func(p property) bool { return p.name == "Configuration.Filters" })
	inSchema := regexp.MustCompile(`\bon[A-Z][A-Za-z]+`).FindAllString(schema.Properties[i].Description, -1)
	require.ElementsMatch(t, events, unique(inSchema))
}

func TestTheNamesThatTheGuideRejectsAreRefused(t *testing.T) {
	t.Parallel()
	_, section, ok := strings.Cut(guide(t, "events"), "## Names that are not accepted")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")
	rejected := regexp.MustCompile("`(on[A-Za-z]+)`[^.]* (?:are pre-action|which the documented|cannot happen|are events of)").FindAllString(section, -1)
	require.Len(t, rejected, 4)
	for _, sentence := range rejected {
		for _, name := range regexp.MustCompile(`\bon[A-Z][A-Za-z]+`).FindAllString(sentence, -1) {
			require.Equal(t, "50365", create(t, url.Values{"Configuration.Filters": {name}}), name)
		}
	}
}

func TestTheLimitsAreThoseThatTheCodeEnforces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says     string // in the limits guide
		accepted url.Values
		refused  url.Values
		code     string
	}{
		"url": {
			"length of `Configuration.Url` | 512 characters | 50372",
			url.Values{"Configuration.Url": {"https://example.com/" + strings.Repeat("a", 512-20)}},
			url.Values{"Configuration.Url": {"https://example.com/" + strings.Repeat("a", 513-20)}}, "50372",
		},
		"keyword": {
			"length of a keyword | 1 to 248 characters | 50366",
			url.Values{"Target": {"trigger"}, "Configuration.Triggers": {strings.Repeat("a", 248)}},
			url.Values{"Target": {"trigger"}, "Configuration.Triggers": {strings.Repeat("a", 249)}}, "50366",
		},
		"keywords": {
			"keywords in `Configuration.Triggers` | 1 to 5 | 50362, 50371",
			url.Values{"Target": {"trigger"}, "Configuration.Triggers": {"a", "b", "c", "d", "e"}},
			url.Values{"Target": {"trigger"}, "Configuration.Triggers": {"a", "b", "c", "d", "e", "f"}}, "50362",
		},
		"events": {
			"events in `Configuration.Filters` for target `webhook` | at least 1 of the ten",
			nil, url.Values{"Configuration.Filters": nil}, "50370",
		},
	} {
		require.Contains(t, guide(t, "limits"), c.says, name)
		require.Empty(t, create(t, c.accepted), name)
		require.Equal(t, c.code, create(t, c.refused), name)
	}
}

func TestAConversationHoldsAsManyWebhooksAsTheGuideSays(t *testing.T) {
	t.Parallel()
	require.Contains(t, guide(t, "limits"), "webhooks per conversation | 5 | 50361")
	s := sandbox.New(sandbox.Options{}) // with three webhooks
	require.Empty(t, createIn(t, s, nil))
	require.Empty(t, createIn(t, s, nil))
	require.Equal(t, "50361", createIn(t, s, nil))
}

func TestThePageSizeIsThatOfTheSchema(t *testing.T) {
	t.Parallel()
	require.Contains(t, guide(t, "limits"), "`PageSize` | 1 to 5, default 5")
	schema := published(t, "list_conversation_webhooks.input.json")
	i := slices.IndexFunc(schema.Properties, func(p property) bool { return p.name == "PageSize" })
	require.Contains(t, schema.Properties[i].Description, "1 to 5. Default 5")
}

func TestTheErrorsGuideKnowsEveryCodeThatThereIsAdviceFor(t *testing.T) {
	t.Parallel()
	require.ElementsMatch(t, slices.Collect(maps.Keys(tools.Advice(""))), slices.Collect(maps.Keys(explained(t))))
}

// What a target needs, in the order of the table of the targets guide.
func TestATargetNeedsWhatTheGuideSays(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		form url.Values
		code string
	}{
		{url.Values{"Configuration.Url": nil}, "50369"},
		{url.Values{"Configuration.Filters": nil}, "50370"},
		{url.Values{"Target": {"trigger"}}, "50371"},
		{url.Values{"Target": {"trigger"}, "Configuration.Triggers": {"a"}, "Configuration.Filters": nil}, ""},
		{url.Values{"Target": {"studio"}, "Configuration.Url": nil}, "50367"},
		{url.Values{"Target": {"studio"}, "Configuration.Url": nil, "Configuration.Filters": nil, "Configuration.FlowSid": {"FW" + strings.Repeat("a", 32)}}, ""},
	} {
		require.Equal(t, c.code, create(t, c.form), c.form)
	}
}
