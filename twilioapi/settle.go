package twilioapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	settleTime  = 10 * time.Second // for settling in all
	settlePause = 2 * time.Second  // before a second look, at least
	memorySize  = 50_000           // webhooks known to be somebody's: the last so many
)

// An OutcomeUnknownError is a create of which nobody knows whether it was carried
// out: it failed by Err, and the list did not tell.
type OutcomeUnknownError struct {
	Err   error // the create's failure, an [Error] or a [NoAnswerError]
	Found int   // how many webhooks match what was asked and may be new
	List  error // the list's failure, if it failed too
}

func (e *OutcomeUnknownError) Error() string {
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
func (e *OutcomeUnknownError) Unwrap() error { return e.Err }

// settle looks for the webhook that a create of unknown outcome may have made:
// one that matches what was asked, is no older than the create, and that nobody
// else in this process was given.
func (c *Client) settle(ctx context.Context, to call, w NewWebhook, failure error) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	began, start := time.Now(), newSpan()
	if answered, ok := errors.AsType[*Error](failure); ok {
		began = answered.exchange.sent
		start.narrow(began, answered.exchange)
	} else if silent, ok := errors.AsType[*NoAnswerError](failure); ok {
		began = silent.sent
	}
	for look := 1; ; look++ {
		page, seen, err := c.look(ctx, to)
		if err != nil {
			return nil, &OutcomeUnknownError{Err: failure, List: err}
		}
		start.narrow(began, seen)
		found, candidates := c.known.claim(to, page, w, start)
		switch {
		case found != nil:
			return found, nil
		case look == 2 || candidates > 1 || c.sleep(ctx, untilSecondLook(time.Since(began))) != nil:
			return nil, &OutcomeUnknownError{Err: failure, Found: candidates}
		}
	}
}

// look lists the webhooks of a conversation, which fit on one page.
func (c *Client) look(ctx context.Context, to call) ([]json.RawMessage, exchange, error) {
	res, err := c.list(ctx, to, Page{})
	if err != nil {
		return nil, exchange{}, err
	}
	var page struct {
		Webhooks []json.RawMessage `json:"webhooks"`
		Meta     struct {
			Next *string `json:"next_page_url"`
		} `json:"meta"`
	}
	if err := json.Unmarshal(res.body, &page); err != nil || page.Webhooks == nil || page.Meta.Next != nil {
		return nil, exchange{}, &Error{Status: res.status, Message: "the answer is not the whole list", RequestID: res.requestID, Attempts: res.attempts}
	}
	return page.Webhooks, res.exchange, nil
}

// untilSecondLook is the pause until the second look, a whole number of seconds
// after the create was sent. Its date then tells in which second of Twilio's
// clock that was, however the two clocks differ.
func untilSecondLook(elapsed time.Duration) time.Duration {
	look := elapsed + settlePause
	if part := look % time.Second; part > 0 {
		look += time.Second - part
	}
	return look - elapsed
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
	sending  map[*create]bool // not answered yet
	returned map[string]bool  // webhooks, by SID
	order    []string         // the same, the oldest first
}

// A create is a webhook that was asked for, and where.
type create struct {
	to      call
	webhook NewWebhook
}

func newMemory() *memory {
	return &memory{sending: map[*create]bool{}, returned: map[string]bool{}}
}

// begin counts a create in, until it is answered.
func (m *memory) begin(to call, w NewWebhook) (answered func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &create{to, w}
	m.sending[c] = true
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.sending, c)
	}
}

// mayShareConversation tells whether two calls may be about one conversation. It
// has a SID and a unique name, and several API keys may open it.
func (c call) mayShareConversation(other call) bool {
	isSID := conversationSID.MatchString
	if c.conversation != other.conversation && isSID(c.conversation) == isSID(other.conversation) {
		return false
	}
	a, b := c.credentials.Username, other.credentials.Username
	return a == b || !strings.HasPrefix(a, "AC") || !strings.HasPrefix(b, "AC")
}

var conversationSID = regexp.MustCompile(`^CH[0-9a-fA-F]{32}$`)

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
	if candidates != 1 || !sure {
		return nil, candidates
	}
	for c := range m.sending {
		if c.webhook.asksFor(w) && c.to.mayShareConversation(to) {
			return nil, 1
		}
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

// answers tells whether a webhook is what was asked for. Twilio writes methods in
// upper case, and lists in any order.
func (l listed) answers(w NewWebhook) bool {
	c := l.Configuration
	switch {
	case l.Target != w.Target:
		return false
	case w.Target == "studio":
		return c.FlowSID == text(w.FlowSID) && (len(w.Filters) == 0 || sameSet(c.Filters, w.Filters))
	case w.Target == "webhook" && !sameSet(c.Filters, w.Filters), w.Target == "trigger" && !sameSet(c.Triggers, w.Triggers):
		return false
	}
	return c.URL == text(w.URL) && strings.EqualFold(c.Method, cmp.Or(text(w.Method), "post"))
}

// asksFor tells whether two creates may make the same.
func (w NewWebhook) asksFor(other NewWebhook) bool {
	return w.Target == other.Target && text(w.URL) == text(other.URL) && text(w.FlowSID) == text(other.FlowSID)
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func sameSet(a, b []string) bool {
	set := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(set(a), set(b))
}
