package twilioapi

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// An Outcome says what a call that failed did at Twilio.
type Outcome string

const (
	NotSent Outcome = "not_sent" // nothing: no request was sent
	Refused Outcome = "refused"  // nothing: the response says so
	Failed  Outcome = "failed"   // nothing: a read has no usable response
	Unknown Outcome = "unknown"  // a write may have been carried out, now or later
)

// An Error says why a call failed, and what it did at Twilio. If there was a
// response, it has the status, whatever the body was. A status of 2xx means that the
// response cannot be used.
type Error struct {
	Outcome    Outcome
	Status     int           // HTTP status; 0 if there was no response
	Code       int           // Twilio's code, https://www.twilio.com/docs/api/errors; 0 if it gave none
	Message    string        // Twilio's message or what failed, on one line; may be empty
	MoreInfo   string        // Twilio's page about the code; empty if it gave none
	Body       string        // the first words of a response that is not in Twilio's form, on one line
	RequestID  string        // Twilio's ID of the request (RQ...); empty if it gave none
	RetryAfter time.Duration // how long Twilio asks to wait; 0 if it does not
	Attempts   int           // how often the request was sent, or a connection was tried
	Err        error         // what kept the request or the response from arriving whole; nil if nothing did
	Permanent  bool          // the same call certainly fails again
	ReadBack   *ReadBack     // of a create or update of unknown outcome; nil otherwise
	Sent       string        // a sentence about the credentials, without secrets, if the status is 401; else empty

	meta responseMeta
}

// A ReadBack says what reading the webhooks told about a create or an update whose
// response was lost. It does not show what was asked for.
type ReadBack struct {
	Err        error    // why nothing could be read; nil if it was
	NotApplied bool     // the write is not applied so far; Twilio may still apply it
	Found      int      // after a create: how many webhooks may be the created one
	Differs    []string // after an update: the parameters whose values differ
	Unreadable []string // after an update: the parameters whose values cannot be read
}

// Error says what happened, with Twilio's message and code.
func (e *Error) Error() string {
	var text string
	switch {
	case e.Outcome == NotSent:
		text = e.Message
	case e.Status == 0:
		text = "no answer from Twilio: " + e.Message
	default:
		text = e.response()
	}
	if e.ReadBack != nil {
		text += "; " + e.ReadBack.String()
	}
	return text
}

// Errors of the way to Twilio, which [errors.Is] finds in an [Error].
var (
	ErrCertificate = errors.New("the certificate is not trusted")
	ErrProxy       = errors.New("the proxy did not connect to Twilio")
)

func (e *Error) response() string {
	text := fmt.Sprintf("Twilio answered %d", e.Status)
	if e.Code != 0 {
		text += fmt.Sprintf(", code %d", e.Code)
	}
	if e.Message != "" {
		text += ": " + e.Message
	}
	return text
}

// outcomeOf returns the outcome of an error of a call, or "" for nil.
func outcomeOf(err error) Outcome {
	if failure, ok := errors.AsType[*Error](err); ok {
		return failure.Outcome
	}
	return ""
}

// orNil returns e as an error, which is nil if e is.
func (e *Error) orNil() error {
	if e == nil {
		return nil
	}
	return e
}

// Unwrap returns the error of the network or of the context.
func (e *Error) Unwrap() error { return e.Err }

// String says what reading told, as the end of a sentence.
func (r *ReadBack) String() string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("and reading it back failed: %v", r.Err)
	case r.NotApplied:
		return "it was not applied so far"
	case r.Found > 0:
		return fmt.Sprintf("webhooks that may be the created one: %d", r.Found)
	case len(r.Differs) > 0:
		return "the webhook differs in " + strings.Join(r.Differs, ", ")
	default:
		return "the webhook cannot be read: " + strings.Join(r.Unreadable, ", ")
	}
}

// notSent returns the error of a call that sends nothing because of err.
func notSent(err error) *Error {
	return &Error{Outcome: NotSent, Message: err.Error(), Err: err}
}

// isRefusal reports whether a response of this status says that nothing was done.
func isRefusal(status int) bool {
	return status >= 300 && status < 500 && status != http.StatusRequestTimeout
}

// failed returns the outcome of a request that may have been carried out.
func failed(method string) Outcome {
	if method == http.MethodGet {
		return Failed
	}
	return Unknown
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
