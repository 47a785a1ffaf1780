package tools

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

func TestErrorsAreExplained(t *testing.T) {
	t.Parallel()
	const look = " Do not create it again yet: ten seconds from now or later, call list_conversation_webhooks. If the webhook is there, use it. " +
		"If not, create it once more; if that fails too, list once more, and tell the user what is there."
	timeout := &twilioapi.NoAnswerError{Sent: true, Reason: "x", Attempts: 1, Err: context.DeadlineExceeded}
	for name, row := range map[string]struct {
		err     error
		text    string
		details errorDetails
	}{
		"a code with advice": {
			&twilioapi.Error{Status: 400, Code: 50351, Message: "No conversation", MoreInfo: "https://example.com/50351", RequestID: "RQ1", Attempts: 1},
			"Twilio refused: HTTP 400, code 50351: No conversation. Give ConversationSid. See https://example.com/50351",
			errorDetails{Status: 400, Code: 50351, Message: "No conversation", MoreInfo: "https://example.com/50351", RequestID: "RQ1", Attempts: 1},
		},
		"a code without": {
			&twilioapi.Error{Status: 400, Code: 1, Message: "What?"},
			"Twilio refused: HTTP 400, code 1: What? " + checkArguments,
			errorDetails{Status: 400, Code: 1, Message: "What?"},
		},
		"a status with advice": {
			&twilioapi.Error{Status: 403, Code: 1, Message: "No!"},
			"Twilio refused: HTTP 403, code 1: No! " + checkPermission,
			errorDetails{Status: 403, Code: 1, Message: "No!"},
		},
		"a status alone": {
			&twilioapi.Error{Status: 401},
			"Twilio refused: HTTP 401. " + checkCredentials,
			errorDetails{Status: 401, Message: "HTTP 401"},
		},
		"not Twilio": {
			&twilioapi.Error{Status: 302},
			"Twilio refused: HTTP 302. " + checkAddress,
			errorDetails{Status: 302, Message: "HTTP 302"},
		},
		"a conflict": {
			&twilioapi.Error{Status: 409, Code: 20409, Message: "Conflict"},
			"Twilio refused: HTTP 409, code 20409: Conflict. Try again in a while.",
			errorDetails{Status: 409, Code: 20409, Message: "Conflict", Retryable: true},
		},
		"too many, at once": {
			&twilioapi.Error{Status: 429, Attempts: 3},
			"Twilio refused: HTTP 429 after 3 attempts. Nothing was done. Retry after a few seconds.",
			errorDetails{Status: 429, Message: "HTTP 429", Attempts: 3, Retryable: true},
		},
		"too many, for a while": {
			&twilioapi.Error{Status: 429, RetryAfter: 2100 * time.Millisecond},
			"Twilio refused: HTTP 429. Nothing was done. Retry after 3 s.",
			errorDetails{Status: 429, Message: "HTTP 429", Retryable: true},
		},
		"a failure": {
			&twilioapi.Error{Status: 500, Code: 20500, Message: "Internal"},
			"Twilio failed: HTTP 500, code 20500: Internal. Known. Try again in a while.",
			errorDetails{Status: 500, Code: 20500, Message: "Internal", Retryable: true},
		},
		"an unusable response": {
			&twilioapi.Error{Status: 200, Message: "the response is not a list of webhooks"},
			"Twilio failed: HTTP 200: the response is not a list of webhooks. Known. Try again in a while.",
			errorDetails{Status: 200, Message: "the response is not a list of webhooks", Retryable: true},
		},
		"no answer": {
			&twilioapi.NoAnswerError{Sent: true, Reason: "EOF", Attempts: 2},
			"Twilio did not answer: EOF after 2 attempts. Known. Try again in a while.",
			errorDetails{Message: "EOF", Attempts: 2, Retryable: true},
		},
		"a timeout": {
			timeout,
			"Twilio did not answer: timed out. Known. Try again in a while.",
			errorDetails{Message: "timed out", Attempts: 1, Retryable: true},
		},
		"not reached": {
			&twilioapi.NoAnswerError{Reason: "no such host", Attempts: 4},
			"Twilio was not reached, and nothing was done: no such host after 4 attempts. Try again; if this persists, ask the user to check the network and the server's settings.",
			errorDetails{Message: "no such host", Attempts: 4, Retryable: true},
		},
		"unsent": {
			&twilioapi.UnsentError{Err: errors.New("no credentials")},
			"Nothing was sent: no credentials.",
			errorDetails{Message: "no credentials"},
		},
		"arguments": {
			argumentError{"A is required.", "B is required."},
			"Nothing was sent: the arguments are invalid. A is required. B is required.",
			errorDetails{Message: "A is required. B is required."},
		},
		"create, not found": {
			&twilioapi.OutcomeUnknownError{Err: timeout},
			"Twilio did not answer: timed out. The webhook was not found so far, but Twilio may still create it." + look,
			errorDetails{Message: "timed out", Attempts: 1},
		},
		"create, one": {
			&twilioapi.OutcomeUnknownError{Err: &twilioapi.Error{Status: 502}, Found: 1},
			"Twilio failed: HTTP 502. Whether the webhook was created is unknown: one that matches is there, but it may be older, or another call's." + look,
			errorDetails{Status: 502, Message: "HTTP 502"},
		},
		"create, several": {
			&twilioapi.OutcomeUnknownError{Err: timeout, Found: 3},
			"Twilio did not answer: timed out. Whether the webhook was created is unknown: 3 that match are there, and some may be older, or other calls'." + look,
			errorDetails{Message: "timed out", Attempts: 1},
		},
		"create, no list": {
			&twilioapi.OutcomeUnknownError{Err: timeout, List: timeout},
			"Twilio did not answer: timed out. Whether the webhook was created is unknown: listing failed too." + look,
			errorDetails{Message: "timed out", Attempts: 1},
		},
	} {
		text, details := explainer{offered: offered{"list_conversation_webhooks"}, idempotent: true, afterFailure: "Known."}.explain(row.err)
		require.Equal(t, row.text, text, name)
		require.Equal(t, row.details, details, name)
	}
}

