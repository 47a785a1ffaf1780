package tools

import (
	"cmp"
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
	Attempts  int    `json:"attempts,omitempty"` // how often the request was sent
	Retryable bool   `json:"retryable"`          // whether the same call may be repeated without harm
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
	if unsettled, ok := errors.AsType[*twilioapi.OutcomeUnknownError](err); ok {
		return explainUnsettled(unsettled)
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
	fact := failure{
		Status: e.Status, Code: e.Code, Message: cmp.Or(e.Message, fmt.Sprintf("HTTP %d", e.Status)), MoreInfo: e.MoreInfo,
		RequestID: e.RequestID, Attempts: e.Attempts,
	}
	tooMany := e.Status == http.StatusTooManyRequests
	fact.Retryable = tooMany || readOnly && !e.Refused() || advice[e.Code] == tryLater && e.Refused()
	text := "Twilio refused: " + words(e)
	switch {
	case !e.Refused():
		text = "Twilio failed: " + words(e) + " " + tryLater
	case tooMany:
		text += " Nothing was done. Repeat the call " + wait(e.RetryAfter) + "."
	case advice[e.Code] != "":
		text += " " + advice[e.Code]
	case adviceByStatus[e.Status] != "":
		text += " " + adviceByStatus[e.Status]
	case e.Code == 0 && e.Message == "":
		text += " " + checkAddress
	default:
		text += " " + checkArguments
	}
	if e.MoreInfo != "" {
		text += " See " + e.MoreInfo
	}
	return text, fact
}

func explainSilence(e *twilioapi.NoAnswerError, readOnly bool) (string, failure) {
	reason := e.Reason
	if errors.Is(e, context.DeadlineExceeded) {
		reason = "time ran out"
	}
	fact := failure{Message: reason, Attempts: e.Attempts, Retryable: readOnly || !e.Sent}
	if !e.Sent {
		return "Twilio was not reached, and nothing was done: " + reason + attempts(e.Attempts) + ". " +
			"Try again; if it stays so, ask the user to check the network and the server's settings.", fact
	}
	return "Twilio did not answer: " + reason + attempts(e.Attempts) + ". " + tryLater, fact
}

// explainUnsettled says what is known of a create that may have happened, and
// how to find out the rest.
func explainUnsettled(e *twilioapi.OutcomeUnknownError) (string, failure) {
	var text string
	var fact failure
	if answered, ok := errors.AsType[*twilioapi.Error](e.Err); ok {
		_, fact = explainAnswer(answered, false)
		text = "Twilio failed: " + words(answered)
	} else if silent, ok := errors.AsType[*twilioapi.NoAnswerError](e.Err); ok {
		_, fact = explainSilence(silent, false)
		text = "Twilio did not answer: " + fact.Message + "."
	}
	fact.Retryable = false
	switch {
	case e.List != nil:
		return text + " Whether the webhook was made is unknown: listing failed too" + shortly(e.List) + ". " + lookFirst, fact
	case e.Found == 0:
		return text + " The webhook was not found so far, but Twilio may still make it. " + lookFirst, fact
	case e.Found == 1:
		return text + " Whether the webhook was made is unknown: one that matches is there, but it may be older, or another call's. " + lookFirst, fact
	default:
		return text + fmt.Sprintf(" Whether the webhook was made is unknown: %d that match are there, and some may be older, or other calls'. ", e.Found) + lookFirst, fact
	}
}

const (
	lookFirst = "Do not create it again yet: call list_conversation_webhooks, ten seconds from now or later. " +
		"If the webhook is there, use it. If not, create it once more; if that fails too, tell the user that it is not confirmed."

	settledNote = "Settled by listing: Twilio's answer to the create was lost, but the webhook is there. " +
		"It matches what was asked, and was made after this call began. Do not create it again."
)

// shortly is the status of an answer, if err is one.
func shortly(err error) string {
	if answered, ok := errors.AsType[*twilioapi.Error](err); ok {
		return " (" + status(answered) + ")"
	}
	return ""
}

// status is the status of an answer, with Twilio's code.
func status(e *twilioapi.Error) string {
	if e.Code == 0 {
		return fmt.Sprintf("HTTP %d", e.Status)
	}
	return fmt.Sprintf("HTTP %d, code %d", e.Status, e.Code)
}

// words are Twilio's own, with status and code.
func words(e *twilioapi.Error) string {
	text := status(e) + attempts(e.Attempts)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if last := text[len(text)-1]; last != '.' && last != '!' && last != '?' {
		text += "."
	}
	return text
}

func attempts(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" after %d attempts", n)
}

func wait(d time.Duration) string {
	if d <= 0 {
		return "after a few seconds"
	}
	return fmt.Sprintf("after %d s", int((d+time.Second-1)/time.Second))
}
