package tools_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
)

const (
	asks   = `{"elicitation":{}}`
	agrees = `{"confirm":{"action":"accept","content":{"confirm":true}}}`
)

// A confirmation is a Twilio with one webhook and an account's configuration, and a
// session whose tools ask first.
type confirmation struct {
	session
	mu     sync.Mutex
	url    string   // of the webhook, and of the configuration
	writes []string // requests that change something
}

func confirming(t *testing.T, confirm bool) *confirmation {
	c := &confirmation{url: "https://a.com/1"}
	c.session = connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		defer c.mu.Unlock()
		body := `{"sid":"` + sid + `","target":"webhook","configuration":{"url":"` + c.url + `","filters":["onMessageAdded"]}}`
		if strings.HasSuffix(r.URL.Path, "/Configuration/Webhooks") {
			body = `{"account_sid":"AC0123456789abcdef0123456789abcdef","chat_service_sid":"` + service + `","post_webhook_url":"` + c.url + `","filters":["onMessageAdded"]}`
		}
		if r.Method != http.MethodGet {
			c.writes = append(c.writes, r.Method+" "+r.URL.Path)
		}
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		_, _ = io.WriteString(w, body)
	}))
	selected, err := tools.Select(tools.Selection{Toolsets: []string{"all"}, Confirm: confirm})
	require.NoError(t, err)
	c.tools = selected
	return c
}

func (c *confirmation) ask(tool, arguments, capabilities, responses, state string) *mcp.CallToolResult {
	c.Helper()
	i := slices.IndexFunc(c.tools, func(t tools.Tool) bool { return t.Definition.Name == tool })
	result, _ := c.tools[i].Call(c.Context(), c.twilio, tools.Request{
		Arguments: json.RawMessage(arguments), Capabilities: json.RawMessage(capabilities),
		Responses: json.RawMessage(responses), State: json.RawMessage(state),
	})
	return result
}

// question returns the text of a result's question, and the state as JSON.
func (c *confirmation) question(result *mcp.CallToolResult) (text, state string) {
	c.Helper()
	require.True(c, result.NeedsInput(), result)
	require.Nil(c, result.RawStructuredContent)
	request := result.InputRequests["confirm"]
	require.Equal(c, mcp.MethodElicitationCreate, request.Method)
	return request.Elicitation.Message, fmt.Sprintf("%q", result.RequestState)
}

var (
	deleting = []string{remove, `{"ConversationSid":"CH1","Sid":"` + sid + `"}`}
	updating = []string{updateConfig, `{"PostWebhookUrl":"https://u:p@a.com/2","Filters":["onMessageAdded","onMessageRemoved"]}`}
)

func TestTheUserIsAskedAndTheAnswerIsObeyed(t *testing.T) {
	t.Parallel()
	for _, call := range [][]string{deleting, updating} {
		c := confirming(t, true)
		text, state := c.question(c.ask(call[0], call[1], asks, "", ""))
		require.Contains(t, text, "https://a.com/1")
		require.NotContains(t, text, "u:p")
		require.Empty(t, c.writes)
		for _, no := range []string{
			`{"confirm":{"action":"decline"}}`, `{"confirm":{"action":"cancel"}}`,
			`{"confirm":{"action":"accept","content":{"confirm":false}}}`, `{"confirm":{"action":"accept"}}`,
			`{"confirm":{"action":"accept","content":{"confirm":"true"}}}`,
		} {
			result := c.ask(call[0], call[1], asks, no, state)
			require.False(t, result.IsError)
			require.Contains(t, texts(t, result)[1], "Nothing was changed: the user declined.")
			var content any
			require.NoError(t, json.Unmarshal(result.RawStructuredContent, &content))
			i := slices.IndexFunc(c.tools, func(t tools.Tool) bool { return t.Definition.Name == call[0] })
			require.NoError(t, compile(t, c.tools[i].Definition.RawOutputSchema).Validate(content))
		}
		require.Empty(t, c.writes)
		require.False(t, c.ask(call[0], call[1], asks, agrees, state).IsError)
		require.Len(t, c.writes, 1)
	}
}

