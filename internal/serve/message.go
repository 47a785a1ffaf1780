package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// A message is one JSON-RPC 2.0 message from a client: a request, a
// notification, which has no id, or an answer to nothing we asked, which has no
// method.
type message struct {
	id     json.RawMessage // as it was written
	method string
	params json.RawMessage
}

func newFault(code int, text string) *mcp.JSONRPCErrorDetails {
	return &mcp.JSONRPCErrorDetails{Code: code, Message: text}
}

// parse reads a message. What cannot be answered by its id is a fault of id
// null, as https://www.jsonrpc.org/specification#response_object says.
func parse(raw []byte) (m message, fault *mcp.JSONRPCErrorDetails) {
	raw = bytes.TrimSpace(raw)
	switch {
	case !json.Valid(raw):
		return m, newFault(mcp.PARSE_ERROR, "the message is not JSON")
	case raw[0] == '[':
		return m, newFault(mcp.INVALID_REQUEST, "batches are not supported; send one message at a time")
	case raw[0] != '{':
		return m, newFault(mcp.INVALID_REQUEST, "a message must be a JSON object")
	}
	var version, method json.RawMessage
	var isResponse bool
	for name, value := range members(raw) {
		switch string(name) {
		case "jsonrpc":
			version = value
		case "id":
			m.id = value
		case "method":
			method = value
		case "params":
			m.params = value
		case "result", "error":
			isResponse = true
		}
	}
	if method == nil && isResponse { // to nothing that we asked
		m.id = nil
		return m, nil
	}
	if id := m.id; id != nil && (id[0] != '"' && id[0] != '-' && (id[0] < '0' || id[0] > '9') || !utf8.Valid(id)) {
		m.id = nil
		return m, newFault(mcp.INVALID_REQUEST, "id must be a string or a number")
	}
	m.method = string(text(method))
	switch {
	case string(text(version)) != mcp.JSONRPC_VERSION, method != nil && method[0] != '"':
		return m, newFault(mcp.INVALID_REQUEST, `jsonrpc must be "2.0" and method a string`)
	case method == nil:
		return m, newFault(mcp.INVALID_REQUEST, "method is missing")
	case m.method == "":
		return m, newFault(mcp.INVALID_REQUEST, "method must not be empty")
	}
	return m, nil
}

// meta is what a request says of itself, and the revision of MCP that it names
// there; only since 2026-07-28 does it.
func (m message) meta() (fields json.RawMessage, version string) {
	for name, value := range members(m.params) {
		if string(name) == "_meta" {
			fields = value
		}
	}
	for name, value := range members(fields) {
		if string(name) == mcp.MetaKeyProtocolVersion {
			version = string(text(value))
		}
	}
	return fields, version
}

// members are those of a JSON object that is known to be well formed, in order;
// other values have none. Unlike encoding/json it tells Method from method, and
// does not read what nobody asks for.
func members(object json.RawMessage) iter.Seq2[[]byte, json.RawMessage] {
	return func(yield func([]byte, json.RawMessage) bool) {
		if len(object) == 0 || object[0] != '{' {
			return
		}
		for rest := object[1:]; ; {
			start := bytes.IndexByte(rest, '"')
			if start < 0 {
				return
			}
			rest = rest[start:]
			name := rest[:valueLength(rest)]
			rest = rest[len(name):]
			rest = bytes.TrimLeft(rest[bytes.IndexByte(rest, ':')+1:], " \t\r\n")
			value := rest[:valueLength(rest)]
			rest = rest[len(value):]
			if !yield(text(name), value) {
				return
			}
			rest = bytes.TrimLeft(rest, " \t\r\n")
			if rest[0] == '}' {
				return
			}
		}
	}
}

// valueLength is that of the JSON value at the beginning of b.
func valueLength(b []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
			if !inText && depth == 0 {
				return i + 1
			}
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case depth == 0 && strings.IndexByte(", \t\r\n", c) >= 0:
			return i
		}
	}
	return len(b)
}

// text is the value of a JSON string; of any other value it is empty.
func text(value json.RawMessage) []byte {
	if len(value) == 0 || value[0] != '"' {
		return nil
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	var s string
	_ = json.Unmarshal(value, &s) // it is a string
	return []byte(s)
}

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
