package events

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outcomes counts what becomes of events.
type outcomes struct {
	mu      sync.Mutex
	counts  map[string]int
	waiting atomic.Int32
}

func (o *outcomes) observe(options *Options) {
	o.counts = map[string]int{}
	options.Metrics = Metrics{
		Done:    func(outcome string) { o.mu.Lock(); defer o.mu.Unlock(); o.counts[outcome]++ },
		Waiting: func(delta int) { o.waiting.Add(int32(delta)) },
	}
}

func (o *outcomes) of(outcome string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.counts[outcome]
}

// to returns a subscription of the callback of a site.
func (s *site) to(path string) *subscription {
	return example(func(sub *subscription) {
		sub.callback, sub.secret = s.receiver.URL+path, "0123456789abcdef0123456789abcdef"
		sub.id = newID(principal, sub.callback, messageAdded, room)
	})
}

// awaitIdle waits until no message is left and no queue.
func (s *site) awaitIdle() {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		d := s.server.deliverer
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.cost == 0 && len(d.queues) == 0
	}, 20*time.Second, time.Millisecond)
}

func event(sub *subscription, id string) *message {
	body, _ := json.Marshal(map[string]any{"eventId": id, "name": sub.name(), "data": map[string]any{"Body": "hunter2"}})
	return &message{sub: sub, id: id, body: body}
}

func TestEventsAreDeliveredInTheirOrder(t *testing.T) {
	t.Parallel()
	var o outcomes
	s := newSite(t, o.observe)
	sub := s.to("/hook")
	for i := range 50 {
		require.True(t, s.server.deliverer.accept(event(sub, fmt.Sprintf("e%02d", i))))
	}
	for i, g := range s.receiver.await("", 50) {
		require.Equal(t, fmt.Sprintf("e%02d", i), g.fields["eventId"])
		require.Equal(t, g.fields["eventId"], g.header.Get("webhook-id"))
		require.Equal(t, sub.ID(), g.header.Get("X-MCP-Subscription-Id"))
		require.Equal(t, "twilio-conversations-mcp/1", g.header.Get("User-Agent"))
	}
	require.Eventually(t, func() bool { return o.of("delivered") == 50 && o.waiting.Load() == 0 }, 10*time.Second, time.Millisecond)
	require.Contains(t, s.log.String(), "msg=event event=onMessageAdded subscription="+sub.ID()+" outcome=delivered")
	require.NotContains(t, s.log.String(), "hunter2")
	require.NotContains(t, s.log.String(), s.receiver.URL)
}

// What fails is tried again, signed anew, before what comes later.
func TestAnEventIsTriedUntilItIsAccepted(t *testing.T) {
	t.Parallel()
	var o outcomes
	s := newSite(t, o.observe)
	statuses := []int{400, 401, 404, 301, 500, 503, 429, 408, 425, 429, 0}
	var failures atomic.Int32
	s.receiver.use(func(g got) (int, string) {
		if n := int(failures.Add(1)); n < len(statuses) {
			return statuses[n-1], ""
		}
		return 202, ""
	})
	sub := s.to("/hook")
	for _, id := range []string{"e0", "e1", "e2"} {
		require.True(t, s.server.deliverer.accept(event(sub, id)))
	}
	all := s.receiver.await("", len(statuses)+2)
	for i, g := range all {
		require.Equal(t, []string{"e0", "e1", "e2"}[max(0, i-len(statuses)+1)], g.fields["eventId"])
	}
	require.Eventually(t, func() bool { return o.of("delivered") == 3 }, 10*time.Second, time.Millisecond)
}

// An event that is refused again and again is given up before it holds up others for
// long.
func TestAnEventThatACallbackRefusesIsGivenUp(t *testing.T) {
	t.Parallel()
	var o outcomes
	s := newSite(t, o.observe)
	s.receiver.use(func(g got) (int, string) {
		if g.fields["eventId"] == "e0" {
			return 400, ""
		}
		return 200, ""
	})
	for _, id := range []string{"e0", "e1"} {
		require.True(t, s.server.deliverer.accept(event(s.to("/hook"), id)))
	}
	s.receiver.await("", maxRefusals+1)
	s.receiver.await("gap", 1)
	require.Equal(t, 1, o.of("refused"))
	require.Equal(t, 1, o.of("delivered"))
}

func TestACallbackThatCannotBeReachedIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub := s.to("/hook")
	s.receiver.use(func(got) (int, string) { panic(http.ErrAbortHandler) }) // the connection is closed
	require.True(t, s.server.deliverer.accept(event(sub, "e0")))
	require.Eventually(t, func() bool { return len(s.receiver.all("")) > 2 }, 10*time.Second, time.Millisecond)
	s.receiver.use(nil)
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "outcome=delivered") }, 10*time.Second, time.Millisecond)
}

func TestAnEventThatWasAcceptedIsNotDeliveredAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	sub, other := s.to("/hook"), s.to("/other")
	for range 3 {
		require.True(t, s.server.deliverer.accept(event(sub, "e0")))
	}
	require.True(t, s.server.deliverer.accept(event(other, "e0")), "of another subscription")
	s.receiver.await("", 2)
	s.awaitIdle()
	for i := range maxSeen {
		s.server.deliverer.seen[fmt.Sprint(i)] = struct{}{}
	}
	require.True(t, s.server.deliverer.accept(event(sub, "e1")))
	require.LessOrEqual(t, len(s.server.deliverer.seen), maxSeen)
	s.awaitIdle()
	require.True(t, s.server.deliverer.accept(event(sub, "e0")), "it was forgotten")
	s.awaitIdle()
	require.Len(t, s.receiver.all(""), 4)
}

