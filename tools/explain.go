package tools

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/twilioapi"
)

// A failure is a failed call for programs, in the result's _meta.error.
type failure struct {
	Status    int    `json:"status,omitempty"` // HTTP status, if Twilio answered
	Code      int    `json:"code,omitempty"`   // Twilio's code, if it gave one
	Message   string `json:"message"`
	MoreInfo  string `json:"more_info,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Retryable bool   `json:"retryable"` // whether the same call may be repeated without harm
}

// failed puts an error into words a model can act on: what happened, Twilio's
// words and code, what to try next. This is the only place that does.
func failed(err error, about mcp.Tool) *mcp.CallToolResult {
	text, fact := explain(err, *about.Annotations.ReadOnlyHint)
	return &mcp.CallToolResult{
		Result:  mcp.Result{Meta: &mcp.Meta{AdditionalFields: map[string]any{"error": fact}}},
		Content: []mcp.Content{mcp.NewTextContent(text)},
		IsError: true,
	}
}

func explain(err error, readOnly bool) (string, failure) {
	if bad, ok := errors.AsType[argumentError](err); ok {
		return "Nothing was sent, because the arguments do not fit. " + bad.Error(), failure{Message: bad.Error()}
	}
	if unsent, ok := errors.AsType[*twilioapi.UnsentError](err); ok {
		return "Nothing was sent: " + unsent.Error() + ".", failure{Message: unsent.Error()}
	}
	if refused, ok := errors.AsType[*twilioapi.Error](err); ok {
		return explainAnswer(refused, readOnly)
	}
	if silent, ok := errors.AsType[*twilioapi.NoAnswerError](err); ok {
		return explainSilence(silent, readOnly)
	}
	panic(err) // every error of the client has a type of its own
}

func explainAnswer(e *twilioapi.Error, readOnly bool) (string, failure) {
	fact := failure{Status: e.Status, Code: e.Code, Message: e.Message, MoreInfo: e.MoreInfo, RequestID: e.RequestID}
	tooMany := e.Status == http.StatusTooManyRequests
	fact.Retryable = tooMany || readOnly && e.Status >= 500
	text := "Twilio refused: " + words(e)
	switch {
	case e.Status >= 500 || e.Status < 300:
		text = "Twilio failed: " + words(e) + again(readOnly)
	case tooMany:
		text += " Nothing was done. Repeat the call " + wait(e.RetryAfter) + "."
	case advice[e.Code] != "":
		text += " " + advice[e.Code]
	case adviceByStatus[e.Status] != "":
		text += " " + adviceByStatus[e.Status]
	}
	if e.MoreInfo != "" {
		text += " See " + e.MoreInfo
	}
	return text, fact
}

func explainSilence(e *twilioapi.NoAnswerError, readOnly bool) (string, failure) {
	reason := e.Err.Error()
	if errors.Is(e, context.DeadlineExceeded) {
		reason = "time ran out"
	}
	fact := failure{Message: reason, Retryable: readOnly || !e.Sent}
	if !e.Sent {
		return "Twilio was not reached, and nothing was sent: " + reason + ". " +
			"Try again; if it stays so, ask the user to check the network and the server's settings.", fact
	}
	return "Twilio did not answer: " + reason + "." + again(readOnly), fact
}

// words are Twilio's own, with status and code.
func words(e *twilioapi.Error) string {
	text := fmt.Sprintf("HTTP %d", e.Status)
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d", e.Code)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	if last := text[len(text)-1]; last != '.' && last != '!' && last != '?' {
		text += "."
	}
	return text
}

// again says whether a call of unknown outcome may be repeated.
func again(readOnly bool) string {
	if readOnly {
		return " Try again in a while."
	}
	return " Whether the webhook was made is unknown. Do not create it again before " +
		"list_conversation_webhooks shows, now and some seconds later, that it is not there."
}

func wait(d time.Duration) string {
	if d <= 0 {
		return "after a few seconds"
	}
	return fmt.Sprintf("after %d s", int((d+time.Second-1)/time.Second))
}
