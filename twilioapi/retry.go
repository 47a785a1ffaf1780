package twilioapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// maxAttempts is how often one request is sent at most.
const maxAttempts = 4

// mayRepeat tells whether a request that failed so may be sent again:
//
//	                                  read   write
//	429: Twilio did nothing           yes    yes
//	never sent: refused, DNS, TLS     yes    yes
//	502, 503, 504                     yes    no
//	reset, answer cut off             yes    no
//	anything else, time ran out       no     no
//
// After the failures in the last column but one a write may have been carried
// out; only looking tells, see [Client.CreateWebhook].
func mayRepeat(method string, err error) bool {
	read := method == http.MethodGet
	if answered, ok := errors.AsType[*Error](err); ok {
		switch answered.Status {
		case http.StatusTooManyRequests:
			return true
		case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return read
		default:
			return read && answered.Err != nil
		}
	}
	silent, ok := errors.AsType[*NoAnswerError](err)
	return ok && (read || !silent.Sent)
}

// mayHaveHappened tells whether a write that failed so may have been carried
// out all the same.
func mayHaveHappened(err error) bool {
	if answered, ok := errors.AsType[*Error](err); ok {
		return !answered.Refused()
	}
	silent, ok := errors.AsType[*NoAnswerError](err)
	return ok && silent.Sent
}

// newBackoff grows exponentially with full jitter: each wait is between nothing
// and twice the interval.
func newBackoff() *backoff.ExponentialBackOff {
	return &backoff.ExponentialBackOff{
		InitialInterval:     250 * time.Millisecond,
		RandomizationFactor: 1,
		Multiplier:          2,
		MaxInterval:         4 * time.Second,
	}
}

// retry sends until there is an answer, a failure that must not be repeated, or
// no time for another wait; then the last failure is returned, with its status.
func (c *Client) retry(ctx context.Context, method string, send func() (*response, error)) (*response, error) {
	if err := ctx.Err(); err != nil {
		return nil, &UnsentError{err}
	}
	waits := newBackoff()
	for attempt := 1; ; attempt++ {
		res, err := send()
		if err == nil {
			res.attempts = attempt
			return res, nil
		}
		wait := waits.NextBackOff()
		if answered, ok := errors.AsType[*Error](err); ok {
			answered.Attempts = attempt
			wait = max(wait, answered.RetryAfter)
		}
		if silent, ok := errors.AsType[*NoAnswerError](err); ok {
			silent.Attempts = attempt
		}
		if attempt == maxAttempts || !mayRepeat(method, err) || !fits(ctx, wait) || c.sleep(ctx, wait) != nil || ctx.Err() != nil {
			return nil, err
		}
	}
}

// fits tells whether a wait leaves time for anything after it.
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
