package twilioapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
	Attempts   int           // how often the request was sent
	Err        error         // what cut the answer off; nil if nothing did

	exchange exchange
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

// Refused tells whether Twilio said that it did nothing. After any other status
// it may have done what was asked.
func (e *Error) Refused() bool {
	return e.Status >= 300 && e.Status < 500 && e.Status != http.StatusRequestTimeout
}

// Unwrap returns what cut the answer off.
func (e *Error) Unwrap() error { return e.Err }

// A NoAnswerError is a request to which Twilio gave no answer at all.
type NoAnswerError struct {
	Sent     bool   // whether any of the request may have reached Twilio
	Reason   string // what failed, on one line
	Attempts int    // how often the request was sent
	Err      error  // the failure of the network, or the context's

	sent time.Time
}

func (e *NoAnswerError) Error() string { return "no answer from Twilio: " + e.Reason }

// Unwrap returns the failure underneath.
func (e *NoAnswerError) Unwrap() error { return e.Err }

// An UnsentError is a request that could not be made, such as one without
// credentials. Nothing was sent; Err says what to change.
type UnsentError struct{ Err error }

func (e *UnsentError) Error() string { return e.Err.Error() }

// Unwrap returns the reason.
func (e *UnsentError) Unwrap() error { return e.Err }

// read takes over Twilio's error body: code, message, more_info. A field that
// is missing or of another type is left empty, as all are when it is no JSON.
func (e *Error) read(body []byte, req *http.Request) {
	var fields map[string]any
	_ = json.Unmarshal(body, &fields)
	code, _ := fields["code"].(float64)
	if code != math.Trunc(code) || math.Abs(code) > math.MaxInt32 {
		code = 0
	}
	message, _ := fields["message"].(string)
	moreInfo, _ := fields["more_info"].(string)
	e.Code, e.Message, e.MoreInfo = int(code), shown(message, req), shown(moreInfo, req)
}

// maxRetryAfter is the longest wait that is told; more makes no difference.
const maxRetryAfter = time.Hour

// retryAfter reads the header of RFC 9110, section 10.2.3: seconds, or a date,
// by the clock that wrote the answer's own date.
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

// shown makes words from outside fit to be shown: without the secrets of the
// request, without control characters, and not without end.
func shown(s string, req *http.Request) string {
	if s == "" {
		return ""
	}
	const most = 500
	_, header, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	for _, secret := range []string{header, password} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
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
