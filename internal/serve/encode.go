package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// encode writes an answer on one line.
func encode(id jsontext.Value, result any, rpcErr *rpcError) []byte {
	if r, ok := result.(*mcp.CallToolResult); ok && rpcErr == nil {
		if line := encodeTexts(id, r); line != nil {
			return line
		}
	}
	answer := struct {
		Version string         `json:"jsonrpc"`
		ID      jsontext.Value `json:"id"`
		Result  any            `json:"result,omitempty"`
		Error   *rpcError      `json:"error,omitempty"`
	}{mcp.JSONRPC_VERSION, id, result, rpcErr}
	var line bytes.Buffer
	e := json.NewEncoder(&line)
	e.SetEscapeHTML(false)
	if err := e.Encode(answer); err != nil {
		return encode(id, nil, newRPCError(mcp.INTERNAL_ERROR, "the result could not be written as JSON"))
	}
	return line.Bytes()
}

// encodeTexts does the same for the result of a tool call that holds nothing but
// text and JSON on one line, in one pass; mcp-go's takes four. Of other results
// it makes nil.
func encodeTexts(id jsontext.Value, r *mcp.CallToolResult) []byte {
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
		line, _ = jsontext.AppendQuote(line, content.(mcp.TextContent).Text) // invalid UTF-8 is replaced
		line = append(line, '}')
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

// acknowledgement is the notification that 2026-07-28 wants before the result
// of subscriptions/listen: which subscriptions there are, that is none. Other
// results have nothing before them.
func acknowledgement(id jsontext.Value, result any) []byte {
	if _, ok := result.(mcp.SubscriptionsListenResult); !ok {
		return nil
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"%s","params":{"_meta":{"%s":%s},"notifications":{}}}`+"\n",
		mcp.MethodNotificationSubscriptionsAcknowledged, mcp.MetaKeySubscriptionID, id)
}