// What failed may have been carried out: only an idempotent tool may be repeated.
func TestOnlyAnIdempotentToolIsRetryable(t *testing.T) {
	t.Parallel()
	for _, idempotent := range []bool{true, false} {
		for _, err := range []error{&twilioapi.Error{Status: 503}, &twilioapi.Error{Status: 200}, &twilioapi.Error{Status: 408}, &twilioapi.NoAnswerError{Sent: true}} {
			_, details := explainer{idempotent: idempotent}.explain(err)
			require.Equal(t, idempotent, details.Retryable, err)
		}
	}
}

func TestNotesFollowTheResultInOrder(t *testing.T) {
	t.Parallel()
	e := explainer{reconciled: "Found."}
	require.Empty(t, e.notes(twilioapi.Result{}))
	notes := e.notes(twilioapi.Result{
		Info: twilioapi.CallInfo{Reconciled: true}, Differs: []string{"Target", "Configuration.Url"}, Similar: []string{"WH1", "WH2"},
	})
	require.Len(t, notes, 3)
	require.Equal(t, "Found.", notes[0])
	require.Contains(t, notes[1], "in Target, Configuration.Url. ")
	require.Contains(t, notes[2], ": WH1, WH2. ")
	require.Nil(t, e.successResult(twilioapi.Result{}).Meta)
}

func TestTheMeantParameterIsFoundByItsLetters(t *testing.T) {
	t.Parallel()
	p := newParameters(schemas.ListConversationWebhooks.Input(), false)
	for name, want := range map[string]string{
		"pagesize": "PageSize", "page_size": "PageSize", "size": "PageSize", "token": "PageToken", "Page-Token": "PageToken",
		"conversation_sid": "ConversationSid", "sid": "ConversationSid", "page": "Page",
	} {
		require.Equal(t, []string{want}, p.meant(name), name)
	}
	for _, name := range []string{"", "e", "n", "limit", "ÜÄ", "123"} {
		require.Equal(t, p.names, p.meant(name), name)
	}
}

func TestProblemsAreSortedAndOnePerPath(t *testing.T) {
	t.Parallel()
	var p problems
	require.NoError(t, p.err())
	p.add(path{"b", 10, true}, "is %d.", 1)
	p.add(path{"b", 2, true}, "is 2.")
	p.add(path{"b", 2, true}, "is 3.")
	p.add(path{name: "a b"}, "is 4.")
	p.add(path{name: strings.Repeat("n", 41)}, "is 5.")
	require.EqualError(t, p.err(), `"a b" is 4. b[2] is 2. b[10] is 1. "`+strings.Repeat("n", 40)+`…" is 5.`)
}
