package program

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A schedule is what some agents do at once, and what happens to their requests.
type schedule struct {
	transport string
	steps     []*step
	existing  []string      // URLs of webhooks that are in each conversation before
	skew      time.Duration // of Twilio's clock
	next      func() fault
}

// run makes the calls of a schedule and checks their outcomes. Every other call
// waits until the calls before it have ended.
func (s schedule) run() error {
	var mu sync.Mutex
	var shift time.Duration
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(s.skew + shift)
	}
	server, err := newTestServer(s.transport, now, func() fault {
		mu.Lock()
		defer mu.Unlock()
		return s.next()
	})
	if err != nil {
		return err
	}
	shift = -3 * time.Second // the existing webhooks are older than any call
	s.prepare(server)
	shift = 0
	before := takeSnapshot(server.proxy.sandbox, s.steps)
	var group sync.WaitGroup
	for id, step := range s.steps {
		group.Go(func() { step.run(server.send, id) })
		if id%2 == 0 {
			group.Wait()
		}
	}
	group.Wait()
	server.stop()
	return check(s.steps, before, takeSnapshot(server.proxy.sandbox, s.steps), server.proxy.updates)
}

// prepare makes the conversations. All calls that list or create share two; one
// that fetches, updates or deletes has a webhook of its own.
func (s schedule) prepare(server *testServer) {
	twilio := server.proxy.sandbox
	shared := []string{newConversation(twilio), newConversation(twilio)}
	for _, conversation := range shared {
		for _, url := range s.existing {
			newWebhook(twilio, conversation, url)
		}
	}
	for i, step := range s.steps {
		switch step.tool {
		case "fetch", "update", "delete":
			step.conversation = newConversation(twilio)
			step.sid = newWebhook(twilio, step.conversation, "https://example.com/old")
		default:
			step.conversation = shared[i%3/2] // two of three in the first
		}
	}
}

var allTools = []string{"list", "create", "ensure", "fetch", "update", "delete"}

// Each fault happens once to each request of each tool, on each transport.
func TestTheOutcomeIsTrueAfterEveryFault(t *testing.T) {
	before := runtime.NumGoroutine()
	outcomes := &counter{}
	inParallel(t, 16, func(start func(func() error)) {
		for _, f := range faults() {
			for _, transport := range []string{"stdio", "HTTP"} {
				for _, tool := range allTools {
					if tool == "delete" && f.fakesDelete() {
						continue
					}
					for i := range requests(tool) {
						start(func() error {
							s := &step{tool: tool, url: "https://example.com/1"}
							err := schedule{transport: transport, steps: []*step{s}, next: onlyAt(i, f)}.run()
							outcomes.add(tool + " " + s.outcome)
							if err != nil {
								return fmt.Errorf("request %d: %v, over %s: %w", i, f, transport, err)
							}
							return nil
						})
					}
				}
			}
		}
	})
	t.Log(outcomes.counts)
	for _, outcome := range []string{"list ok", "list failed", "create ok", "create reconciled", "create refused", "create unknown",
		"ensure ok", "ensure reconciled", "fetch ok", "fetch failed", "update ok", "update reconciled", "update refused", "delete ok", "delete refused"} {
		require.NotZero(t, outcomes.counts[outcome], outcome)
	}
	requireNoGoroutinesLeft(t, before)
}

// requests returns how many requests a call makes if all goes well.
func requests(tool string) int {
	if tool == "ensure" {
		return 2 // a list and a create
	}
	return 1
}

// onlyAt returns a fault for the request of that index only.
func onlyAt(index int, f fault) func() fault {
	next := 0
	return func() fault {
		next++
		if next-1 == index {
			return f
		}
		return noFault
	}
}

// A counter counts outcomes.
type counter struct {
	mu     sync.Mutex
	counts map[string]int
}

func (c *counter) add(outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[outcome]++
}

// inParallel runs checks, at most n at a time, and reports those that fail.
func inParallel(t *testing.T, n int, all func(start func(func() error))) {
	t.Helper()
	var group sync.WaitGroup
	slots := make(chan struct{}, n)
	all(func(f func() error) {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	})
	group.Wait()
}

// requireNoGoroutinesLeft waits until there are no more goroutines than before,
// except for the one that counts them.
func requireNoGoroutinesLeft(t *testing.T, before int) {
	t.Helper()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, 10*time.Millisecond)
}

// randomSchedule returns the schedule of a seed.
func randomSchedule(seed uint64) schedule {
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	s := schedule{transport: pick("stdio", "HTTP"), skew: time.Duration(random.IntN(1200)-600) * time.Second}
	for range 1 + random.IntN(6) {
		step := &step{tool: pick(append(allTools, "create", "create", "ensure")...), url: pick("https://example.com/1", "https://example.com/1", "https://example.com/2")}
		if random.IntN(8) == 0 {
			step.cancel = time.Duration(1+random.IntN(3000)) * time.Microsecond
		}
		s.steps = append(s.steps, step)
	}
	for range random.IntN(3) {
		s.existing = append(s.existing, pick("https://example.com/1", "https://example.com/2"))
	}
	all := faults()
	if slices.ContainsFunc(s.steps, func(s *step) bool { return s.tool == "delete" }) {
		all = slices.DeleteFunc(all, fault.fakesDelete)
	}
	s.next = func() fault {
		if random.IntN(2) == 0 {
			return noFault
		}
		return all[random.IntN(len(all))]
	}
	return s
}

var (
	firstSeed = flag.Uint64("seed", 1, "seed of the first random schedule; 0: a new one each time")
	schedules = flag.Int("schedules", 200, "number of random schedules")
)

func TestTheOutcomeIsTrueInRandomSchedules(t *testing.T) {
	runSchedules(t, func(done int) bool { return done < *schedules })
}

// The same for ten minutes, or until shortly before the test's own time limit:
// go test ./internal/program -run Soak -timeout 15m -seed 0
func TestSoak(t *testing.T) {
	onlyWhenAsked(t, "Soak")
	end := time.Now().Add(10 * time.Minute)
	if limit, ok := t.Deadline(); ok && limit.Add(-30*time.Second).Before(end) {
		end = limit.Add(-30 * time.Second)
	}
	runSchedules(t, func(int) bool { return time.Now().Before(end) })
}

// runSchedules runs random schedules while more returns true.
func runSchedules(t *testing.T, more func(done int) bool) {
	before := runtime.NumGoroutine()
	first := cmp.Or(*firstSeed, rand.Uint64N(1<<32))
	t.Logf("the first seed is %d", first)
	outcomes := &counter{}
	inParallel(t, 16, func(start func(func() error)) {
		for i := 0; more(i) && !t.Failed(); i++ {
			start(func() error {
				seed := first + uint64(i)
				s := randomSchedule(seed)
				err := s.run()
				for _, step := range s.steps {
					outcomes.add(step.tool + " " + step.outcome)
				}
				if err != nil {
					return fmt.Errorf("go test ./internal/program -run RandomSchedules -seed %d -schedules 1 (%s): %w", seed, strings.ToLower(s.transport), err)
				}
				return nil
			})
		}
	})
	t.Log(outcomes.counts)
	requireNoGoroutinesLeft(t, before)
}
