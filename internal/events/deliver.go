package events

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Limits on messages that wait for their delivery.
const (
	deliveryTime  = 10 * time.Minute // after which a message is given up
	maxWaiting    = 2048             // messages
	maxWaitBytes  = 16 << 20         // of their bodies
	ownWaiting    = 512              // messages of one subscription
	ownWaitBytes  = 4 << 20          // of their bodies
	maxRemembered = 4096             // events that are not accepted a second time
)

// A deliverer delivers messages in the order in which they arrive, one at a time for
// each subscription, and tries again what fails. A message that is tried again does
// not hold up those that arrived later.
type deliverer struct {
	callbacks *callbacks
	log       *slog.Logger
	metrics   Metrics
	ended     func(*subscription)     // called when a callback has answered 410
	pause     func(int) time.Duration // after an attempt
	now       func() time.Time

	closing atomic.Bool     // whether pauses are short
	ctx     context.Context // of all attempts
	cancel  context.CancelFunc
	workers sync.WaitGroup

	mu         sync.Mutex // guards the fields below, those of queues, and due and attempts of messages
	queues     map[[16]byte]*queue
	items      int
	bytes      int
	remembered map[string]struct{} // keys of events
	order      []string            // the same, the oldest first
}

// A queue holds the messages of one subscription, in the order of arrival.
type queue struct {
	items []*message
	bytes int
	woken chan struct{} // full if the worker has to look again
}

func newDeliverer(c *callbacks, log *slog.Logger, m Metrics) *deliverer {
	d := &deliverer{
		callbacks: c, log: log, metrics: m, pause: pause, now: time.Now,
		queues: map[[16]byte]*queue{}, remembered: map[string]struct{}{},
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
	m.done, m.due, m.deadline = make(chan struct{}), d.now(), d.now().Add(deliveryTime)
	d.mu.Lock()
	defer d.mu.Unlock()
	q := d.queues[m.sub.id]
	isNew := q == nil
	if isNew {
		q = &queue{woken: make(chan struct{}, 1)}
	}
	switch {
	case d.isKnown(q, m):
		close(m.done)
		return true
	case d.ctx.Err() != nil || d.isFull(q, m):
		return false
	}
	d.remember(m)
	q.items, q.bytes = append(q.items, m), q.bytes+len(m.body)
	d.items, d.bytes = d.items+1, d.bytes+len(m.body)
	d.metrics.waiting(1)
	if isNew {
		d.queues[m.sub.id] = q
		d.workers.Go(func() { d.work(m.sub.id, q) })
	}
	q.wake()
	return true
}

// isKnown reports whether a message needs not be accepted.
func (d *deliverer) isKnown(q *queue, m *message) bool {
	switch m.kind {
	case isEvent:
		_, ok := d.remembered[m.key()]
		return ok
	case isGap:
		return slices.ContainsFunc(q.items, func(other *message) bool { return other.kind == isGap })
	default:
		return false
	}
}

// isFull reports whether too much is waiting. There is room for twice as many
// messages that are not events, which are short.
func (d *deliverer) isFull(q *queue, m *message) bool {
	if m.kind != isEvent {
		return d.items >= 2*maxWaiting
	}
	return d.items >= maxWaiting || d.bytes+len(m.body) > maxWaitBytes ||
		len(q.items) >= ownWaiting || q.bytes+len(m.body) > ownWaitBytes
}

func (d *deliverer) remember(m *message) {
	if m.kind != isEvent {
		return
	}
	d.remembered[m.key()] = struct{}{}
	if d.order = append(d.order, m.key()); len(d.order) > maxRemembered {
		delete(d.remembered, d.order[0])
		d.order = d.order[1:]
	}
}

// wake lets the worker of a queue look at it again.
func (q *queue) wake() {
	select {
	case q.woken <- struct{}{}:
	default:
	}
}

// work delivers the messages of a queue until it is empty.
func (d *deliverer) work(id [16]byte, q *queue) {
	for {
		m, wait := d.next(id, q)
		switch {
		case m == nil:
			return
		case d.ctx.Err() != nil:
			d.drop(q, "dropped")
			continue
		case wait <= 0:
			d.attempt(m, q)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-q.woken:
		case <-d.ctx.Done():
		}
		timer.Stop()
	}
}

// next returns the message that is due first, and how long until then. If there is
// none, it removes the queue.
func (d *deliverer) next(id [16]byte, q *queue) (*message, time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(q.items) == 0 {
		delete(d.queues, id)
		return nil, 0
	}
	first := slices.MinFunc(q.items, func(a, b *message) int { return a.due.Compare(b.due) })
	return first, first.due.Sub(d.now())
}

// attempt tries to deliver a message, unless it has waited for too long.
func (d *deliverer) attempt(m *message, q *queue) {
	if !d.now().Before(m.deadline) {
		d.giveUp(q, m, "expired")
		return
	}
	status, _, err := d.callbacks.post(d.ctx, m.sub, m.id, m.body)
	switch {
	case err == nil && status/100 == 2:
		d.finish(q, m, "delivered")
		if m.last {
			d.accept(terminated(m.sub, "the conversation was removed"))
		}
	case status == http.StatusGone:
		d.drop(q, "rejected")
		d.ended(m.sub)
	case status == http.StatusRequestEntityTooLarge:
		d.giveUp(q, m, "rejected")
	default:
		d.postpone(m)
	}
}

// postpone sets when a message that failed is tried again.
func (d *deliverer) postpone(m *message) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m.attempts++
	wait := d.pause(m.attempts)
	if d.closing.Load() {
		wait = min(wait, time.Second)
	}
	if m.due = d.now().Add(wait); m.due.After(m.deadline) {
		m.due = m.deadline
	}
}

