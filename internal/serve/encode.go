package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// encode writes an answer on one line.
func encode(id json.RawMessage, result any, fault *mcp.JSONRPCErrorDetails) []byte {
	if r, ok := result.(*mcp.CallToolResult); ok && fault == nil {
		if line := encodeTexts(id, r); line != nil {
			return line
		}
	}
	answer := struct {
		Version string                   `json:"jsonrpc"`
		ID      json.RawMessage          `json:"id"`
		Result  any                      `json:"result,omitempty"`
		Error   *mcp.JSONRPCErrorDetails `json:"error,omitempty"`
	}{mcp.JSONRPC_VERSION, id, result, fault}
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		return encode(id, nil, newFault(mcp.INTERNAL_ERROR, "the result could not be written as JSON"))
	}
	return line.Bytes()
}

// encodeTexts does the same for the result of a tool call that holds nothing but
// text and JSON on one line, in one pass; mcp-go's takes four. Of other results
// it makes nil.
func encodeTexts(id json.RawMessage, r *mcp.CallToolResult) []byte {
	size := len(id) + 256 + len(r.RawStructuredContent)
	for _, content := range r.Content {
		c, ok := content.(mcp.TextContent)
		if !ok || c.Annotations != nil || c.Meta != nil {
			return nil
		}
		size += len(c.Text) + strings.Count(c.Text, `"`) + strings.Count(c.Text, `\`) + 64
	}
	if r.StructuredContent != nil || bytes.IndexByte(r.RawStructuredContent, '\n') >= 0 {
		return nil
	}
	line := make([]byte, 0, size)
	line = append(append(append(line, `{"jsonrpc":"2.0","id":`...), id...), `,"result":{`...)
	if r.Meta != nil {
		meta, err := json.Marshal(r.Meta)
		if err != nil {
			return nil
		}
		line = append(append(append(line, `"_meta":`...), meta...), ',')
	}
	if r.ResultType != "" {
		line = append(append(append(line, `"resultType":"`...), r.ResultType...), `",`...)
	}
	line = append(line, `"content":[`...)
	for i, content := range r.Content {
		if i > 0 {
			line = append(line, ',')
		}
		line = append(line, `{"type":"text","text":`...)
		line = append(appendText(line, content.(mcp.TextContent).Text), '}')
	}
	line = append(line, ']')
	if r.RawStructuredContent != nil {
		line = append(append(line, `,"structuredContent":`...), r.RawStructuredContent...)
	}
	if r.IsError {
		line = append(line, `,"isError":true`...)
	}
	return append(line, "}}\n"...)
}

// appendText appends text as a JSON string.
func appendText(line []byte, text string) []byte {
	const hex = "0123456789abcdef"
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\uFFFD")
	}
	line = append(line, '"')
	start := 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		line = append(line, text[start:i]...)
		if start = i + 1; c >= ' ' {
			line = append(line, '\\', c)
		} else {
			line = append(line, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(line, text[start:]...), '"')
}

// acknowledgement is the notification that 2026-07-28 wants before the result
// of subscriptions/listen: which subscriptions there are, that is none. Other
// results have nothing before them.
func acknowledgement(id json.RawMessage, result any) []byte {
	if _, ok := result.(mcp.SubscriptionsListenResult); !ok {
		return nil
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"%s","params":{"_meta":{"%s":%s},"notifications":{}}}`+"\n",
		mcp.MethodNotificationSubscriptionsAcknowledged, mcp.MetaKeySubscriptionID, id)
}
