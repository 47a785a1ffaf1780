package events

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"
)

// Limits on messages that wait for their delivery. The cost of one is 1 and its
// length in blocks of 8 KiB.
const (
	deliveryTime = 10 * time.Minute // after which a message is given up
	maxRefusals  = 8                // attempts that a callback refuses with 4xx before a message is given up
	maxCost      = 2048             // of all messages
	ownCost      = 512              // of those of one subscription
	maxSeen      = 4096             // events that are not accepted a second time
)

// A deliverer delivers the messages of each subscription one after another, in the
// order in which they arrive, and tries again what fails.
type deliverer struct {
	callbacks *callbacks
	log       *slog.Logger
	metrics   Metrics
	ended     func(*subscription)     // called when a callback has answered 410
	pause     func(int) time.Duration // after an attempt
	now       func() time.Time

	ctx     context.Context // of all attempts
	cancel  context.CancelFunc
	closing chan struct{} // closed when pauses become short
	workers sync.WaitGroup

	mu     sync.Mutex // guards the fields below, and queues
	queues map[[16]byte]*queue
	cost   int
	seen   map[string]struct{} // keys of events
}

// A queue holds the messages of one subscription that wait. The first one is being
// delivered.
type queue struct {
	items []*message
	cost  int
	ended chan struct{} // closed when the subscription has ended
}

func newDeliverer(c *callbacks, log *slog.Logger, m Metrics) *deliverer {
	d := &deliverer{
		callbacks: c, log: log, metrics: m, pause: pause, now: time.Now,
		closing: make(chan struct{}), queues: map[[16]byte]*queue{}, seen: map[string]struct{}{},
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d
}

// pause is the time after an attempt: it doubles from a quarter of a second to a
// minute, with jitter.
func pause(attempts int) time.Duration {
	longest := min(250*time.Millisecond<<min(attempts-1, 8), time.Minute)
	return longest/2 + rand.N(longest/2)
}

// accept takes a message. It reports false if too many are waiting. An event that
// was accepted before, and a gap that already waits, are done at once.
func (d *deliverer) accept(m *message) bool {
	m.done, m.deadline = make(chan struct{}), d.now().Add(deliveryTime)
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.queues[m.sub.id]
	if q == nil {
		q = &queue{ended: make(chan struct{})}
	}
	_, seen := d.seen[m.key()]
	switch {
	case seen, m.kind == isGap && slices.ContainsFunc(q.items, func(other *message) bool { return other.kind == isGap }):
		close(m.done)
		return true
	case d.ctx.Err() != nil, m.kind == isEvent && (d.cost+m.cost() > maxCost || q.cost+m.cost() > ownCost), d.cost > 2*maxCost:
		return false
	case m.kind == isEvent:
		d.see(m.key())
	}
	d.add(q, m)
	return true
}

// see remembers a key. The mutex must be held.
func (d *deliverer) see(key string) {
	if len(d.seen) >= maxSeen {
		clear(d.seen)
	}
	d.seen[key] = struct{}{}
}

// remember makes knows report true for a key, until there are too many.
func (d *deliverer) remember(key string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.see(key)
}

func (d *deliverer) knows(key string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.seen[key]
	return ok
}

// add adds a message to a queue, and starts to deliver it if it is the first one.
func (d *deliverer) add(q *queue, m *message) {
	q.items, q.cost, d.cost = append(q.items, m), q.cost+m.cost(), d.cost+m.cost()
	d.metrics.Waiting(1)
	if len(q.items) == 1 {
		d.queues[m.sub.id] = q
		d.workers.Go(func() {
			for next := m; next != nil; {
				outcome := d.deliver(q, next)
				next = d.finish(q, next, outcome)
			}
		})
	}
}

// finish removes the first message of a queue, and returns the next one. It removes
// a queue that is empty.
func (d *deliverer) finish(q *queue, m *message, outcome string) (next *message) {
	d.metrics.Waiting(-1)
	d.report(m, outcome)
	if m.kind == isEvent && (outcome == "expired" || outcome == "refused") {
		d.accept(gap(m.sub))
	}
	close(m.done)
	d.mu.Lock()
	defer d.mu.Unlock()
	q.items, q.cost, d.cost = q.items[1:], q.cost-m.cost(), d.cost-m.cost()
	if len(q.items) == 0 {
		delete(d.queues, m.sub.id)
		return nil
	}
	return q.items[0]
}

// deliver tries to deliver a message until it is done, and returns the outcome.
func (d *deliverer) deliver(q *queue, m *message) string {
	for attempt := 1; d.now().Before(m.deadline); attempt++ {
		if outcome := d.over(q); outcome != "" {
			return outcome
		}
		status, _, err := d.callbacks.post(d.ctx, m.sub, m.id, m.body)
		switch {
		case err == nil && status/100 == 2:
			if m.last {
				d.accept(terminated(m.sub, "the conversation was removed"))
			}
			return "delivered"
		case status == http.StatusGone:
			d.forget(m.sub.id)
			d.ended(m.sub)
			return "ended"
		case status == http.StatusRequestEntityTooLarge, isRefusal(status) && attempt >= maxRefusals:
			return "refused"
		}
		d.wait(q, d.pause(attempt))
	}
	return "expired"
}

// isRefusal reports whether a callback that answers with a status will hardly
// accept the same message later.
func isRefusal(status int) bool {
	return status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooEarly && status != http.StatusTooManyRequests
}

// over returns why nothing of a queue is delivered any more; it is empty otherwise.
func (d *deliverer) over(q *queue) string {
	select {
	case <-q.ended:
		return "ended"
	case <-d.ctx.Done():
		return "dropped"
	default:
		return ""
	}
}

// wait waits before the next attempt.
func (d *deliverer) wait(q *queue, pause time.Duration) {
	closing := d.closing
	select {
	case <-closing:
		closing, pause = nil, min(pause, time.Second)
	default:
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-closing:
	case <-q.ended:
	case <-d.ctx.Done():
	}
}

// report counts and logs what became of an event.
func (d *deliverer) report(m *message, outcome string) {
	if m.kind != isEvent {
		return
	}
	d.metrics.Done(outcome)
	level := slog.LevelInfo
	if outcome != "delivered" {
		level = slog.LevelWarn
	}
	d.log.Log(context.Background(), level, "event", "event", m.sub.name(), "subscription", m.sub.ID(), "outcome", outcome)
}

// forget drops the messages of a subscription, which has ended.
func (d *deliverer) forget(id [16]byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if q := d.queues[id]; q != nil && d.over(q) == "" {
		close(q.ended)
	}
}

// close tries what is waiting until all is delivered or ctx is done, and drops the
// rest.
func (d *deliverer) close(ctx context.Context) {
	close(d.closing)
	defer context.AfterFunc(ctx, d.cancel)()
	d.workers.Wait()
	d.cancel()
	d.callbacks.transport.CloseIdleConnections()
}
