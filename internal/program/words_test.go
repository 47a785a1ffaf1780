package program

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/tools"
)

// Whatever is wrong with the members of a request, of any method of an extension and
// of any tool, no answer has words of Go or of a library, and none is an internal
// error.
func TestNoAnswerSpeaksOfGo(t *testing.T) {
	t.Parallel()
	words := regexp.MustCompile(`(?i)unmarshal|\bgo (value|struct|type)|struct field|\bjson: |jsontext|base64|strconv|\bEOF\b|%!|nil pointer|\bmcp\.|map\[|"code":-32603`)
	p := &program{cfg: &config.Config{}, lookup: environment("MCP_EVENTS_KEY", strings.Repeat("k", 32)), log: slog.New(slog.DiscardHandler)}
	p.cfg.Toolsets, p.cfg.Sandbox, p.cfg.HTTP, p.cfg.PublicURL = []string{"all"}, true, "127.0.0.1:0", "https://mcp.example.com"
	p.cfg.MaxConcurrent, p.cfg.MaxMessage, p.cfg.Timeout = 500, 1<<20, 10_000_000_000
	server, stop, err := p.newServer("")
	require.NoError(t, err)
	defer stop()
	values := []string{`null`, `true`, `5`, `-1`, `1.5`, `1e400`, `""`, `"x"`, `"é\u0000"`, `[]`, `[1]`, `["x"]`, `[null]`, `{}`, `{"a":5}`, `[[]]`, `9007199254740993`}
	var in bytes.Buffer
	requests := 0
	add := func(method, params string) {
		for _, separator := range []string{"", modern} {
			all := params
			if separator != "" && strings.HasPrefix(params, "{") {
				all = "{" + strings.TrimSuffix(strings.TrimPrefix(params, "{"), "}")
				if all != "{" {
					all += ","
				}
				all += separator + "}"
			}
			fmt.Fprintf(&in, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", requests, method, all)
			requests++
		}
	}
	for method := range server.Methods {
		for _, value := range values {
			add(method, value)
			for _, member := range []string{"uri", "cursor", "name", "arguments", "delivery", "id", "maxEvents", "subscriptionId"} {
				add(method, `{"`+member+`":`+value+`}`)
				add(method, `{"name":"onMessageAdded","arguments":{"ConversationSid":"`+documented+`"},"`+member+`X":1,"delivery":{"mode":"webhook","`+member+`":`+value+`}}`)
			}
		}
	}
	all, err := tools.Select(tools.Selection{Toolsets: []string{"all"}})
	require.NoError(t, err)
	parameter := regexp.MustCompile(`"([A-Za-z.]+)": \{`)
	for _, tool := range all {
		for _, value := range values {
			add("tools/call", `{"name":"`+tool.Definition.Name+`","arguments":`+value+`}`)
			for _, match := range parameter.FindAllStringSubmatch(string(tool.Definition.RawInputSchema), -1) {
				if !slices.Contains([]string{"properties", "items"}, match[1]) {
					add("tools/call", `{"name":"`+tool.Definition.Name+`","arguments":{"`+match[1]+`":`+value+`}}`)
				}
			}
			for _, member := range []string{"inputResponses", "requestState", "task"} {
				add("tools/call", `{"name":"`+tool.Definition.Name+`","arguments":{},"`+member+`":`+value+`}`)
			}
		}
	}
	var out bytes.Buffer
	require.NoError(t, server.Stdio(context.WithoutCancel(t.Context()), &in, &out))
	require.Equal(t, requests, bytes.Count(out.Bytes(), []byte("\n")))
	for line := range bytes.Lines(out.Bytes()) {
		if bytes.Contains(line, []byte(`"error":{`)) || bytes.Contains(line, []byte(`"isError":true`)) {
			require.Empty(t, words.FindString(string(line)), "%s", line)
		}
	}
}
