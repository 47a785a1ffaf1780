package twilioapi

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// maxAttempts is how often a request is sent at most.
const maxAttempts = 4

// mayRepeat reports whether a request of a method that failed with e may be sent again:
//
//	                                        GET   DELETE   POST
//	429: Twilio did nothing                 yes   yes      yes
//	never sent: refused, DNS, TLS           yes   yes      yes
//	502, 503, 504                           yes   yes      no
//	connection reset, body cut off          yes   yes      no
//	2xx that cannot be the response         no    yes      no
//	anything else                           no    no       no
//
// A POST that fails otherwise than in the first two rows may have been carried
// out; see [Client.CreateWebhook] and [Client.UpdateWebhook].
func (e *Error) mayRepeat(method string) bool {
	idempotent := method != http.MethodPost
	switch {
	case e.Permanent:
		return false
	case e.Outcome == NotSent, e.Status == http.StatusTooManyRequests:
		return true
	case e.Status == 0, e.Err != nil,
		e.Status == http.StatusBadGateway, e.Status == http.StatusServiceUnavailable, e.Status == http.StatusGatewayTimeout:
		return idempotent
	default:
		return method == http.MethodDelete && e.Status >= 200 && e.Status <= 299
	}
}

// backoff returns the pause after an attempt: full jitter, with a limit that
// doubles from half a second to eight seconds.
func backoff(attempt int) time.Duration {
	return rand.N(min(500*time.Millisecond<<(attempt-1), 8*time.Second))
}

// retry calls send until there is a response, an error that must not be repeated,
// or no time for another attempt. It returns the last error.
func (c *Client) retry(ctx context.Context, method string, send func() (*response, *Error)) (*response, *Error) {
	if err := ctx.Err(); err != nil {
		return nil, notSent(err)
	}
	for attempt := 1; ; attempt++ {
		res, failure := send()
		if failure == nil {
			res.attempts = attempt
			return res, nil
		}
		if failure.meta.sent.IsZero() {
			return nil, failure // before the request was sent
		}
		failure.Attempts = attempt
		wait := max(backoff(attempt), failure.RetryAfter)
		if attempt == maxAttempts || !failure.mayRepeat(method) || !fits(ctx, wait) || c.sleep(ctx, wait) != nil || ctx.Err() != nil {
			return nil, failure
		}
		if c.onRetry != nil {
			c.onRetry(failure.retryReason())
		}
	}
}

// retryReason returns a reason for [Config.OnRetry].
func (e *Error) retryReason() string {
	switch {
	case e.Outcome == NotSent:
		return "not_sent"
	case e.Status == 0:
		return "no_response"
	case e.Status < 300:
		return "unusable_response"
	default:
		return strconv.Itoa(e.Status)
	}
}

// fits reports whether ctx lasts longer than a wait.
func fits(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || wait < time.Until(deadline)
}

// sleep waits, or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
