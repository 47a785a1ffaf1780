package serve_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// routing offers a tool with the parameter that is mirrored, and one without it.
func routing(o *serve.Options) {
	echo := func(_ context.Context, _ access.Caller, arguments json.RawMessage) *mcp.CallToolResult {
		return mcp.NewToolResultText(string(arguments))
	}
	with := tool("with", echo)
	with.Definition.RawInputSchema = json.RawMessage("{\n  \"properties\": {\n    \"ConversationSid\": {\n      \"type\": \"string\"\n    }\n  },\n  \"required\": [\"ConversationSid\"],\n  \"type\": \"object\"\n}")
	o.Tools, o.Routing = []serve.Tool{with, tool("without", echo)}, "ConversationSid"
}

func TestAMirroredParameterIsAnnouncedToClientsThatKnowIt(t *testing.T) {
	t.Parallel()
	b := newFixture(routing)
	s := b.listen(t, serve.HTTPOptions{})
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta + `}}`
	const annotated = `"ConversationSid":{"x-mcp-header":"ConversationSid","type":"string"}`
	_, answer := s.do(t, "POST", "/mcp", list, header{"Mcp-Protocol-Version": newest, "Mcp-Method": "tools/list"})
	require.Contains(t, answer, annotated)
	require.Contains(t, answer, `"required":["ConversationSid"]`)
	require.Contains(t, answer, `"name":"without"`)
	require.Contains(t, answer, `"cacheScope":"public"`)
	_, answer = s.do(t, "POST", "/mcp", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, nil)
	require.NotContains(t, answer, "x-mcp-header", "before 2026-07-28")
	pipe := b.start(t)
	pipe.send(list)
	require.NotContains(t, pipe.answer(), "x-mcp-header", "over stdio")
	_, answer = newFixture(routing, func(o *serve.Options) { o.Routing = "" }).listen(t, serve.HTTPOptions{}).do(t, "POST", "/mcp", list,
		header{"Mcp-Protocol-Version": newest, "Mcp-Method": "tools/list"})
	require.NotContains(t, answer, "x-mcp-header", "unless it is wanted")
}

func TestTheMirroredParameterMustMatchItsHeader(t *testing.T) {
	t.Parallel()
	s := newFixture(routing).listen(t, serve.HTTPOptions{})
	const none = "none"
	for name, row := range map[string]struct {
		tool, arguments, header string
		want                    string // of the error; empty: the call is made
	}{
		"the same":                 {"with", `{"ConversationSid":"CH1"}`, "CH1", ""},
		"escaped":                  {"with", `{"Conversation\u0053id":"\u00432"}`, "C2", ""},
		"Base64":                   {"with", `{"ConversationSid":"Zimmer ü"}`, "=?base64?" + base64.StdEncoding.EncodeToString([]byte("Zimmer ü")) + "?=", ""},
		"empty":                    {"with", `{"ConversationSid":""}`, "", ""},
		"a number":                 {"with", `{"ConversationSid":5}`, "5", ""},
		"another tool":             {"without", `{"ConversationSid":"CH1"}`, none, ""},
		"another tool, header":     {"without", `{}`, "CH1", ""},
		"neither":                  {"with", `{}`, none, ""},
		"null":                     {"with", `{"ConversationSid":null}`, none, ""},
		"no object":                {"with", `[1]`, none, ""},
		"no header":                {"with", `{"ConversationSid":"CH1"}`, none, "Mcp-Param-ConversationSid is required: it has the value of params.arguments.ConversationSid"},
		"no header, empty":         {"with", `{"ConversationSid":""}`, none, "Mcp-Param-ConversationSid is required"},
		"no argument":              {"with", `{}`, "CH1", "Mcp-Param-ConversationSid is given, but params.arguments.ConversationSid is not"},
		"another":                  {"with", `{"ConversationSid":"CH1"}`, "CH2", `Mcp-Param-ConversationSid is \"CH2\", but params.arguments.ConversationSid is \"CH1\"`},
		"another case":             {"with", `{"ConversationSid":"CH1"}`, "ch1", "Mcp-Param-ConversationSid is"},
		"an argument of two names": {"with", `{"conversationsid":"CH1"}`, "CH1", "Mcp-Param-ConversationSid is given"},
		"not Base64":               {"with", `{"ConversationSid":"CH1"}`, "=?base64?!?=", "Mcp-Param-ConversationSid is not valid Base64"},
	} {
		h := map[string][]string{"Mcp-Protocol-Version": {newest}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {row.tool}}
		if row.header != none {
			h["Mcp-Param-Conversationsid"] = []string{row.header}
		}
		status, answer := s.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"`+row.tool+`","arguments":`+row.arguments+`,`+meta+`}}`, h)
		if row.want == "" {
			require.Equal(t, 200, status, "%s: %s", name, answer)
			continue
		}
		require.Equal(t, 400, status, name)
		require.Contains(t, answer, `"id":1,"error":{"code":-32020,"message":"`+row.want, name)
	}
	status, answer := s.post(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"with","arguments":{"ConversationSid":"a"},`+meta+`}}`,
		map[string][]string{"Mcp-Protocol-Version": {newest}, "Mcp-Method": {"tools/call"}, "Mcp-Name": {"with"}, "Mcp-Param-Conversationsid": {"a", "a"}})
	require.Equal(t, 400, status)
	require.Contains(t, answer, "is duplicated")
	status, _ = s.post(t, call("1", "with"), nil)
	require.Equal(t, 200, status, "clients of earlier versions mirror nothing")
}
