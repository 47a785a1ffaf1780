package serve_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

// documentation offers resources, a template and a prompt.
func documentation(o *serve.Options) {
	page := func(uri string) serve.Resource {
		return serve.Resource{Definition: mcp.NewResource(uri, "page"), Read: func() mcp.TextResourceContents {
			return mcp.TextResourceContents{URI: uri, MIMEType: "text/markdown", Text: "# Limits"}
		}}
	}
	broken := serve.Resource{Definition: mcp.NewResource("docs://guides/panic", "broken"), Read: func() mcp.TextResourceContents { panic("hunter2") }}
	o.Resources = []serve.Resource{page("docs://guides/limits"), page("docs://guides/targets"), broken}
	o.ResourceTemplates = []mcp.ResourceTemplate{mcp.NewResourceTemplate("docs://guides/{guide}", "guide")}
	o.Prompts = []serve.Prompt{{
		Definition: mcp.NewPrompt("audit", mcp.WithArgument("conversation", mcp.RequiredArgument())),
		Text: func(arguments map[string]string) (string, error) {
			if arguments["conversation"] == "" {
				return "", errors.New("the argument conversation is required")
			}
			return "Audit " + arguments["conversation"], nil
		},
	}}
	o.Complete = func(reference, _, _ string) []string {
		if reference != "docs://guides/{guide}" && reference != "audit" {
			return nil
		}
		return []string{"limits", "targets"}
	}
	o.Extensions = map[string]any{"io.modelcontextprotocol/ui": map[string]any{"mimeTypes": []string{"text/html;profile=mcp-app"}}}
}

func TestResourcesPromptsAndCompletion(t *testing.T) {
	t.Parallel()
	b := newFixture(documentation)
	s := b.start(t)
	for _, row := range []struct{ name, method, params, legacy, modern string }{
		{"resources", "resources/list", ``, `"uri":"docs://guides/limits"`, `"ttlMs":3600000`},
		{"templates", "resources/templates/list", ``, `"uriTemplate":"docs://guides/{guide}"`, `"cacheScope":"public"`},
		{"a resource", "resources/read", `"uri":"docs://guides/limits"`, `"text":"# Limits"`, `"resultType":"complete"`},
		{"a resource of a template", "resources/read", `"uri":"docs://guides/targets"`, `"text":"# Limits"`, `"text":"# Limits"`},
		{"an unknown resource", "resources/read", `"uri":"docs://nope"`, `"code":-32002,"message":"there is no resource \"docs://nope\"; resources/list has all of them"`, `"code":-32602,"message":"there is no resource \"docs://nope\"; resources/list has all of them","data":{"uri":"docs://nope"}`},
		{"an unknown page", "resources/read", `"uri":"docs://guides/nope"`, `"code":-32002,"message":"there is no resource \"docs://guides/nope\"`, `"code":-32602,"message":"there is no resource \"docs://guides/nope\"`},
		{"a long URI", "resources/read", `"uri":"docs://guides/` + strings.Repeat("x", 60000) + `"`, `"code":-32002`, `"code":-32602`},
		{"no URI", "resources/read", ``, `"code":-32602,"message":"params.uri is required"`, `"code":-32602`},
		{"a panic", "resources/read", `"uri":"docs://guides/panic"`, `"code":-32603,"message":"internal error`, `"code":-32603`},
		{"prompts", "prompts/list", ``, `"name":"audit"`, `"ttlMs":3600000`},
		{"a prompt", "prompts/get", `"name":"audit","arguments":{"conversation":"CH1"}`, `"messages":[{"role":"user","content":{"type":"text","text":"Audit CH1"}}]`, `"text":"Audit CH1"`},
		{"a prompt without its argument", "prompts/get", `"name":"audit"`, `"code":-32602,"message":"the argument conversation is required"`, `"code":-32602`},
		{"an unknown prompt", "prompts/get", `"name":"` + strings.Repeat("x", 60000) + `"`, `"code":-32602`, `"code":-32602`},
		{"completion of a template", "completion/complete", `"ref":{"type":"ref/resource","uri":"docs://guides/{guide}"},"argument":{"name":"guide","value":"l"}`, `"values":["limits","targets"]`, `"values":["limits","targets"]`},
		{"completion of a prompt", "completion/complete", `"ref":{"type":"ref/prompt","name":"audit"},"argument":{"name":"conversation","value":"l"}`, `"values":["limits","targets"]`, `"values":["limits","targets"]`},
		{"completion of a resource", "completion/complete", `"ref":{"type":"ref/resource","uri":"docs://guides/limits"},"argument":{"name":"guide","value":"l"}`, `"values":[]`, `"values":[]`},
		{"completion of nothing", "completion/complete", `"ref":{"type":"ref/prompt","name":"nope"},"argument":{"name":"x","value":"l"}`, `"code":-32602,"message":"there is no prompt \"nope\"; prompts/list has all of them"`, `"code":-32602`},
		{"tools, in the order of the options", "tools/list", ``, strings.Join([]string{"echo", "hold", "panic", "nan"}, `"},{"annotations":{},"inputSchema":{"type":"object"},"name":"`), `"ttlMs":3600000`},
		{"a protocol version that is long", "tools/list", `"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-` + strings.Repeat("x", 60000) + `","io.modelcontextprotocol/clientCapabilities":{}}`, `"requested":"2099-xxxxxxxxxxxxxxxxxxxxxxxxxxx"`, ""},
	} {
		s.send(`{"jsonrpc":"2.0","id":1,"method":"` + row.method + `","params":{` + row.params + `}}`)
		answer := s.answer()
		require.Contains(t, answer, row.legacy, row.name)
		require.NotContains(t, answer, "hunter2")
		require.Less(t, len(answer), 2000, row.name)
		if row.modern == "" {
			continue
		}
		if row.params != "" {
			row.params += ","
		}
		s.send(`{"jsonrpc":"2.0","id":1,"method":"` + row.method + `","params":{` + row.params + meta + `}}`)
		answer = s.answer()
		require.Contains(t, answer, row.modern, row.name)
		require.NotContains(t, answer, "hunter2")
		require.Less(t, len(answer), 2000, row.name)
	}
	require.Contains(t, b.log.String(), "hunter2", "the panic is logged")
}

// Clients learn what a server offers, that it never changes, and that they may
// keep it for an hour.
func TestCapabilitiesNameWhatIsOffered(t *testing.T) {
	t.Parallel()
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`
	const discover = `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`
	s := newFixture().start(t)
	for _, message := range []string{initialize, discover} {
		s.send(message)
		answer := s.answer()
		require.Contains(t, answer, `"capabilities":{"tools":{}}`)
		require.Contains(t, answer, `"instructions":"instructions"`)
		require.Contains(t, answer, `"name":"twilio-conversations-mcp"`)
	}
	s = newFixture(documentation, func(o *serve.Options) { o.Name, o.Title = "docs", "Documentation" }).start(t)
	s.send(initialize)
	answer := s.answer()
	for _, want := range []string{`"resources":{}`, `"prompts":{}`, `"completions":{}`, `"name":"docs"`, `"title":"Documentation"`} {
		require.Contains(t, answer, want)
	}
	s.send(discover)
	answer = s.answer()
	for _, want := range []string{`"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}`, `"ttlMs":3600000`, `"cacheScope":"public"`} {
		require.Contains(t, answer, want)
	}
	require.NotContains(t, answer, "listChanged")
}
