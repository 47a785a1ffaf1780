package serve

import (
	"bytes"
	"encoding/json"
	"fmt"

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
	var fields struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  *string         `json:"method"`
		Params  json.RawMessage `json:"params"`
	}
	raw = bytes.TrimSpace(raw)
	switch {
	case !json.Valid(raw):
		return m, newFault(mcp.PARSE_ERROR, "the message is not JSON")
	case raw[0] == '[':
		return m, newFault(mcp.INVALID_REQUEST, "batches are not supported; send one message at a time")
	case raw[0] != '{':
		return m, newFault(mcp.INVALID_REQUEST, "a message must be a JSON object")
	}
	unfit := json.Unmarshal(raw, &fields)
	if id := fields.ID; id != nil && id[0] != '"' && id[0] != '-' && (id[0] < '0' || id[0] > '9') {
		return m, newFault(mcp.INVALID_REQUEST, "id must be a string or a number")
	}
	m.id, m.params = fields.ID, fields.Params
	switch {
	case unfit != nil || fields.Version != mcp.JSONRPC_VERSION:
		return m, newFault(mcp.INVALID_REQUEST, `jsonrpc must be "2.0" and method a string`)
	case fields.Method != nil && *fields.Method == "":
		return m, newFault(mcp.INVALID_REQUEST, "method must not be empty")
	case fields.Method != nil:
		m.method = *fields.Method
	case m.id == nil || !isResponse(raw):
		return m, newFault(mcp.INVALID_REQUEST, "method is missing")
	}
	return m, nil
}

func isResponse(raw []byte) bool {
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(raw, &fields) // it is an object
	return fields["result"] != nil || fields["error"] != nil
}

// encode writes an answer on one line.
func encode(id json.RawMessage, result any, fault *mcp.JSONRPCErrorDetails) []byte {
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
