package twilioapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	settleTime  = 10 * time.Second // for settling in all
	settlePause = 2 * time.Second  // before a second look
	memorySize  = 50_000           // webhooks known to be somebody's: the last so many
)

// An UnsettledError is a create of which nobody knows whether it was carried
// out: it failed by Err, and the list did not tell.
type UnsettledError struct {
	Err   error // the create's failure, an [Error] or a [NoAnswerError]
	Found int   // how many webhooks match what was asked and may be new
	List  error // the list's failure, if it failed too
}

func (e *UnsettledError) Error() string {
	switch {
	case e.List != nil:
		return fmt.Sprintf("%v; and looking for the webhook failed: %v", e.Err, e.List)
	case e.Found == 0:
		return fmt.Sprintf("%v; the webhook was not found so far", e.Err)
	default:
		return fmt.Sprintf("%v; webhooks that match and may be new: %d", e.Err, e.Found)
	}
}

// Unwrap returns the create's failure.
func (e *UnsettledError) Unwrap() error { return e.Err }

// settle looks for the webhook that a create of unknown outcome may have made:
// one that matches what was asked, is no older than the create, and that nobody
// else in this process was given. began is when the create was first sent.
func (c *Client) settle(ctx context.Context, to call, w NewWebhook, began time.Time, failure error) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	start := newSpan()
	if answered, ok := errors.AsType[*Error](failure); ok {
		start.narrow(began, answered.exchange)
	}
	for look := 1; ; look++ {
		res, err := c.list(ctx, to, Page{})
		var page struct {
			Webhooks []json.RawMessage `json:"webhooks"`
		}
		if err == nil {
			err = json.Unmarshal(res.body, &page)
		}
		if err != nil {
			return nil, &UnsettledError{Err: failure, List: err}
		}
		start.narrow(began, res.exchange)
		found, candidates := c.known.claim(to, page.Webhooks, w, start)
		switch {
		case found != nil:
			return found, nil
		case look == 2 || candidates > 1 || c.sleep(ctx, settlePause) != nil:
			return nil, &UnsettledError{Err: failure, Found: candidates}
		}
	}
}

// A span is when, by Twilio's clock, a create began: not before low, and before
// high. The clocks may be minutes apart, and Twilio tells its own in whole
// seconds only, in the Date of each answer; each narrows the span.
type span struct{ low, high time.Time }

func newSpan() span { return span{high: time.Unix(1<<40, 0)} }

func (s *span) narrow(began time.Time, e exchange) {
	date, err := http.ParseTime(e.date)
	if err != nil {
		return
	}
	if low := date.Add(-e.received.Sub(began)); low.After(s.low) {
		s.low = low
	}
	if high := date.Add(time.Second - e.sent.Sub(began)); high.Before(s.high) {
		s.high = high
	}
}

// excludes tells that a webhook of that date was there before.
func (s span) excludes(created time.Time) bool { return created.Before(s.low.Truncate(time.Second)) }

// includes tells that a webhook of that date was made since, but for twins
// within the same second.
func (s span) includes(created time.Time) bool {
	return !created.Before(s.high.Add(-1).Truncate(time.Second))
}

// A memory knows what creates are under way, and which webhooks they were
// given.
type memory struct {
	mu       sync.Mutex
	sending  map[call]int    // creates not answered yet
	returned map[string]bool // webhooks, by SID
	order    []string        // the same, the oldest first
}

func newMemory() *memory { return &memory{sending: map[call]int{}, returned: map[string]bool{}} }

// begin counts a create in, until it is answered.
func (m *memory) begin(to call) (answered func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sending[to]++
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.sending[to]--; m.sending[to] == 0 {
			delete(m.sending, to)
		}
	}
}

// remember keeps a webhook from being taken for another's.
func (m *memory) remember(webhook json.RawMessage) {
	var l listed
	_ = json.Unmarshal(webhook, &l) // without a SID it cannot be mistaken
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(l.SID)
}

func (m *memory) add(sid string) {
	m.returned[sid] = true
	if m.order = append(m.order, sid); len(m.order) > memorySize {
		delete(m.returned, m.order[0])
		m.order = m.order[1:]
	}
}

// claim returns the one webhook that a create made, for nobody else to claim.
// Otherwise it returns how many it may be.
func (m *memory) claim(to call, webhooks []json.RawMessage, w NewWebhook, start span) (found json.RawMessage, candidates int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var sure bool
	var sid string
	for _, webhook := range webhooks {
		var l listed
		if json.Unmarshal(webhook, &l) != nil || !l.answers(w) || start.excludes(l.DateCreated) {
			continue
		}
		if m.returned[l.SID] {
			continue
		}
		candidates++
		found, sid, sure = webhook, l.SID, start.includes(l.DateCreated)
	}
	if candidates != 1 || !sure || m.sending[to] > 0 {
		return nil, candidates
	}
	m.add(sid)
	return found, 1
}

// A listed webhook is what settling reads of one.
type listed struct {
	SID           string    `json:"sid"`
	Target        string    `json:"target"`
	DateCreated   time.Time `json:"date_created"`
	Configuration struct {
		URL      string   `json:"url"`
		Method   string   `json:"method"`
		Filters  []string `json:"filters"`
		Triggers []string `json:"triggers"`
		FlowSID  string   `json:"flow_sid"`
	} `json:"configuration"`
}

// answers tells whether a webhook is what was asked for, by what its target
// uses. Twilio writes methods in upper case, and lists in any order.
func (l listed) answers(w NewWebhook) bool {
	given := func(s *string, otherwise string) string {
		if s == nil {
			return otherwise
		}
		return *s
	}
	if l.Target != w.Target {
		return false
	}
	if w.Target == "studio" {
		return l.Configuration.FlowSID == given(w.FlowSID, "")
	}
	return l.Configuration.URL == given(w.URL, "") &&
		strings.EqualFold(l.Configuration.Method, given(w.Method, "post")) &&
		(w.Target != "webhook" || sameSet(l.Configuration.Filters, w.Filters)) &&
		(w.Target != "trigger" || sameSet(l.Configuration.Triggers, w.Triggers))
}

func sameSet(a, b []string) bool {
	set := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(set(a), set(b))
}
