package twilioapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// An Error is an answer of Twilio's other than the one that was asked for. It
// always carries the status, whatever the body was like. A status of 2xx means
// that Twilio did what was asked, but that its answer could not be read.
type Error struct {
	Status     int           // HTTP status
	Code       int           // Twilio's code, https://www.twilio.com/docs/api/errors; 0 if it gave none
	Message    string        // Twilio's words, on one line; empty if it gave none
	MoreInfo   string        // Twilio's page about the code; empty if it gave none
	RequestID  string        // Twilio's id of the request (RQ...); empty if it gave none
	RetryAfter time.Duration // how long Twilio asks to wait; 0 if it does not
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

// A NoAnswerError is a request to which Twilio gave no answer at all.
type NoAnswerError struct {
	Sent bool  // whether any of the request may have reached Twilio
	Err  error // the failure of the network, or the context's
}

func (e *NoAnswerError) Error() string { return "no answer from Twilio: " + e.Err.Error() }

// Unwrap returns the failure underneath.
func (e *NoAnswerError) Unwrap() error { return e.Err }

// An UnsentError is a request that could not be made, such as one without
// credentials. Nothing was sent; Err says what to change.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *UnsentError) Unwrap() error { return e.Err }

// refusal reads Twilio's error body: code, message, more_info. A field that is
// missing or of another type is left empty, as all are when it is no JSON.
func refusal(res *http.Response, body []byte) *Error {
	var fields map[string]any
	_ = json.Unmarshal(body, &fields)
	code, _ := fields["code"].(float64)
	message, _ := fields["message"].(string)
	moreInfo, _ := fields["more_info"].(string)
	e := answered(res, message)
	e.Code, e.MoreInfo = int(code), oneLine(moreInfo)
	return e
}

// answered keeps what an answer says outside its body.
func answered(res *http.Response, message string) *Error {
	return &Error{
		Status:     res.StatusCode,
		Message:    oneLine(message),
		RequestID:  oneLine(res.Header.Get("Twilio-Request-Id")),
		RetryAfter: retryAfter(res.Header.Get("Retry-After")),
	}
}

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds, or a date.
func retryAfter(header string) time.Duration {
	if seconds, err := strconv.ParseUint(header, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// oneLine makes words from outside fit to be shown: no control characters, and
// not without end.
func oneLine(s string) string {
	const most = 500
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, s)
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "…"
	}
	return strings.TrimSpace(s)
}