// The subscriber is told of events that were given up, once, with a position before
// them.
func TestAnEventThatIsGivenUpLeavesAGap(t *testing.T) {
	t.Parallel()
	for name, status := range map[string]int{"expired": 500, "refused": http.StatusRequestEntityTooLarge} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var o outcomes
			s := newSite(t, o.observe)
			var late atomic.Int64
			s.server.deliverer.now = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
			s.receiver.use(func(g got) (int, string) {
				if g.fields["type"] == "gap" {
					return 200, ""
				}
				return status, ""
			})
			for _, id := range []string{"e0", "e1", "e2"} {
				require.True(t, s.server.deliverer.accept(event(s.to("/hook"), id)))
			}
			s.receiver.awaitSome("")
			if name == "expired" {
				late.Store(int64(deliveryTime))
			}
			s.awaitIdle()
			require.Equal(t, 3, o.of(name))
			gaps := s.receiver.all("gap")
			require.NotEmpty(t, gaps)
			require.Equal(t, "41", gaps[0].fields["cursor"])
			require.True(t, strings.HasPrefix(gaps[0].header.Get("webhook-id"), "msg_gap_"))
			require.Zero(t, o.of("delivered"), "gaps are not events")
		})
	}
}

func TestSeveralGapsThatWaitAreOne(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.receiver.answer(500)
	for range 5 {
		require.True(t, s.server.deliverer.accept(gap(s.to("/hook"))))
	}
	s.receiver.use(nil)
	s.awaitIdle()
	ids := map[string]bool{}
	for _, g := range s.receiver.all("gap") {
		ids[g.header.Get("webhook-id")] = true
	}
	require.Len(t, ids, 1)
}

// One callback that does not answer keeps neither its own messages without bound nor
// those of others.
func TestASlowCallbackCostsOthersNothing(t *testing.T) {
	t.Parallel()
	var o outcomes
	s := newSite(t, o.observe)
	release := make(chan struct{})
	var slow atomic.Int32
	s.receiver.use(func(g got) (int, string) {
		if g.header.Get("X-MCP-Subscription-Id") == s.to("/slow").ID() {
			slow.Add(1)
			<-release
		}
		return 200, ""
	})
	accepted := 0
	for i := range ownCost + 10 {
		if s.server.deliverer.accept(event(s.to("/slow"), fmt.Sprint(i))) {
			accepted++
		}
	}
	require.Equal(t, ownCost, accepted)
	require.True(t, s.server.deliverer.accept(gap(s.to("/slow"))), "there is room to tell of a gap")
	for i := range 10 {
		require.True(t, s.server.deliverer.accept(event(s.to("/quick"), fmt.Sprint(i))))
	}
	require.Eventually(t, func() bool { return o.of("delivered") == 10 }, 10*time.Second, time.Millisecond)
	require.EqualValues(t, 1, slow.Load(), "one connection")
	close(release)
	require.Eventually(t, func() bool { return o.waiting.Load() == 0 }, 20*time.Second, time.Millisecond)
	s.awaitIdle()
}

func TestWhatWaitsIsBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.receiver.answer(503)
	d := s.server.deliverer
	d.pause = func(int) time.Duration { return time.Hour }
	big := event(s.to("/big"), "big")
	big.body = []byte(`{"data":"` + strings.Repeat("x", maxBody-20) + `"}`)
	for i := range ownCost / big.cost() {
		m := *big
		m.id = fmt.Sprint(i)
		require.True(t, d.accept(&m))
	}
	require.False(t, d.accept(big), "of one subscription, by bytes")
	for i := range 2 * maxCost {
		d.accept(event(s.to(fmt.Sprintf("/%d", i%100)), fmt.Sprint(i)))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	require.Equal(t, maxCost, d.cost)
}

// When the server ends, what waits is tried at once and, if that fails, dropped and
// logged.
func TestWhatWaitsAtTheEndIsTriedOnceMoreAndThenDropped(t *testing.T) {
	t.Parallel()
	var o outcomes
	s := newSite(t, o.observe)
	s.receiver.answer(503)
	s.server.deliverer.pause = func(int) time.Duration { return time.Hour }
	require.True(t, s.server.deliverer.accept(event(s.to("/a"), "e0")))
	require.True(t, s.server.deliverer.accept(event(s.to("/b"), "e1")))
	s.receiver.await("", 2)
	s.receiver.use(func(g got) (int, string) {
		if g.fields["eventId"] == "e0" {
			return 200, ""
		}
		return 503, ""
	})
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan struct{})
	go func() { s.server.Close(ctx); close(closed) }()
	require.Eventually(t, func() bool { return len(s.receiver.all("")) >= 4 && o.of("delivered") == 1 }, 10*time.Second, time.Millisecond)
	cancel()
	<-closed
	require.Equal(t, 1, o.of("dropped"))
	require.Zero(t, o.waiting.Load())
	require.Contains(t, s.log.String(), "outcome=dropped")
	require.False(t, s.server.deliverer.accept(event(s.to("/a"), "e2")))
}

func TestPausesGrowAndVary(t *testing.T) {
	t.Parallel()
	for attempts, longest := range map[int]time.Duration{1: 250 * time.Millisecond, 2: 500 * time.Millisecond, 8: 32 * time.Second, 9: time.Minute, 1000: time.Minute} {
		seen := map[time.Duration]bool{}
		for range 50 {
			p := pause(attempts)
			require.True(t, p >= longest/2 && p <= longest, "%d: %v", attempts, p)
			seen[p] = true
		}
		require.Greater(t, len(seen), 40)
	}
}
