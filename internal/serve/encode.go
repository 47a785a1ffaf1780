package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// maxPooled is how large the buffers are that are used again, in bytes.
const maxPooled = 64 << 10

// buffers holds buffers that are not in use.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func newBuffer() *bytes.Buffer {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

// free makes a buffer available to others.
func free(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		buffers.Put(b)
	}
}

// encode returns a JSON-RPC response on one line, in a buffer that may be freed when it
// is written.
func encode(id jsontext.Value, result any, rpcErr *rpcError) *bytes.Buffer {
	line := newBuffer()
	if r, ok := result.(*mcp.CallToolResult); ok && rpcErr == nil {
		if isTextOnly(r) && encodeTexts(line, id, r) == nil {
			return line
		}
		result = callResult{r}
	}
	response := struct {
		Version string         `json:"jsonrpc"`
		ID      jsontext.Value `json:"id"`
		Result  any            `json:"result,omitempty"`
		Error   *rpcError      `json:"error,omitempty"`
	}{mcp.JSONRPC_VERSION, id, result, rpcErr}
	e := json.NewEncoder(line)
	e.SetEscapeHTML(false)
	if err := e.Encode(response); err != nil {
		free(line)
		return encode(id, nil, newRPCError(mcp.INTERNAL_ERROR, "the result could not be written as JSON"))
	}
	return line
}

// A callResult always has isError, which some clients require and mcp-go leaves
// out if it is false.
type callResult struct{ *mcp.CallToolResult }

func (r callResult) MarshalJSON() ([]byte, error) {
	raw, err := json.Marshal(r.CallToolResult)
	if err != nil || r.IsError || r.NeedsInput() {
		return raw, err
	}
	return append(raw[:len(raw)-1], `,"isError":false}`...), nil
}

// isTextOnly reports whether a result holds nothing but plain text and JSON on
// one line.
func isTextOnly(r *mcp.CallToolResult) bool {
	if r.NeedsInput() {
		return false
	}
	for _, content := range r.Content {
		if c, ok := content.(mcp.TextContent); !ok || c.Annotations != nil || c.Meta != nil {
			return false
		}
	}
	return r.StructuredContent == nil && bytes.IndexByte(r.RawStructuredContent, '\n') < 0
}

// encodeTexts does what encode does for a result of which isTextOnly is true, in
// one pass; the methods of mcp-go take four.
func encodeTexts(b *bytes.Buffer, id jsontext.Value, r *mcp.CallToolResult) error {
	b.Grow(encodedSize(id, r))
	line := b.AvailableBuffer()
	line = append(append(append(line, `{"jsonrpc":"2.0","id":`...), id...), `,"result":{`...)
	if r.Meta != nil {
		meta, err := json.Marshal(r.Meta)
		if err != nil {
			return err
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
		line, _ = jsontext.AppendQuote(line, content.(mcp.TextContent).Text) // it replaces invalid UTF-8
		line = append(line, '}')
	}
	line = append(line, ']')
	if r.RawStructuredContent != nil {
		line = append(append(line, `,"structuredContent":`...), r.RawStructuredContent...)
	}
	line = strconv.AppendBool(append(line, `,"isError":`...), r.IsError)
	_, err := b.Write(append(line, "}}\n"...))
	return err
}

// encodedSize estimates the length of a response.
func encodedSize(id jsontext.Value, r *mcp.CallToolResult) int {
	size := len(id) + 256 + len(r.RawStructuredContent)
	for _, content := range r.Content {
		text := content.(mcp.TextContent).Text
		size += len(text) + strings.Count(text, `"`) + strings.Count(text, `\`) + 64
	}
	return size
}

// acknowledgement returns the notification that 2026-07-28 requires before the
// result of subscriptions/listen: it lists the subscriptions, of which there are
// none. For other requests it returns nil.
func acknowledgement(m *message) []byte {
	if m.method != string(mcp.MethodSubscriptionsListen) {
		return nil
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","method":"%s","params":{"_meta":{"%s":%s},"notifications":{}}}`+"\n",
		mcp.MethodNotificationSubscriptionsAcknowledged, mcp.MetaKeySubscriptionID, m.id)
}
