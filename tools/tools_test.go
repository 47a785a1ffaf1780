package tools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const (
	list   = "list_conversation_webhooks"
	create = "create_conversation_webhook"
	ensure = "ensure_conversation_webhook"
	fetch  = "fetch_conversation_webhook"
	update = "update_conversation_webhook"
	remove = "delete_conversation_webhook"

	listAll      = "list_conversations"
	listOf       = "list_participant_conversations"
	fetchOne     = "fetch_conversation"
	listServices = "list_conversation_services"
	fetchConfig  = "fetch_webhook_configuration"
	updateConfig = "update_webhook_configuration"
	listAddress  = "list_address_configurations"

	search = "search_documentation"
	get    = "get_documentation"

	full  = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	empty = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

	sid  = "WH0123456789abcdef0123456789abcdef"
	flow = `"Target":"studio","Configuration.FlowSid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"` // arguments of a create
)

// A session calls tools with one client of a Twilio over TCP.
type session struct {
	*testing.T
	twilio *twilioapi.Client
	tools  []tools.Tool
}

func connect(t *testing.T, twilio http.Handler, change ...func(*twilioapi.Config)) session {
	t.Helper()
	srv := httptest.NewServer(twilio)
	t.Cleanup(srv.Close)
	config := twilioapi.Config{
		BaseURL: srv.URL,
		Credentials: func() (twilioapi.Credentials, error) {
			return twilioapi.Credentials{Username: "SK1", Password: "secret"}, nil
		},
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	for _, c := range change {
		c(&config)
	}
	client, err := twilioapi.New(config)
	require.NoError(t, err)
	return session{t, client, choose(t, "webhooks", "manage")}
}

func choose(t *testing.T, toolsets ...string) []tools.Tool {
	t.Helper()
	selected, err := tools.Select(tools.Selection{Toolsets: toolsets})
	require.NoError(t, err)
	return selected
}

// inSandbox connects to a sandbox whose clock stands still, so that no second ends
// while a create is reconciled.
func inSandbox(t *testing.T) session {
	t.Helper()
	fixed := time.Now()
	return connect(t, sandbox.New(sandbox.Options{Now: func() time.Time { return fixed }}))
}

// call returns the result of one call, which must be the same as structured
// content and as text.
func (s session) call(tool, arguments string) *mcp.CallToolResult {
	s.Helper()
	i := slices.IndexFunc(s.tools, func(t tools.Tool) bool { return t.Definition.Name == tool })
	require.GreaterOrEqual(s, i, 0, tool)
	result, _ := s.tools[i].Call(s.Context(), s.twilio, tools.Request{Arguments: json.RawMessage(arguments)})
	if !result.IsError {
		require.Equal(s, string(result.RawStructuredContent), texts(s.T, result)[0])
	}
	return result
}

// texts returns the text content of a result.
func texts(t *testing.T, result *mcp.CallToolResult) (all []string) {
	t.Helper()
	for _, content := range result.Content {
		text, ok := mcp.AsTextContent(content)
		require.True(t, ok)
		all = append(all, text.Text)
	}
	return all
}

// succeeds makes a call that must succeed. It returns the structured content and
// the notes.
func (s session) succeeds(tool, arguments string) (content map[string]any, notes []string) {
	s.Helper()
	result := s.call(tool, arguments)
	require.False(s, result.IsError, texts(s.T, result))
	require.NoError(s, json.Unmarshal(result.RawStructuredContent, &content))
	return content, texts(s.T, result)[1:]
}

// webhooks returns what a list shows.
func (s session) webhooks(conversation string) []any {
	s.Helper()
	content, _ := s.succeeds(list, `{"ConversationSid":"`+conversation+`"}`)
	return content["webhooks"].([]any)
}

// fails makes a call that must fail. It returns the text and _meta.error.
func (s session) fails(tool, arguments string) (text string, details map[string]any) {
	s.Helper()
	result := s.call(tool, arguments)
	require.True(s, result.IsError, texts(s.T, result))
	require.Len(s, result.Content, 1)
	require.Nil(s, result.RawStructuredContent, "clients check it against the output schema and hide the error")
	raw, err := json.Marshal(result.Meta.AdditionalFields["error"])
	require.NoError(s, err)
	require.NoError(s, json.Unmarshal(raw, &details))
	return texts(s.T, result)[0], details
}

// Unknown fields, nulls, precision, order and characters that Go likes to escape
// all survive.
func TestTwiliosJSONIsPassedThrough(t *testing.T) {
	t.Parallel()
	const answer = `{"webhooks": [{"url": "https://example.com/?a=1&b=<2>", "new": 9007199254740993, "configuration": null}], "meta": {"page": 1.50}}`
	s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	result := s.call(list, `{"ConversationSid":"x"}`)
	require.False(t, result.IsError)
	require.Equal(t, `{"webhooks":[{"url":"https://example.com/?a=1&b=<2>","new":9007199254740993,"configuration":null}],"meta":{"page":1.50}}`, string(result.RawStructuredContent))
}

func TestTheWebhooksOfTheSandboxAreListed(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	require.Len(t, s.webhooks(full), 3)
	require.Len(t, s.webhooks("support/42"), 3)
}

func TestEachTargetIsCreated(t *testing.T) {
	t.Parallel()
	for _, arguments := range []string{
		`"Target":"webhook","Configuration.Url":"https://example.com/a?b=c&d","Configuration.Method":"get","Configuration.Filters":["onMessageAdded","onParticipantAdded"],"Configuration.ReplayAfter":0`,
		`"Target":"trigger","Configuration.Url":"https://example.com","Configuration.Triggers":["help","ünï, and a comma"]`,
		`"Target":"studio","Configuration.FlowSid":"FW0123456789abcdefABCDEF0123456789"`,
		`"Target":"studio","Configuration.FlowSid":"FW0123456789abcdefABCDEF0123456789","Configuration.ReplayAfter":5.0`,
	} {
		s := inSandbox(t)
		created, notes := s.succeeds(create, `{"ConversationSid":"`+empty+`",`+arguments+`}`)
		require.Empty(t, notes)
		require.Regexp(t, `^WH[0-9a-f]{32}$`, created["sid"])
		require.Equal(t, []any{created}, s.webhooks(empty))
	}
}

func TestACreateThatTwilioRefusedForNowIsCarriedOutInTheEnd(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	const conversation = "CH00000000000000000000000000000429"
	created, _ := s.succeeds(create, `{"ConversationSid":"`+conversation+`",`+flow+`}`)
	require.Equal(t, []any{created}, s.webhooks(conversation))
}

func TestACreateThatWasReconciledIsMarked(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	const conversation = "CH00000000000000000000000000000502"
	result := s.call(create, `{"ConversationSid":"`+conversation+`",`+flow+`}`)
	require.False(t, result.IsError)
	require.Contains(t, texts(t, result)[1], "found by listing")
	require.Equal(t, map[string]any{"reconciled": true}, result.Meta.AdditionalFields)
	require.Len(t, s.webhooks(conversation), 1)
}

func TestToolsAreDescribedAndAnnotated(t *testing.T) {
	t.Parallel()
	hints := map[string]struct{ readOnly, destructive, idempotent bool }{
		list:   {true, false, true},
		create: {false, false, false},
		ensure: {false, false, true},
		fetch:  {true, false, true},
		update: {false, true, true},
		remove: {false, true, true},

		listAll:      {true, false, true},
		listOf:       {true, false, true},
		fetchOne:     {true, false, true},
		listServices: {true, false, true},
		checkAll:     {true, false, true},
		fetchConfig:  {true, false, true},
		updateConfig: {false, true, true},
		listAddress:  {true, false, true},

		search: {true, false, true},
		get:    {true, false, true},
	}
	for _, tool := range choose(t, "all") {
		d := tool.Definition
		want, ok := hints[d.Name]
		require.True(t, ok, d.Name)
		require.NotEmpty(t, d.Title)
		require.NotEmpty(t, d.Description)
		require.Equal(t, want.readOnly, tool.ReadOnly(), d.Name)
		require.Equal(t, want.readOnly, *d.Annotations.ReadOnlyHint, d.Name)
		require.Equal(t, want.destructive, *d.Annotations.DestructiveHint, d.Name)
		require.Equal(t, want.idempotent, *d.Annotations.IdempotentHint, d.Name)
		require.Equal(t, d.Name != search && d.Name != get, *d.Annotations.OpenWorldHint, d.Name)
		for kind, schema := range map[string]json.RawMessage{"input": d.RawInputSchema, "output": d.RawOutputSchema} {
			published, err := os.ReadFile("../schemas/" + d.Name + "." + kind + ".json")
			require.NoError(t, err)
			require.Equal(t, string(published), string(schema))
		}
	}
}

func TestToolsetsAreSelectedByNameInAFixedOrder(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		names    []string
		readOnly bool
		want     []string
	}{
		{[]string{"webhooks"}, false, []string{list, create}},
		{[]string{"webhooks"}, true, []string{list}},
		{[]string{"manage"}, false, []string{ensure, fetch, update, remove}},
		{[]string{"manage"}, true, []string{fetch}},
		{[]string{"manage", "webhooks", "manage"}, false, []string{list, create, ensure, fetch, update, remove}},
		{[]string{"conversations"}, true, []string{listAll, listOf, fetchOne, listServices, checkAll}},
		{[]string{"configuration"}, false, []string{fetchConfig, updateConfig, listAddress}},
		{[]string{"docs"}, true, []string{search, get}},
		{[]string{"all"}, false, []string{list, create, ensure, fetch, update, remove, listAll, listOf, fetchOne, listServices, checkAll, fetchConfig, updateConfig, listAddress, search, get}},
		{[]string{"all", "webhooks"}, true, []string{list, fetch, listAll, listOf, fetchOne, listServices, checkAll, fetchConfig, listAddress, search, get}},
		{nil, false, nil},
	} {
		selected, err := tools.Select(tools.Selection{Toolsets: row.names, ReadOnly: row.readOnly})
		require.NoError(t, err)
		var got []string
		for _, tool := range selected {
			got = append(got, tool.Definition.Name)
		}
		require.Equal(t, row.want, got, row.names)
	}
}

