package twilioapi

import (
	"errors"
	"net/http"
	"time"
)

// An interval contains the time, by Twilio's clock, at which a write began: not
// before low, and before high. Twilio's clock is known only from the Date header of
// each response, in whole seconds, and may differ from ours by minutes; each
// response narrows the interval.
type interval struct{ low, high time.Time }

var unboundedInterval = interval{high: time.Unix(1<<40, 0)}

// newInterval returns what is known after a write failed with failure.
func newInterval(failure error) interval {
	i := unboundedInterval
	if answered, ok := errors.AsType[*Error](failure); ok {
		i.narrow(answered.meta.sent, answered.meta)
	}
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
