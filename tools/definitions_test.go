package tools_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
)

// The rules of Anthropic's API, the strictest that are known.
func TestNamesAreValidForEveryClient(t *testing.T) {
	t.Parallel()
	for _, tool := range choose(t, "all") {
		require.Regexp(t, `^[a-zA-Z0-9_-]{1,36}$`, tool.Definition.Name, "with the prefix of a client, 64 characters at most")
		var schema struct{ Properties map[string]any }
		require.NoError(t, json.Unmarshal(tool.Definition.RawInputSchema, &schema))
		require.NotEmpty(t, schema.Properties)
		for name := range schema.Properties {
			require.Regexp(t, `^[a-zA-Z0-9_.-]{1,64}$`, name)
		}
	}
}

// Qwen Code shows the first 160 characters of a description.
func TestADescriptionBeginsWithWhatTheToolDoes(t *testing.T) {
	t.Parallel()
	for _, tool := range choose(t, "all") {
		first, _, _ := strings.Cut(tool.Definition.Description, ". ")
		require.LessOrEqual(t, len(first), 160, tool.Definition.Name)
		require.Regexp(t, `^[A-Z][a-z]+s .*(Twilio|Conversations)`, first, tool.Definition.Name)
		require.True(t, strings.HasSuffix(tool.Definition.Description, "."), tool.Definition.Name)
	}
}

// compile returns a validator of a published schema that asserts formats, as the
// strictest clients do.
func compile(t *testing.T, published json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	require.NoError(t, err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("schema:///output.json", doc))
	return c.MustCompile("schema:///output.json")
}

// Clients hide a result that does not fit its output schema.
func TestResultsFitTheOutputSchema(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	webhook, _ := s.succeeds(create, `{"ConversationSid":"`+empty+`",`+example+`,"Configuration.ReplayAfter":3}`)
	arguments := map[string]string{
		list:   `{"ConversationSid":"` + full + `"}`,
		create: `{"ConversationSid":"` + empty + `",` + flow + `}`,
		ensure: `{"ConversationSid":"` + empty + `",` + flow + `}`,
		fetch:  of(webhook["sid"], ""),
		update: of(webhook["sid"], `,"Configuration.Method":"get"`),
		remove: of(webhook["sid"], ""),
	}
	for _, tool := range s.tools { // in order: the delete is the last
		d := tool.Definition
		content, _ := s.succeeds(d.Name, arguments[d.Name])
		require.NoError(t, compile(t, d.RawOutputSchema).Validate(content), d.Name)
	}
}

func TestAReadOnlyToolOnlyReads(t *testing.T) {
	t.Parallel()
	methods := make(chan string, 100)
	s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		methods <- r.Method
		w.WriteHeader(http.StatusNotFound)
	}))
	readOnly, err := tools.Select(tools.Selection{Toolsets: []string{"webhooks", "manage"}, ReadOnly: true})
	require.NoError(t, err)
	for _, tool := range readOnly {
		s.call(tool.Definition.Name, every[tool.Definition.Name])
	}
	close(methods)
	require.Len(t, methods, len(readOnly))
	for method := range methods {
		require.Equal(t, http.MethodGet, method)
	}
}

// Which callers may call a tool is said by the tool, and follows from nothing else.
func TestEveryToolNamesItsScope(t *testing.T) {
	t.Parallel()
	for _, tool := range choose(t, "all") {
		switch name := tool.Definition.Name; name {
		case search, get:
			require.Equal(t, "none", tool.Scope, name)
		default:
			require.Equal(t, map[bool]string{true: "webhooks:read", false: "webhooks:write"}[tool.ReadOnly()], tool.Scope, name)
		}
	}
}

func TestTheViewShowsTheResultsThatAreWebhooks(t *testing.T) {
	t.Parallel()
	var shown []string
	for _, tool := range choose(t, "all") {
		if tool.View {
			shown = append(shown, tool.Definition.Name)
		}
	}
	require.Equal(t, []string{list, create, ensure, fetch, checkAll}, shown)
}
