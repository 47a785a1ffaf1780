package tools

import (
	"bytes"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
)

// documentationHints are the hints of a tool that reads the documentation.
var documentationHints = hints{readOnly: true, idempotent: true, closedWorld: true}

// answered returns a result with structured content, which must be a type of
// package schemas, and texts.
func answered(content any, texts ...string) *mcp.CallToolResult {
	result := &mcp.CallToolResult{RawStructuredContent: compact(content)}
	for _, text := range texts {
		result.Content = append(result.Content, mcp.NewTextContent(text))
	}
	return result
}

// compact returns v as JSON without white space. It must be a type of package
// schemas, all of which can be encoded.
func compact(v any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
