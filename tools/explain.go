package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/twilioapi"
)

// errorDetails describe a failed call for programs, in the result's _meta.error.
type errorDetails struct {
	Status    int    `json:"status,omitempty"` // HTTP status, if Twilio answered
	Code      int    `json:"code,omitempty"`   // Twilio's code, if it gave one
	Message   string `json:"message"`
	MoreInfo  string `json:"more_info,omitempty"`
	RequestID string `json:"request_id,omitempty"`
	Attempts  int    `json:"attempts,omitempty"` // how often the request was sent
	Retryable bool   `json:"retryable"`          // whether the same call may be repeated without harm
}

// An explainer describes the outcome of a tool's calls. Errors are described only
// here: what happened, Twilio's message and code, what to try next. See [operation].
type explainer struct {
	offered      offered
	idempotent   bool
	closedWorld  bool
	afterFailure string
	reconciled   string
	notFound     string
	ensures      bool
	similar      []twilioapi.SimilarWebhook // to the one that was not created
}

// result returns a result that needs no explanation, or an error.
func (e explainer) result(result *mcp.CallToolResult, err error) *mcp.CallToolResult {
	if err != nil {
		return e.errorResult(err)
	}
	return result
}

func (e explainer) errorResult(err error) *mcp.CallToolResult {
	text, details := e.explain(err)
	return &mcp.CallToolResult{
		Result:  mcp.Result{Meta: &mcp.Meta{AdditionalFields: map[string]any{"error": details}}},
		Content: []mcp.Content{mcp.NewTextContent(text)},
		IsError: true,
	}
}

func (e explainer) explain(err error) (string, errorDetails) {
	if invalid, ok := errors.AsType[argumentError](err); ok {
		text := "Nothing was sent: the arguments are invalid. "
		if e.closedWorld {
			text = "The arguments are invalid. "
		}
		return text + invalid.Error(), errorDetails{Message: invalid.Error()}
	}
	if unsent, ok := errors.AsType[*twilioapi.UnsentError](err); ok {
		reason := unsent.Error()
		if errors.Is(unsent, context.Canceled) {
			reason = "the call was cancelled"
		}
		return "Nothing was sent: " + reason + ".", errorDetails{Message: reason}
	}
	if unknown, ok := errors.AsType[*twilioapi.OutcomeUnknownError](err); ok {
		return e.explainCreate(unknown)
	}
	if unknown, ok := errors.AsType[*twilioapi.UpdateOutcomeError](err); ok {
		return e.explainUpdate(unknown)
	}
	if refused, ok := errors.AsType[*twilioapi.Error](err); ok {
		return e.explainAnswer(refused)
	}
	if noAnswer, ok := errors.AsType[*twilioapi.NoAnswerError](err); ok {
		return e.explainNoAnswer(noAnswer)
	}
	panic(err) // every error of the client has one of these types
}

func (e explainer) explainAnswer(err *twilioapi.Error) (string, errorDetails) {
	details := errorDetails{
		Status: err.Status, Code: err.Code, Message: cmp.Or(err.Message, fmt.Sprintf("HTTP %d", err.Status)), MoreInfo: err.MoreInfo,
		RequestID: err.RequestID, Attempts: err.Attempts,
		Retryable: err.Status == http.StatusTooManyRequests || e.idempotent && !err.Refused() || advice[err.Code] == tryLater && err.Refused(),
	}
	text := "Twilio failed: "
	if err.Refused() {
		text = "Twilio refused: "
	}
	text += describe(err) + " " + e.nextStep(err)
	if err.MoreInfo != "" {
		text += " See " + err.MoreInfo
	}
	return text, details
}

// nextStep says what to try after an answer other than the one that was asked for.
func (e explainer) nextStep(err *twilioapi.Error) string {
	switch {
	case !err.Refused():
		return sentences(e.afterFailure, tryLater)
	case err.Status == http.StatusTooManyRequests:
		return "Nothing was done. Retry " + wait(err.RetryAfter) + "."
	case err.Code == 0 && err.Message == "" && adviceByStatus[err.Status] == "":
		return checkAddress
	default:
		return e.advice(err.Status, err.Code)
	}
}

// advice says what to try after a refusal.
func (e explainer) advice(status, code int) string {
	text := cmp.Or(advice[code], adviceByStatus[status], checkArguments)
	if text == checkConversation && code != 50350 { // 50350 is about the conversation alone
		text = cmp.Or(e.notFound, text)
	}
	text = e.offered.mention(text)
	if code == 50361 { // too many webhooks
		for _, s := range e.similar {
			text += " " + describeSimilar(s) + ": it may already do what was asked."
		}
	}
	return text
}

