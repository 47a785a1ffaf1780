package tools

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/twilioapi"
)

// A question asks the user of a client before something is deleted or overwritten.
// The client repeats the call with the answer; nothing is kept between the calls.
// See https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr.
type question struct {
	text      string
	about     []byte          // what was read, and what the call would do with it
	unchanged json.RawMessage // the result if the user declines
	info      twilioapi.CallInfo
}

// confirmed is the name of the question among a result's inputRequests, and of the
// box that the user ticks.
const confirmed = "confirm"

// canAsk reports whether a client with these capabilities shows forms to its user.
func canAsk(capabilities json.RawMessage) bool {
	elicitation, ok := newResource(capabilities)["elicitation"]
	if !ok || elicitation.Kind() != '{' {
		return false
	}
	modes := newResource(elicitation)
	_, hasForm := modes["form"]
	return hasForm || len(modes) == 0
}

// result returns what is answered instead of acting, or nil if the user has agreed
// to what the question says now.
func (q question) result(in Request) *mcp.CallToolResult {
	response := newResource(in.Responses).object(confirmed)
	state := member[string](resource{"state": []byte(in.State)}, "state")
	switch action := member[string](response, "action"); {
	case action == "decline", action == "cancel",
		action == "accept" && !member[bool](response.object("content"), confirmed):
		return q.declined()
	case action == "accept" && state == q.state():
		return nil
	default:
		return q.ask()
	}
}

// state is what the client sends back with the answer. It is another one if
// something has changed in the meantime, or if the arguments differ.
func (q question) state() string {
	sum := sha256.Sum256(append([]byte(q.text), q.about...))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func (q question) ask() *mcp.CallToolResult {
	result := &mcp.CallToolResult{}
	result.SetResultType(mcp.ResultTypeInputRequired)
	result.RequestState = q.state()
	result.InputRequests = mcp.InputRequests{confirmed: mcp.NewElicitationInputRequest(mcp.ElicitationParams{
		Mode:            mcp.ElicitationModeForm,
		Message:         q.text,
		RequestedSchema: json.RawMessage(`{"type":"object","properties":{"confirm":{"type":"boolean","title":"Yes, do it","default":false}},"required":["confirm"]}`),
	})}
	return result
}

func (q question) declined() *mcp.CallToolResult {
	return &mcp.CallToolResult{
		Content: []mcp.Content{
			mcp.NewTextContent(string(q.unchanged)),
			mcp.NewTextContent("Nothing was changed: the user declined. Do not repeat the call unless the user asks for it."),
		},
		RawStructuredContent: q.unchanged,
	}
}

// about joins what a question is about.
func about(parts ...any) []byte {
	text, err := jsonv2.Marshal(parts, jsonv2.Deterministic(true))
	if err != nil {
		panic(err) // arguments and JSON
	}
	return text
}
