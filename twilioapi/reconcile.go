package twilioapi

// A create whose response was lost may have been carried out, and Twilio has no
// idempotency key to ask again. It is reconciled by listing the conversation's
// webhooks: the webhook that it created is the only one that
//
//   - has the values that the create sent (see NewWebhook.compare),
//   - is not older than the create,
//   - was not returned to another create of this process, and
//   - cannot be that of another create of this process whose outcome is open, or
//     stayed unknown within the last minute (see createLog).
//
// Only Twilio's clock is used to tell which webhook is older: date_created, and the
// Date header of the responses (see interval). A webhook whose date or content
// cannot be read may be the one. If a webhook is younger than the response that
// lists it, Date and date_created are of different clocks, and age proves nothing.
//
// If nothing is found, Twilio may still be at work: the list is read once more, two
// to three seconds later. The pause ends a whole number of seconds after the create
// was sent, so that the Date of the second list tells in which second of Twilio's
// clock the create began.
//
// What remains: an equal webhook that another process, or a person, created in the
// second of the create or later is taken for this one if the create itself was not
// applied; and if date_created is of a clock behind that of Date, a webhook that was
// created is not found. A create that Twilio applies after the second list is not
// found either, which is why the error says "so far".

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

const (
	reconcileTimeout = 10 * time.Second // for all of it
	pollPause        = 2 * time.Second  // the shortest pause before the second list
)

// An OutcomeUnknownError is a create of which it is not known whether it was
// carried out: it failed with Err, and listing did not tell.
type OutcomeUnknownError struct {
	Err   error // the create's error, an [Error] or a [NoAnswerError]
	Found int   // how many webhooks may be the created one
	List  error // why the list could not be read; nil if it was
}

func (e *OutcomeUnknownError) Error() string {
	switch {
	case e.List != nil:
		return fmt.Sprintf("%v; and listing the webhooks failed: %v", e.Err, e.List)
	case e.Found == 0:
		return fmt.Sprintf("%v; the webhook was not found so far", e.Err)
	default:
		return fmt.Sprintf("%v; webhooks that may be the created one: %d", e.Err, e.Found)
	}
}

// Unwrap returns the create's error.
func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// reconcile returns the webhook that a create, which failed with failure, created.
func (c *Client) reconcile(ctx context.Context, p *pendingCreate, scope requestScope, w NewWebhook, failure error) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, reconcileTimeout)
	defer cancel()
	found, err := c.poll(ctx, p, scope, w, failure)
	if c.onReconciled != nil {
		c.onReconciled(outcome(err))
	}
	if err != nil {
		return nil, err
	}
	return slices.Clone(found.raw), nil
}

func outcome(err *OutcomeUnknownError) string {
	switch {
	case err == nil:
		return "found"
	case err.List == nil && err.Found == 0:
		return "not_found"
	default:
		return "unknown"
	}
}

// poll lists the webhooks, twice if the created one is not among them.
func (c *Client) poll(ctx context.Context, p *pendingCreate, scope requestScope, w NewWebhook, failure error) (*webhook, *OutcomeUnknownError) {
	began, start, trusted := sentAt(failure), newInterval(failure), true
	for poll := 1; ; poll++ {
		listed, last, err := c.listAll(ctx, scope)
		if err != nil {
			return nil, &OutcomeUnknownError{Err: failure, List: err}
		}
		start.narrow(began, last.responseMeta)
		if trusted = trusted && sameClock(last.date, listed); !trusted {
			start = unboundedInterval
		}
		found, candidates := c.creates.claimCreated(p, w, listed, start)
		if found != nil {
			return found, nil
		}
		if poll == 2 || candidates > 1 || c.sleep(ctx, untilNextPoll(time.Since(began))) != nil {
			return nil, &OutcomeUnknownError{Err: failure, Found: candidates}
		}
	}
}

// sameClock reports whether no webhook is younger than the response that lists it.
func sameClock(date string, listed []webhook) bool {
	now, err := http.ParseTime(date)
	if err != nil {
		return true
	}
	return !slices.ContainsFunc(listed, func(w webhook) bool {
		created, dated := parseDate(w.dateCreated)
		return dated && created.After(now.Add(time.Second))
	})
}

// untilNextPoll returns a pause of at least pollPause that ends a whole number of
// seconds after the write began, when that was elapsed ago.
func untilNextPoll(elapsed time.Duration) time.Duration {
	next := elapsed + pollPause
	if part := next % time.Second; part > 0 {
		next += time.Second - part
	}
	return next - elapsed
}