func (e explainer) explainNoAnswer(err *twilioapi.NoAnswerError) (string, errorDetails) {
	reason := err.Reason
	if errors.Is(err, context.DeadlineExceeded) {
		reason = "timed out"
	}
	details := errorDetails{Message: reason, Attempts: err.Attempts, Retryable: e.idempotent || !err.Sent}
	if !err.Sent {
		return "Twilio was not reached, and nothing was done: " + reason + attempts(err.Attempts) + ". " +
			"Try again; if this persists, ask the user to check the network and the server's settings.", details
	}
	return "Twilio did not answer: " + reason + attempts(err.Attempts) + ". " + sentences(e.afterFailure, tryLater), details
}

// sentences joins those that are not empty.
func sentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

// explainCreate says what is known of a create that may have been carried out, and
// how to find out the rest.
func (e explainer) explainCreate(err *twilioapi.OutcomeUnknownError) (string, errorDetails) {
	text, details := e.explainCause(err.Err)
	switch {
	case err.List != nil:
		text += " Whether the webhook was created is unknown: listing failed too" + statusSuffix(err.List) + "."
	case err.Found == 0:
		text += " The webhook was not found so far, but Twilio may still create it."
	case err.Found == 1:
		text += " Whether the webhook was created is unknown: one that matches is there, but it may be older, or another call's."
	default:
		text += fmt.Sprintf(" Whether the webhook was created is unknown: %d that match are there, and some may be older, or other calls'.", err.Found)
	}
	return text + " " + e.offered.mention(lookFirst), details
}

const lookFirst = "Do not create it again yet: wait ten seconds, then call " +
	"[ensure_conversation_webhook with the same arguments, once: it uses the webhook if it has appeared.|" +
	"list_conversation_webhooks. If the webhook is there, use it. If not, create it once more.] " +
	"If you have already repeated the call, stop: " +
	"[call list_conversation_webhooks, and tell the user that Twilio did not confirm the webhook, and what is there.|" +
	"tell the user that Twilio did not confirm the webhook.]"

// explainUpdate does the same for an update.
func (e explainer) explainUpdate(err *twilioapi.UpdateOutcomeError) (string, errorDetails) {
	text, details := e.explainCause(err.Err)
	switch {
	case err.Fetch != nil:
		text += " Whether the webhook was updated is unknown: reading it failed too" + statusSuffix(err.Fetch) + "."
	case err.NotApplied:
		text += " The update was not applied so far, but Twilio may still apply it."
	default:
		text += " Whether the update was applied is unknown: " + describeUpdated(err) + "."
	}
	return text + " " + e.offered.mention(fetchFirst), details
}

const fetchFirst = "[Ten seconds from now or later, call fetch_conversation_webhook: " +
	"if the webhook does not show what was asked for, update it once more; if that fails too, tell the user.|]"

// explainCause says why the outcome of a write is unknown. Repeating it may do harm.
func (e explainer) explainCause(err error) (text string, details errorDetails) {
	if answer, ok := errors.AsType[*twilioapi.Error](err); ok {
		_, details = e.explainAnswer(answer)
		text = "Twilio failed: " + describe(answer)
	} else {
		_, details = e.explain(err)
		text = "Twilio did not answer: " + details.Message + "."
	}
	details.Retryable = false
	return text, details
}

// statusSuffix returns the status of an answer in parentheses, if err is one.
func statusSuffix(err error) string {
	if answer, ok := errors.AsType[*twilioapi.Error](err); ok {
		return " (" + status(answer) + ")"
	}
	return ""
}

// status returns the status of an answer, with Twilio's code.
func status(err *twilioapi.Error) string {
	if err.Code == 0 {
		return fmt.Sprintf("HTTP %d", err.Status)
	}
	return fmt.Sprintf("HTTP %d, code %d", err.Status, err.Code)
}

// describe returns Twilio's message, with status and code.
func describe(err *twilioapi.Error) string {
	text := status(err) + attempts(err.Attempts)
	if err.Message != "" {
		text += ": " + err.Message
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

// describeUpdated says how the webhook of an update of unknown outcome was found.
func describeUpdated(err *twilioapi.UpdateOutcomeError) string {
	if len(err.Differs) == 0 {
		return "the webhook's " + strings.Join(err.Unread, ", ") + " cannot be read"
	}
	return "the webhook's " + strings.Join(err.Differs, ", ") + " does not match the request"
}