// giveUp removes a message that cannot be delivered. If it is an event, it tells the
// subscriber that something is missing.
func (d *deliverer) giveUp(q *queue, m *message, outcome string) {
	d.finish(q, m, outcome)
	if m.kind == isEvent {
		d.accept(gap(m.sub))
	}
}

// finish removes a message from its queue, and counts and logs what became of it.
func (d *deliverer) finish(q *queue, m *message, outcome string) {
	d.mu.Lock()
	i := slices.Index(q.items, m)
	if i < 0 {
		d.mu.Unlock()
		return
	}
	q.items, q.bytes = slices.Delete(q.items, i, i+1), q.bytes-len(m.body)
	d.items, d.bytes = d.items-1, d.bytes-len(m.body)
	retries := m.attempts
	d.mu.Unlock()
	close(m.done)
	d.metrics.waiting(-1)
	d.report(m, outcome, retries)
}

// report counts and logs what became of an event.
func (d *deliverer) report(m *message, outcome string, retries int) {
	if m.kind != isEvent {
		return
	}
	d.metrics.delivered(outcome)
	level := slog.LevelInfo
	if outcome != "delivered" {
		level = slog.LevelWarn
	}
	d.log.Log(context.Background(), level, "event", "event", m.sub.name(), "subscription", m.sub.ID(), "outcome", outcome, "retries", retries)
}

// drop removes all messages of a queue.
func (d *deliverer) drop(q *queue, outcome string) {
	d.mu.Lock()
	items := slices.Clone(q.items)
	d.mu.Unlock()
	for _, m := range items {
		d.finish(q, m, outcome)
	}
}

// forget removes the messages of a subscription, which has ended.
func (d *deliverer) forget(id [16]byte) {
	d.mu.Lock()
	q := d.queues[id]
	d.mu.Unlock()
	if q != nil {
		d.drop(q, "rejected")
		q.wake()
	}
}

// close tries what is waiting until all is delivered or ctx is done, and drops the
// rest.
func (d *deliverer) close(ctx context.Context) {
	d.closing.Store(true)
	d.mu.Lock()
	for _, q := range d.queues {
		for _, m := range q.items {
			m.due = d.now()
		}
		q.wake()
	}
	d.mu.Unlock()
	finished := make(chan struct{})
	go func() { d.workers.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-ctx.Done():
	}
	d.cancel()
	<-finished
	d.callbacks.transport.CloseIdleConnections()
}
