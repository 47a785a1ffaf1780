package twilioapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// An Error is a response of Twilio other than the expected one. It always has the
// status, whatever the body was. A status of 2xx means that Twilio may have carried
// out the request, but that its response cannot be used.
type Error struct {
	Status     int           // HTTP status
	Code       int           // Twilio's code, https://www.twilio.com/docs/api/errors; 0 if it gave none
	Message    string        // Twilio's message on one line, or what is wrong with a response of 2xx; may be empty
	MoreInfo   string        // Twilio's page about the code; empty if it gave none
	RequestID  string        // Twilio's ID of the request (RQ...); empty if it gave none
	RetryAfter time.Duration // how long Twilio asks to wait; 0 if it does not
	Attempts   int           // how often the request was sent
	Err        error         // why the body of a 2xx response ended early; nil if it did not

	meta responseMeta
}

func (e *Error) Error() string {
	text := fmt.Sprintf("Twilio answered %d", e.Status)
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d", e.Code)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// Refused reports whether Twilio said that it did nothing. After any other status
// it may have carried out the request.
func (e *Error) Refused() bool {
	return e.Status >= 300 && e.Status < 500 && e.Status != http.StatusRequestTimeout
}

// Unwrap returns why the body ended early.
func (e *Error) Unwrap() error { return e.Err }

// A NoAnswerError is a request to which Twilio sent no response.
type NoAnswerError struct {
	Sent     bool   // whether any of the request may have reached Twilio
	Reason   string // what failed, on one line
	Attempts int    // how often the request was sent
	Err      error  // the network's error or the context's

	sent time.Time
}

func (e *NoAnswerError) Error() string { return "no answer from Twilio: " + e.Reason }

// Unwrap returns the network's error or the context's.
func (e *NoAnswerError) Unwrap() error { return e.Err }

// An UnsentError is a request that was not sent, such as one without credentials
// or one that was cancelled first. Err says what to change.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *UnsentError) Unwrap() error { return e.Err }

// mayHaveHappened reports whether a write that failed with err may have been
// carried out.
func mayHaveHappened(err error) bool {
	if answered, ok := errors.AsType[*Error](err); ok {
		return !answered.Refused()
	}
	unanswered, ok := errors.AsType[*NoAnswerError](err)
	return ok && unanswered.Sent
}

// sentAt returns when the request that failed with err was sent.
func sentAt(err error) time.Time {
	if answered, ok := errors.AsType[*Error](err); ok {
		return answered.meta.sent
	}
	if unanswered, ok := errors.AsType[*NoAnswerError](err); ok {
		return unanswered.sent
	}
	return time.Now()
}

// setDetails reads Twilio's error body: code, message, more_info. A field that is
// missing or of another type stays empty; all do if the body is not JSON.
func (e *Error) setDetails(body []byte, sanitize func(string) string) {
	var fields map[string]any
	_ = json.Unmarshal(body, &fields)
	code, _ := fields["code"].(float64)
	if code != math.Trunc(code) || math.Abs(code) > math.MaxInt32 {
		code = 0
	}
	message, _ := fields["message"].(string)
	moreInfo, _ := fields["more_info"].(string)
	e.Code, e.Message, e.MoreInfo = int(code), sanitize(message), sanitize(moreInfo)
}

// maxRetryAfter limits RetryAfter.
const maxRetryAfter = time.Hour

// retryAfter parses the header of RFC 9110, section 10.2.3: seconds, or a date by
// the clock of the response's Date header.
func retryAfter(header, date string) time.Duration {
	seconds, err := strconv.ParseUint(header, 10, 31)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(header)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(date)
	if err != nil {
		now = time.Now()
	}
	return max(0, min(at.Sub(now), maxRetryAfter))
}
