package serve

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"
)

// A message is one JSON-RPC 2.0 message from a client: a request, a
// notification, which has no id, or an answer to nothing we asked, which has no
// method.
type message struct {
	id      json.RawMessage // as it was written
	method  string
	params  json.RawMessage
	meta    json.RawMessage // _meta of the params, if any
	version string          // the revision of MCP named there; only since 2026-07-28
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
	m.readMeta()
	return m, nil
}
