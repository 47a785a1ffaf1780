package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The figures of a run, or of a window of it.
const (
	calls       = iota // a second
	p50                // ms
	p99                // ms
	cpu                // seconds per 1,000 calls
	connections        // new ones per 1,000 calls
	memory             // MiB
	peak               // MiB
	cold               // ms from the start to the first result
	figureCount
)

type figures [figureCount]float64

// measure runs a server in a setup once.
func (b *bench) measure(ctx context.Context, program string, s setup) ([]figures, error) {
	u, err := b.upstreamOf(ctx, s.api)
	if err != nil {
		return nil, err
	}
	s.windows = max(1, s.windows)
	ctx, cancel := context.WithTimeoutCause(ctx, b.warm+time.Duration(s.windows)*b.time+2*patience, errors.New("calls were not answered in time"))
	defer cancel()
	began := time.Now()
	p, err := b.serve(ctx, program, s, u)
	if err != nil {
		return nil, err
	}
	defer p.stop()
	wires, err := p.wires(ctx, s)
	if err != nil {
		return nil, err
	}
	e, err := wires[0].open(u.page)
	if err != nil {
		return nil, p.explain(err)
	}
	if s.cold {
		return []figures{{cold: float64(time.Since(began)) / 1e6}}, nil
	}
	found, err := b.load(ctx, p, u, s, wires, e)
	if err != nil {
		return nil, p.explain(err)
	}
	return found, nil
}

// load makes calls on all wires: to warm up, for its windows of time, and until all
// are answered.
func (b *bench) load(ctx context.Context, p *process, u *upstream, s setup, wires []*wire, e expected) ([]figures, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var window atomic.Int32
	var callers sync.WaitGroup
	times := make([][][]time.Duration, len(wires))
	for i, w := range wires {
		c := newCaller(w, e, s.inFlight/len(wires))
		c.pace, c.due = s.pace*time.Duration(len(wires)), time.Now().Add(s.pace*time.Duration(i))
		callers.Go(func() {
			var err error
			if times[i], err = c.loop(&window, s.windows+1); err != nil {
				fail(err)
			}
		})
	}
	pause(ctx, b.warm)
	marks := make([]mark, s.windows+1)
	for i := range marks {
		var err error
		if marks[i], err = p.mark(u); err != nil {
			fail(err)
		}
		window.Add(1)
		if i < s.windows {
			pause(ctx, b.time)
		}
	}
	callers.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	found := make([]figures, s.windows)
	for i := range found {
		var all []time.Duration
		for _, t := range times {
			all = append(all, t[i+1]...)
		}
		if len(all) == 0 {
			return nil, errors.New("no call ended in time")
		}
		slices.Sort(all)
		from, to, n := marks[i], marks[i+1], float64(len(all))
		found[i] = figures{
			calls: n / to.at.Sub(from.at).Seconds(), p50: percentile(all, 50), p99: percentile(all, 99),
			cpu: (to.cpu - from.cpu) * 1000 / n, connections: float64(to.connections-from.connections) * 1000 / n,
			memory: to.memory, peak: to.peak,
		}
	}
	return found, nil
}

// A mark is how things stand between two windows.
type mark struct {
	connections       int
	cpu, memory, peak float64
	at                time.Time
}

func (p *process) mark(u *upstream) (m mark, err error) {
	var errs [3]error
	m.connections, errs[0] = u.connections()
	m.memory, m.peak, errs[1] = p.memory()
	m.cpu, errs[2] = p.cpu()
	m.at = time.Now()
	return m, errors.Join(errs[:]...)
}

// pause waits, or until ctx is done.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
