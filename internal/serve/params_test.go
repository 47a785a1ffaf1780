package serve_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

// goWords are words of Go, of its packages and of mcp-go.
var goWords = regexp.MustCompile(`(?i)unmarshal|\bgo (value|struct|type)|struct field|\bjson: |jsontext|base64|strconv|\bEOF\b|%!|nil pointer|\bmcp\.|prompt not found|not supported|parse message|map\[`)

// valid has params that each method accepts, where the method needs some.
var valid = map[string]string{
	"initialize":               `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}`,
	"ping":                     `{}`,
	"server/discover":          `{}`,
	"tools/list":               `{"cursor":""}`,
	"tools/call":               `{"name":"echo","arguments":{}}`,
	"resources/list":           `{"cursor":""}`,
	"resources/templates/list": `{"cursor":""}`,
	"resources/read":           `{"uri":"docs://guides/limits"}`,
	"prompts/list":             `{"cursor":""}`,
	"prompts/get":              `{"name":"audit","arguments":{"conversation":"CH1"}}`,
	"completion/complete":      `{"ref":{"type":"ref/prompt","name":"audit","uri":"x"},"argument":{"name":"conversation","value":"C"},"context":{"arguments":{"x":"y"}}}`,
	"subscriptions/listen":     `{"notifications":{"toolsListChanged":true}}`,
	"logging/setLevel":         `{"level":"info"}`,
	"resources/subscribe":      `{"uri":"docs://guides/limits"}`,
	"resources/unsubscribe":    `{"uri":"docs://guides/limits"}`,
	"tasks/get":                `{"taskId":"x"}`,
	"tasks/list":               `{}`,
	"tasks/result":             `{"taskId":"x"}`,
	"tasks/cancel":             `{"taskId":"x"}`,
	"nope":                     `{}`,
}

const modernMeta = `{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"x"},"io.modelcontextprotocol/logLevel":"info","progressToken":1}`

// variants returns a value with one member of it, at any depth, replaced by each of
// other values, left out, or joined by another.
func variants(value any) (all []any) {
	all = append(all, nil, true, 5, 1.5, "", "other", []any{}, []any{1}, map[string]any{}, map[string]any{"a": 5}, map[string]any{"type": "ref/resource"})
	members, ok := value.(map[string]any)
	if !ok {
		return all
	}
	for name := range members {
		all = append(all, without(members, name))
		for _, v := range variants(members[name]) {
			changed := without(members, name)
			changed[name] = v
			all = append(all, changed)
		}
	}
	more := without(members, "")
	more["superfluous"] = map[string]any{"a": 1}
	return append(all, more)
}

func without(members map[string]any, name string) map[string]any {
	rest := map[string]any{}
	for n, v := range members {
		if n != name {
			rest[n] = v
		}
	}
	return rest
}

// Whatever is wrong with a member of a request, the answer says so in the terms of
// MCP, and never with an internal error.
func TestAnyMemberMayBeWrong(t *testing.T) {
	t.Parallel()
	b := newFixture(documentation)
	for method, text := range valid {
		for _, era := range []string{"", `,"_meta":` + modernMeta} {
			var params any
			require.NoError(t, json.Unmarshal([]byte(strings.TrimSuffix(text, "}")+strings.TrimPrefix(era, cond(text == `{}`, ","))+"}"), &params))
			var in, out bytes.Buffer
			all := append(variants(params), params)
			for i, v := range all {
				raw, err := json.Marshal(v)
				require.NoError(t, err)
				fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", i, method, raw)
			}
			require.NoError(t, b.Stdio(t.Context(), bytes.NewReader(in.Bytes()), &out))
			require.Equal(t, len(all), bytes.Count(out.Bytes(), []byte(`{"jsonrpc":"2.0","id":`)), method)
			for line := range bytes.Lines(out.Bytes()) {
				require.Empty(t, goWords.FindString(string(line)), "%s: %s", method, line)
				require.NotContains(t, string(line), `"code":-32603`, method)
			}
		}
	}
}

func cond(is bool, text string) string {
	if is {
		return text
	}
	return ""
}

// FuzzParams looks for words of Go in the answers to params of any kind.
func FuzzParams(f *testing.F) {
	for method, params := range valid {
		f.Add(method, params, "")
		f.Add(method, params, modernMeta)
	}
	b := newFixture(documentation)
	f.Fuzz(func(t *testing.T, method, params, meta string) {
		if !json.Valid([]byte(params)) || meta != "" && !json.Valid([]byte(meta)) || method == "tools/call" {
			return // the parser's errors quote what is not JSON; echo repeats its arguments
		}
		name, _ := json.Marshal(method)
		if meta != "" && strings.HasPrefix(params, "{") && strings.TrimSpace(params[1:]) != "}" {
			params = `{"_meta":` + meta + "," + params[1:]
		}
		request := `{"jsonrpc":"2.0","id":1,"method":` + string(name) + `,"params":` + strings.ReplaceAll(params, "\n", " ") + `}`
		var out bytes.Buffer
		require.NoError(t, b.Stdio(t.Context(), strings.NewReader(request), &out))
		for line := range bytes.Lines(out.Bytes()) {
			var answer struct{ Error *mcp.JSONRPCErrorDetails }
			require.NoError(t, json.Unmarshal(line, &answer), "%s", line)
			if answer.Error != nil && !goWords.MatchString(request) {
				require.Empty(t, goWords.FindString(answer.Error.Message), "%s: %s", request, line)
				require.NotEqual(t, mcp.INTERNAL_ERROR, answer.Error.Code, "%s: %s", request, line)
			}
		}
	})
}