func TestAnUnknownToolsetIsRefusedWithTheValidOnes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"doc", "", "Webhooks", "all "} {
		_, err := tools.Select(tools.Selection{Toolsets: []string{"webhooks", name}})
		require.EqualError(t, err, fmt.Sprintf("unknown toolset %q: valid are webhooks, manage, conversations, configuration, docs, all", name))
	}
}

// The descriptions of the parameter and of the errors name the same events.
func TestTheEventNamesAreInTheSchemaToo(t *testing.T) {
	t.Parallel()
	require.Len(t, tools.Events(), 10)
	schema, err := os.ReadFile("../schemas/create_conversation_webhook.input.json")
	require.NoError(t, err)
	require.Contains(t, string(schema), strings.Join(tools.Events(), ", "))
}

func TestAdviceIsWhatErrorsSay(t *testing.T) {
	t.Parallel()
	text, _ := inSandbox(t).fails(create, `{"ConversationSid":"`+empty+`","Target":"studio"}`)
	require.Contains(t, text, tools.Advice(create)[50367])
	require.Greater(t, len(tools.Advice("")), 30)
}

// After a 5xx a write may have been carried out, so "try again" is wrong.
func TestAdviceAfterAFailureIsThatOfTheOperation(t *testing.T) {
	t.Parallel()
	for tool, call := range map[string]string{
		create:                        `{"ConversationSid":"CH00000000000000000000000000000503","Target":"studio","Configuration.FlowSid":"FW` + strings.Repeat("a", 32) + `"}`,
		"update_conversation_webhook": `{"ConversationSid":"CH00000000000000000000000000000503","Sid":"WH` + strings.Repeat("a", 32) + `","Configuration.Url":"https://example.com"}`,
	} {
		text, _ := inSandbox(t).fails(tool, call)
		for _, code := range []int{20500, 20503} {
			require.NotContains(t, tools.Advice(tool)[code], "Try again", tool)
			require.Contains(t, text, tools.Advice(tool)[code], tool)
		}
	}
	require.Equal(t, "Try again later.", tools.Advice("list_conversation_webhooks")[20503])
}
