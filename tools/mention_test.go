package tools

import (
	"context"
	"regexp"
	"slices"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

// For every choice of toolsets, everything that a tool can say names only tools
// that are offered, and none of the brackets of a text is left.
func TestOnlyOfferedToolsAreMentioned(t *testing.T) {
	t.Parallel()
	toolsets := Toolsets()
	for _, names := range subsets(toolsets[:len(toolsets)-1]) { // "all" is the last of them
		for _, readOnly := range []bool{false, true} {
			selected, err := definitions(Selection{Toolsets: names, ReadOnly: readOnly})
			require.NoError(t, err)
			o := namesOf(selected)
			for _, d := range selected {
				for _, text := range everyText(d, o) {
					for _, name := range underscored.FindAllString(text, -1) {
						require.True(t, slices.Contains(o, name) || slices.Contains(fields, name), "%v, read-only %v: %s: %s", names, readOnly, d.name(), text)
					}
					require.NotRegexp(t, `[][|]|  | \.|call *$`, text)
				}
			}
		}
	}
}

// underscored matches what looks like the name of a tool; fields are the names of
// Twilio's fields that look so.
var (
	underscored = regexp.MustCompile(`\b[a-z]+(_[a-z]+)+\b`)
	fields      = []string{"flow_sid", "replay_after", "next_page_url", "chat_service_sid"}
)

func subsets(names []string) (all [][]string) {
	for bits := range 1 << len(names) {
		var subset []string
		for i, name := range names {
			if bits&(1<<i) != 0 {
				subset = append(subset, name)
			}
		}
		all = append(all, subset)
	}
	return all
}

// everyText returns the description of a tool, and the texts of all its results.
func everyText(d definition, o offered) []string {
	all := []string{d.tool(o, Selection{}).Definition.Description}
	explain := d.explainer(o)
	add := func(result *mcp.CallToolResult) {
		for _, content := range result.Content {
			text, _ := mcp.AsTextContent(content)
			all = append(all, text.Text)
		}
	}
	similar := []twilioapi.SimilarWebhook{{SID: "WH1", Target: "studio", Filters: Events(), Differs: []string{"Target"}}, {SID: "WH2"}}
	for _, existing := range []bool{false, true} {
		add(explain.successResult(twilioapi.Result{
			Info: twilioapi.CallInfo{Reconciled: true}, Differs: []string{"Target"}, Ignored: []string{"Configuration.Url"},
			Existing: existing, NotReplayed: true, Events: Events(), Similar: similar,
		}))
	}
	explain.similar = similar
	for _, err := range everyError() {
		add(explain.errorResult(err))
	}
	if !d.readOnly() {
		for _, err := range everyUnknownOutcome() {
			add(explain.errorResult(err))
		}
	}
	return all
}

var (
	failure = &twilioapi.Error{Outcome: twilioapi.Failed, Status: 503}
	timeout = &twilioapi.Error{Outcome: twilioapi.Failed, Message: "x", Err: context.DeadlineExceeded}
)

// everyError returns an error of each kind that a call can end with.
func everyError() []error {
	all := []error{
		argumentError{"x is invalid."}, &twilioapi.Error{Outcome: twilioapi.NotSent, Message: "x"}, failure, timeout, &twilioapi.Error{Outcome: twilioapi.NotSent, Message: "x", Attempts: 1},
	}
	for code := range advice {
		all = append(all, &twilioapi.Error{Outcome: twilioapi.Refused, Status: 400, Code: code, Message: "x"})
	}
	for _, status := range []int{200, 302, 400, 401, 403, 404, 408, 409, 429, 500} {
		all = append(all, &twilioapi.Error{Outcome: outcomeOf(status), Status: status}, &twilioapi.Error{Outcome: outcomeOf(status), Status: status, Message: "x"})
	}
	return all
}

// everyUnknownOutcome returns an error of each kind that a write can end with.
func everyUnknownOutcome() []error {
	var all []error
	for _, readBack := range []twilioapi.ReadBack{
		{Err: timeout}, {Err: failure}, {NotApplied: true}, {Found: 1}, {Found: 2}, {Differs: []string{"Configuration.Url"}}, {Unreadable: []string{"Configuration.Url"}},
	} {
		all = append(all, &twilioapi.Error{Outcome: twilioapi.Unknown, Status: 503, ReadBack: &readBack},
			&twilioapi.Error{Outcome: twilioapi.Unknown, Message: "x", Err: context.DeadlineExceeded, ReadBack: &readBack})
	}
	return all
}

func outcomeOf(status int) twilioapi.Outcome {
	if status >= 300 && status < 500 && status != 408 {
		return twilioapi.Refused
	}
	return twilioapi.Failed
}

func TestAnAlternativeIsChosenByTheToolsItNames(t *testing.T) {
	t.Parallel()
	const text = "Do this[ with create_conversation_webhook|, or (list_conversation_webhooks)|]. [ask search_documentation|Ask.] flow_sid"
	require.Equal(t, "Do this with create_conversation_webhook. Ask. flow_sid", offered{"create_conversation_webhook", "list_conversation_webhooks"}.render(text))
	require.Equal(t, "Do this, or (list_conversation_webhooks). ask search_documentation flow_sid", offered{"search_documentation", "list_conversation_webhooks"}.render(text))
	require.Equal(t, "Do this. Ask. flow_sid", offered(nil).render(text))
}

// Whatever its name is like.
func TestEveryToolIsRecognizedInATextThatNamesIt(t *testing.T) {
	t.Parallel()
	all, err := definitions(Selection{Toolsets: []string{"all"}})
	require.NoError(t, err)
	for _, name := range namesOf(all) {
		text := "[Call " + name + ": it helps.|No such tool.]"
		require.Equal(t, "No such tool.", offered(nil).render(text))
		require.Equal(t, "Call "+name+": it helps.", offered{name}.render(text))
	}
}

func TestBracketsOfTwiliosAreKept(t *testing.T) {
	t.Parallel()
	text, _ := (&explainer{}).explain(&twilioapi.Error{Outcome: twilioapi.Refused, Status: 400, Code: 50351, Message: "a [b|c] delete_conversation_webhook", MoreInfo: "https://example.com/[d|e]"})
	require.Contains(t, text, "a [b|c] delete_conversation_webhook. ")
	require.Contains(t, text, "https://example.com/[d|e]")
}
