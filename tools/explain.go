package tools

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
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
	Outcome   string `json:"outcome"`            // what the call did at Twilio, see [twilioapi.Outcome]
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
	lost         lostWrite
	similar      []twilioapi.SimilarWebhook // to the one that was not created
	arguments    any                        // an Input, or nil
}

// result returns a result that needs no explanation, or an error.
func (e *explainer) result(result *mcp.CallToolResult, err error) *mcp.CallToolResult {
	if err != nil {
		return e.errorResult(err)
	}
	return result
}

func (e *explainer) errorResult(err error) *mcp.CallToolResult {
	text, details := e.explain(err)
	return &mcp.CallToolResult{
		Result:  mcp.Result{Meta: &mcp.Meta{AdditionalFields: map[string]any{"error": details}}},
		Content: []mcp.Content{mcp.NewTextContent(text)},
		IsError: true,
	}
}

func (e *explainer) explain(err error) (string, errorDetails) {
	if invalid, ok := errors.AsType[argumentError](err); ok {
		text := "Nothing was sent: the arguments are invalid. "
		if e.closedWorld {
			text = "The arguments are invalid. "
		}
		return text + invalid.Error(), errorDetails{Message: invalid.Error(), Outcome: string(twilioapi.NotSent)}
	}
	failure, ok := errors.AsType[*twilioapi.Error](err)
	if !ok {
		failure = &twilioapi.Error{Outcome: twilioapi.NotSent, Message: err.Error()}
	}
	return sentences(whatHappened(failure), e.nextStep(failure)), e.details(failure)
}

func (e *explainer) details(err *twilioapi.Error) errorDetails {
	mayBeRepeated := err.Outcome == twilioapi.Refused && advice[err.Code] == tryLater || err.Status == http.StatusTooManyRequests ||
		err.Outcome == twilioapi.NotSent && (err.Attempts > 0 || errors.Is(err, twilioapi.ErrStore)) ||
		e.idempotent && (err.Outcome == twilioapi.Failed || err.Outcome == twilioapi.Unknown)
	return errorDetails{
		Status: err.Status, Code: err.Code, Message: reason(err), MoreInfo: err.MoreInfo,
		RequestID: err.RequestID, Attempts: err.Attempts, Outcome: string(err.Outcome),
		Retryable: mayBeRepeated && !err.Permanent && err.ReadBack == nil && (err.Status > 299 || err.Body == ""),
	}
}

// whatHappened says why a call failed.
func whatHappened(err *twilioapi.Error) string {
	what, why := "Twilio failed: ", reason(err)+attempts(err.Attempts)
	switch {
	case err.Outcome == twilioapi.NotSent && err.Attempts == 0:
		what = "Nothing was sent: "
	case err.Outcome == twilioapi.NotSent:
		what = "Twilio was not reached, and nothing was done: "
	case err.Status == 0:
		what = "Twilio did not answer: "
	case err.Outcome == twilioapi.Refused && err.Code == 0 && err.Status != http.StatusTooManyRequests:
		what, why = "Refused, perhaps not by Twilio: ", describe(err)
	case err.Outcome == twilioapi.Refused:
		what, why = "Twilio refused: ", describe(err)
	default:
		why = describe(err)
	}
	return endSentence(what + why)
}

// reason returns the message of an error, in a few words if there is none.
func reason(err *twilioapi.Error) string {
	switch {
	case err.Status != 0:
		return cmp.Or(err.Message, fmt.Sprintf("HTTP %d", err.Status))
	case errors.Is(err, context.DeadlineExceeded):
		return "timed out"
	case errors.Is(err, context.Canceled) && err.Outcome == twilioapi.NotSent:
		return "the call was cancelled"
	default:
		return err.Message
	}
}

// nextStep says what is known, and what to try next.
func (e *explainer) nextStep(err *twilioapi.Error) string {
	next := ""
	switch {
	case err.ReadBack != nil:
		return sentences(e.lost.describe(err.ReadBack), e.offered.render(e.lost.next))
	case err.Outcome == twilioapi.NotSent:
		next = notReached(err)
	case err.Permanent:
		next = sentences(e.afterFailure, "The same call fails again: tell the user.")
	case err.Status >= 200 && err.Status <= 299 && err.Body != "":
		next = sentences(e.afterFailure, checkAddress)
	case err.Outcome != twilioapi.Refused:
		next = sentences(e.afterFailure, tryLater)
	case err.Status == http.StatusTooManyRequests:
		next = "Nothing was done. Retry " + wait(err.RetryAfter) + "."
	case err.Code == 0:
		next = adviceWithoutCode(err.Status)
		if _, ok := adviceByStatus[err.Status]; ok {
			next += " If Twilio did send it: " + e.advice(err.Status, 0)
		}
	default:
		next = e.advice(err.Status, err.Code)
	}
	if err.MoreInfo != "" {
		next += " See " + err.MoreInfo
	}
	return sentences(err.Sent, next)
}