func TestWrongMembersAreNamed(t *testing.T) {
	t.Parallel()
	s := newFixture(documentation).start(t)
	for _, row := range []struct{ method, params, want string }{
		{"initialize", `{"protocolVersion":5}`, `"code":-32602,"message":"params.protocolVersion must be a string"`},
		{"initialize", `{"protocolVersion":"2025-11-25","capabilities":"all"}`, `"code":-32602,"message":"params.capabilities must be an object"`},
		{"initialize", `{"protocolVersion":"2025-11-25","capabilities":[ ],"clientInfo":{}}`, `"protocolVersion":"2025-11-25"`},
		{"ping", `[]`, `"result":{}`},
		{"ping", `[1]`, `"code":-32602,"message":"params must be an object"`},
		{"ping", `{"_meta":[]}`, `"result":{}`},
		{"tools/list", `{"cursor":5}`, `"code":-32602,"message":"params.cursor must be a string"`},
		{"tools/list", `{"cursor":null}`, `"tools":[`},
		{"tools/list", `{"cursor":"x"}`, `"code":-32602,"message":"there is no such page`},
		{"resources/list", `{"cursor":"eA=="}`, `"code":-32602,"message":"there is no such page`},
		{"tools/call", `{"name":"echo","arguments":[]}`, `"text":""`},
		{"tools/call", `{"name":"echo","arguments":[1]}`, `"text":"[1]"`},
		{"prompts/get", `{"name":"audit","arguments":{"conversation":5}}`, `"code":-32602,"message":"params.arguments[\"conversation\"] must be a string"`},
		{"prompts/get", `{"name":"audit","arguments":[]}`, `"code":-32602,"message":"the argument conversation is required"`},
		{"prompts/get", `{"name":"audit","arguments":["x"]}`, `"code":-32602,"message":"params.arguments must be an object"`},
		{"prompts/get", `{"Name":"audit"}`, `"code":-32602,"message":"params.name is required"`},
		{"prompts/get", `{"name":"nope"}`, `"code":-32602,"message":"there is no prompt \"nope\"; prompts/list has all of them"`},
		{"completion/complete", `{"ref":{"type":"ref/resource","uri":"docs://nope/{x}"},"argument":{"name":"x","value":""}}`, `"code":-32602,"message":"there is no resource template \"docs://nope/{x}\"`},
		{"completion/complete", `{"ref":{"type":"ref/tool","name":"echo"},"argument":{"name":"x","value":""}}`, `"code":-32602,"message":"params.ref.type must be`},
		{"completion/complete", `{"ref":{"type":"ref/prompt","name":"audit"}}`, `"code":-32602,"message":"params.argument is required"`},
		{"nope", `{}`, `"code":-32601,"message":"there is no method \"nope\""`},
		{"logging/setLevel", `{"level":5}`, `"code":-32601,"message":"there is no method \"logging/setLevel\""`},
		{"server/discover", `{}`, `"code":-32601,"message":"there is no method \"server/discover\" before protocol version 2026-07-28; a request of that version names it in _meta"`},
		{"ping", `{` + meta + `}`, `"code":-32601,"message":"there is no method \"ping\" in protocol version 2026-07-28"`},
		{"tools/list", `{"_meta":{"io.modelcontextprotocol/protocolVersion":5}}`, `"code":-32602,"message":"the _meta field io.modelcontextprotocol/protocolVersion must be a string"`},
	} {
		s.send(`{"jsonrpc":"2.0","id":1,"method":"` + row.method + `","params":` + row.params + `}`)
		require.Contains(t, s.answer(), row.want, row.method+row.params)
	}
}

// A byte order mark is no part of a message, and alone it is an empty line.
func TestAByteOrderMarkIsIgnored(t *testing.T) {
	t.Parallel()
	const bom = "\ufeff"
	s := newFixture().start(t)
	s.send(bom, bom+ping, bom+ping)
	require.Equal(t, `{"jsonrpc":"2.0","id":"p","result":{}}`, s.answer())
	require.Equal(t, `{"jsonrpc":"2.0","id":"p","result":{}}`, s.answer())
	_, answer := newFixture().listen(t, serve.HTTPOptions{}).do(t, "POST", "/mcp", bom+ping, nil)
	require.JSONEq(t, `{"jsonrpc":"2.0","id":"p","result":{}}`, answer)
}