func TestTheQuestionShowsOldAndNewValues(t *testing.T) {
	t.Parallel()
	c := confirming(t, true)
	text, _ := c.question(c.ask(updating[0], updating[1], asks, "", ""))
	require.Equal(t, "Change the webhooks of all conversations of the account?\nFilters: onMessageAdded → onMessageAdded, onMessageRemoved\n"+
		"PostWebhookUrl: https://a.com/1 → https://[secret]@a.com/2", text)
	text, _ = c.question(c.ask(updateConfig, `{"ChatServiceSid":"`+service+`","Method":"GET"}`, asks, "", ""))
	require.Equal(t, "Change the webhooks of all conversations of the Service "+service+"?\nMethod: nothing → GET", text)
	text, _ = c.question(c.ask(deleting[0], deleting[1], asks, "", ""))
	require.Equal(t, "Delete the webhook "+sid+" of the conversation CH1? It cannot be restored.\nTarget: webhook\nCalls: https://a.com/1\nOn: onMessageAdded", text)
}

func TestAnAnswerCountsOnlyForWhatWasAsked(t *testing.T) {
	t.Parallel()
	for _, call := range [][]string{deleting, updating} {
		c := confirming(t, true)
		_, state := c.question(c.ask(call[0], call[1], asks, "", ""))
		for _, row := range [][2]string{
			{agrees, ""}, {agrees, `"x"`}, {agrees, `7`}, {agrees, `null`}, {"", state}, {`[]`, state}, {`{"confirm":7}`, state},
			{`{"other":{"action":"accept","content":{"confirm":true}}}`, state}, {`{"confirm":{"action":"ACCEPT","content":{"confirm":true}}}`, state},
		} {
			c.question(c.ask(call[0], call[1], asks, row[0], row[1]))
		}
		c.url = "https://a.com/other"
		text, _ := c.question(c.ask(call[0], call[1], asks, agrees, state))
		require.Contains(t, text, "https://a.com/other", "it is asked again, because it has changed")
		require.Empty(t, c.writes)
	}
	c := confirming(t, true)
	_, state := c.question(c.ask(deleting[0], deleting[1], asks, "", ""))
	c.question(c.ask(deleting[0], `{"ConversationSid":"CH2","Sid":"`+sid+`"}`, asks, agrees, state))
	require.Empty(t, c.writes)
}

func TestWithoutAClientThatAsksTheCallActs(t *testing.T) {
	t.Parallel()
	for _, capabilities := range []string{"", `{}`, `{"elicitation":null}`, `{"elicitation":{"url":{}}}`, `{"sampling":{}}`, `[]`} {
		c := confirming(t, true)
		require.False(t, c.ask(deleting[0], deleting[1], capabilities, "", "").NeedsInput(), capabilities)
		require.Len(t, c.writes, 1)
	}
	c := confirming(t, true)
	c.question(c.ask(deleting[0], deleting[1], `{"elicitation":{"form":{},"url":{}}}`, "", ""))
	c = confirming(t, false)
	require.False(t, c.ask(deleting[0], deleting[1], asks, "", "").NeedsInput())
	require.Len(t, c.writes, 1)
	require.False(t, c.ask(list, `{"ConversationSid":"CH1"}`, asks, "", "").NeedsInput())
}

func TestWhatCannotBeReadIsNotAskedAbout(t *testing.T) {
	t.Parallel()
	c := confirming(t, true)
	c.session = connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	c.tools, _ = tools.Select(tools.Selection{Toolsets: []string{"all"}, Confirm: true})
	result := c.ask(deleting[0], deleting[1], asks, "", "")
	require.True(t, result.IsError)
	require.Contains(t, texts(t, result)[0], "Nothing was changed.")
	require.NotContains(t, texts(t, result)[0], "unknown")
	result = c.ask(updateConfig, `{}`, asks, "", "")
	require.Contains(t, texts(t, result)[0], "At least one of Method")
}