// notReached says what to try after a call that did not reach Twilio.
func notReached(err *twilioapi.Error) string {
	switch {
	case err.Attempts == 0:
		return ""
	case errors.Is(err, twilioapi.ErrCertificate):
		return checkCertificate
	case errors.Is(err, twilioapi.ErrProxy):
		return checkReach
	default:
		return "Try again; if this persists, ask the user to check the network and the server's settings."
	}
}

// advice says what to try after a refusal.
func (e *explainer) advice(status, code int) string {
	text := cmp.Or(advice[code], adviceByStatus[status], checkArguments)
	if text == checkConversation && code != 50350 { // 50350 is about the conversation alone
		text = cmp.Or(e.notFound, text)
	}
	text = e.offered.render(text)
	if code == 50361 { // too many webhooks
		for _, s := range e.similar {
			text += " " + describeSimilar(s) + ": it may already do what was asked."
		}
	}
	return sentences(e.offered.hint(e.arguments, code), text)
}

// sentences joins those that are not empty.
func sentences(all ...string) string {
	return strings.Join(slices.DeleteFunc(all, func(s string) bool { return s == "" }), " ")
}

// A lostWrite says what is told of a write whose response was lost and that reading
// did not show.
type lostWrite struct {
	subject    string // what was to be changed
	notApplied string // it is not there so far
	unknown    string // whether it was carried out
	next       string // what to do, see [offered.render]
}

var (
	lostCreate = lostWrite{
		notApplied: "The webhook was not found so far, but Twilio may still create it.",
		unknown:    "Whether the webhook was created is unknown: ",
		next: "Do not create it again yet: wait ten seconds, then call " +
			"[ensure_conversation_webhook with the same arguments, once: it uses the webhook if it has appeared.|" +
			"list_conversation_webhooks. If the webhook is there, use it. If not, create it once more.] " +
			"If you have already repeated the call, stop: " +
			"[call list_conversation_webhooks, tell the user that Twilio did not confirm the webhook, and list the webhooks that exist.|" +
			"tell the user that Twilio did not confirm the webhook.]",
	}
	lostUpdate = lostWrite{
		subject:    "the webhook",
		notApplied: "The update was not applied so far, but Twilio may still apply it.",
		unknown:    "Whether the update was applied is unknown: ",
		next: "[Ten seconds from now or later, call fetch_conversation_webhook: " +
			"if the webhook does not show what was asked for, update it once more; if that fails too, tell the user.|]",
	}
	lostConfiguration = lostWrite{
		subject:    "the configuration",
		notApplied: lostUpdate.notApplied,
		unknown:    lostUpdate.unknown,
		next: "[Ten seconds from now or later, call fetch_webhook_configuration: " +
			"if it does not show what was asked for, update it once more; if that fails too, tell the user.|]",
	}
)

// describe says what is known of the write.
func (l lostWrite) describe(r *twilioapi.ReadBack) string {
	switch {
	case r.Err != nil:
		return l.unknown + "reading it back failed too" + statusSuffix(r.Err) + "."
	case r.NotApplied:
		return l.notApplied
	case r.Found == 1:
		return l.unknown + "one that matches is there, but it may be older, or another call's."
	case r.Found > 1:
		return l.unknown + fmt.Sprintf("%d that match are there, and some may be older, or other calls'.", r.Found)
	case len(r.Differs) > 0:
		return l.unknown + l.subject + "'s " + strings.Join(r.Differs, ", ") + " does not match the request."
	default:
		return l.unknown + l.subject + "'s " + strings.Join(r.Unreadable, ", ") + " cannot be read."
	}
}

// statusSuffix returns the status of an answer in parentheses, if err is one.
func statusSuffix(err error) string {
	if answer, ok := errors.AsType[*twilioapi.Error](err); ok && answer.Status != 0 {
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

// describe returns Twilio's message, with status and code. The words of something
// else are quoted.
func describe(err *twilioapi.Error) string {
	text := status(err) + attempts(err.Attempts)
	if err.Message != "" {
		text += ": " + err.Message
	}
	if err.Body != "" {
		text += "; the response, which is not in Twilio's form, begins with " + strconv.Quote(err.Body)
	}
	return text
}

// endSentence adds the full stop of a sentence that has none.
func endSentence(text string) string {
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
