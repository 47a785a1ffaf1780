package twilioapi

import (
	"encoding/json"
	"errors"
)

// A Result is what a call returned.
type Result struct {
	// JSON is Twilio's own JSON without white space; for a delete it is
	// {"sid":…,"deleted":true}. It is nil after an error.
	JSON json.RawMessage
	// Info describes the call, after an error too.
	Info CallInfo
	// Differs names the parameters, such as Configuration.Filters, whose values
	// in JSON differ from those that a create, ensure or update sent.
	Differs []string
	// Ignored names the parameters of a create or ensure that its target does not
	// use.
	Ignored []string
	// Existing reports whether an ensure found the webhook and sent no create.
	Existing bool
	// NotReplayed reports whether the ensure that found it has a ReplayAfter.
	NotReplayed bool
	// Events lists the filters of the studio webhook that was found, if the request
	// gave none.
	Events []string
	// Similar has the webhooks that an ensure found to be similar to the one that
	// it created, or failed to create.
	Similar []SimilarWebhook
}

// A SimilarWebhook calls the same URL, or runs the same Flow, as a webhook that was
// asked for, and differs from it.
type SimilarWebhook struct {
	SID     string
	Target  string   // webhook, trigger or studio
	Filters []string // event names
	Differs []string // names of parameters; Target alone if that differs
}

// CallInfo describes a call for the log. It contains nothing of the request or
// the response body.
type CallInfo struct {
	Status     int    // HTTP status of the last response; 0 if there was none
	Code       int    // Twilio's error code; 0 if there was none
	RequestID  string // Twilio's ID of the request (RQ...); empty if there was none
	Attempts   int    // how often the last request was sent; 0 if it never was
	Reconciled bool   // whether the webhook of a create or update was found by reading after a failure
}

// newResult returns the result of a request that ended with a response or with an
// error, and that error.
func newResult(res *response, err error) (Result, error) {
	if failure, ok := errors.AsType[*Error](err); ok {
		return Result{Info: CallInfo{Status: failure.Status, Code: failure.Code, RequestID: failure.RequestID, Attempts: failure.Attempts}}, err
	}
	return Result{JSON: res.body, Info: CallInfo{Status: res.status, RequestID: res.requestID, Attempts: res.attempts}}, nil
}
