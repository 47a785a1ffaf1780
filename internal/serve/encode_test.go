package serve_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// Results are written by two encoders: a fast one for text, and the one of
// encoding/json for the rest. Clients read the same from both, and always isError.
func TestResultsAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	const text = "a \"quote\", \\, <&>, \x00\x1f\x7f, \u2028, é, 😀"
	meta := func() *mcp.Meta { return mcp.NewMetaFromMap(map[string]any{"note": text}) }
	for name, result := range map[string]*mcp.CallToolResult{
		"texts":       {Content: []mcp.Content{mcp.NewTextContent(text), mcp.NewTextContent("")}, IsError: true},
		"no content":  {},
		"structured":  {Content: []mcp.Content{mcp.NewTextContent(text)}, RawStructuredContent: json.RawMessage(`{"n":9007199254740993,"s":"<>"}`)},
		"on lines":    {Content: []mcp.Content{mcp.NewTextContent(text)}, RawStructuredContent: json.RawMessage("{\n\"n\":1}")},
		"a Go value":  {Content: []mcp.Content{mcp.NewTextContent(text)}, StructuredContent: map[string]any{"s": text}},
		"metadata":    {Result: mcp.Result{Meta: meta()}, Content: []mcp.Content{mcp.NewTextContent(text)}},
		"annotations": {Content: []mcp.Content{mcp.TextContent{Type: "text", Text: text, Meta: meta()}}},
		"an image":    {Content: []mcp.Content{mcp.NewImageContent("aGk=", "image/png")}},
	} {
		s := newFixture(func(o *serve.Options) {
			o.Tools = []serve.Tool{tool("show", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult { return result })}
		}).start(t)
		s.send(call("1", "show"))
		var got struct{ Result json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(s.answer()), &got), name)
		want, err := json.Marshal(result)
		require.NoError(t, err)
		if !result.IsError {
			want = append(want[:len(want)-1], `,"isError":false}`...)
		}
		require.JSONEq(t, string(want), string(got.Result), name)
	}
}

func TestInvalidUTF8InAResultIsReplaced(t *testing.T) {
	t.Parallel()
	s := newFixture(func(o *serve.Options) {
		o.Tools = []serve.Tool{tool("show", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult {
			return mcp.NewToolResultText("a\xffb")
		})}
	}).start(t)
	s.send(call("1", "show"))
	require.Contains(t, s.answer(), `"text":"a`+"\uFFFD"+`b"`)
}
