package twilioapi

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// maxAttempts is how often a request is sent at most.
const maxAttempts = 4

// mayRepeat reports whether a request that failed with err may be sent again:
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
func mayRepeat(method string, err error) bool {
	idempotent := method != http.MethodPost
	if answered, ok := errors.AsType[*Error](err); ok {
		switch answered.Status {
		case http.StatusTooManyRequests:
			return true
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return idempotent
		default:
			success := answered.Status >= 200 && answered.Status <= 299
			return idempotent && (answered.Err != nil || success && method == http.MethodDelete)
		}
	}
	unanswered, ok := errors.AsType[*NoAnswerError](err)
	return ok && (idempotent || !unanswered.Sent)
}

// backoff returns the pause after an attempt: full jitter, with a limit that
// doubles from half a second to eight seconds.
func backoff(attempt int) time.Duration {
	return rand.N(min(500*time.Millisecond<<(attempt-1), 8*time.Second))
}

// retry calls send until there is a response, an error that must not be repeated,
// or no time for another attempt. It returns the last error.
func (c *Client) retry(ctx context.Context, method string, send func() (*response, error)) (*response, error) {
	if err := ctx.Err(); err != nil {
		return nil, &UnsentError{err}
	}
	for attempt := 1; ; attempt++ {
		res, err := send()
		if err == nil {
			res.attempts = attempt
			return res, nil
		}
		setAttempts(err, attempt)
		wait := max(backoff(attempt), retryAfterOf(err))
		if attempt == maxAttempts || !mayRepeat(method, err) || !fits(ctx, wait) || c.sleep(ctx, wait) != nil || ctx.Err() != nil {
			return nil, err
		}
		if c.onRetry != nil {
			c.onRetry(retryReason(err))
		}
	}
}

func setAttempts(err error, attempts int) {
	if answered, ok := errors.AsType[*Error](err); ok {
		answered.Attempts = attempts
	}
	if unanswered, ok := errors.AsType[*NoAnswerError](err); ok {
		unanswered.Attempts = attempts
	}
}

func retryAfterOf(err error) time.Duration {
	if answered, ok := errors.AsType[*Error](err); ok {
		return answered.RetryAfter
	}
	return 0
}

// retryReason returns a reason for [Config.OnRetry].
func retryReason(err error) string {
	if answered, ok := errors.AsType[*Error](err); ok {
		if answered.Status < 300 {
			return "unusable_response"
		}
		return strconv.Itoa(answered.Status)
	}
	if unanswered, ok := errors.AsType[*NoAnswerError](err); ok && unanswered.Sent {
		return "no_response"
	}
	return "not_sent"
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
