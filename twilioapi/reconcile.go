package twilioapi

// A create whose response was lost may have been carried out, and Twilio has no
// idempotency key to ask again. It is reconciled by listing the conversation's
// webhooks: the webhook that it created is the only one that
//
//   - has the values that the create sent (see NewWebhook.compare),
//   - is not older than the create,
//   - was not returned to another create of this process (with a [Store], of any copy), and
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
	"net/http"
	"slices"
	"time"
)

const (
	reconcileTimeout = 10 * time.Second // for all of it
	pollPause        = 2 * time.Second  // the shortest pause before the second list
)

// reconcile returns the webhook that a create, which failed with failure, created.
func (c *Client) reconcile(ctx context.Context, p *pendingCreate, scope requestScope, w NewWebhook, failure *Error) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, reconcileTimeout)
	defer cancel()
	found, readBack := c.poll(ctx, p, scope, w, failure)
	if c.onReconciled != nil {
		c.onReconciled(outcome(readBack))
	}
	if found == nil {
		failure.ReadBack = readBack
		return nil, failure
	}
	return slices.Clone(found.raw), nil
}

func outcome(readBack *ReadBack) string {
	switch {
	case readBack == nil:
		return "found"
	case readBack.NotApplied:
		return "not_found"
	default:
		return "unknown"
	}
}

// poll lists the webhooks, twice if the created one is not among them.
func (c *Client) poll(ctx context.Context, p *pendingCreate, scope requestScope, w NewWebhook, failure *Error) (*webhook, *ReadBack) {
	began, start, trusted := failure.meta.sent, newInterval(failure), true
	for poll := 1; ; poll++ {
		listed, last, err := c.listAll(ctx, scope)
		if err != nil {
			return nil, &ReadBack{Err: err}
		}
		start.narrow(began, last.responseMeta)
		if trusted = trusted && sameClock(last.date, listed); !trusted {
			start = unboundedInterval
		}
		found, candidates := c.creates.claimCreated(ctx, p, w, listed, start)
		if found != nil {
			return found, nil
		}
		if poll == 2 || candidates > 1 || c.sleep(ctx, untilNextPoll(time.Since(began))) != nil {
			return nil, &ReadBack{NotApplied: candidates == 0, Found: candidates}
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

// An interval contains the time, by Twilio's clock, at which a write began: not
// before low, and before high. Twilio's clock is known only from the Date header of
// each response, in whole seconds, and may differ from ours by minutes; each
// response narrows the interval.
type interval struct{ low, high time.Time }

var unboundedInterval = interval{high: time.Unix(1<<40, 0)}

// newInterval returns what is known after a write failed with failure.
func newInterval(failure *Error) interval {
	i := unboundedInterval
	i.narrow(failure.meta.sent, failure.meta)
	return i
}

// narrow uses the date of a response, when the write began at a time of our clock.
func (i *interval) narrow(began time.Time, meta responseMeta) {
	date, err := http.ParseTime(meta.date)
	if err != nil {
		return
	}
	if low := date.Add(-meta.received.Sub(began)); low.After(i.low) {
		i.low = low
	}
	if high := date.Add(time.Second - meta.sent.Sub(began)); high.Before(i.high) {
		i.high = high
	}
}

// isAfter reports whether the write began after the second that a webhook's date
// names.
func (i interval) isAfter(date time.Time) bool { return date.Before(i.low.Truncate(time.Second)) }

// isBefore reports whether the write began before the end of the second that a
// webhook's date names.
func (i interval) isBefore(date time.Time) bool {
	return !date.Before(i.high.Add(-1).Truncate(time.Second))
}
