package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// A measurement is a run of a server under load.
type measurement struct {
	server   *process
	upstream *upstream
	clients  []*client
	phase    atomic.Int32
}

// The phases of a measurement.
const (
	warmUp int32 = iota
	measured
	over
)

// load makes calls with all clients and returns what was measured.
func (b *bench) load(ctx context.Context, m *measurement) (result, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var clients sync.WaitGroup
	byClient := make([][]time.Duration, len(m.clients))
	for i, c := range m.clients {
		clients.Go(func() {
			var err error
			if byClient[i], err = c.run(&m.phase); err != nil {
				fail(err)
			}
		})
	}
	from, to, err := b.observe(ctx, m)
	if err != nil {
		fail(err)
	}
	clients.Wait()
	if err := context.Cause(ctx); err != nil {
		return result{}, err
	}
	all := slices.Concat(byClient...)
	if len(all) == 0 {
		return result{}, errors.New("no call ended within the measured time")
	}
	return summarize(from, to, all), nil
}

// observe takes a snapshot before and after the time that is measured. When it
// returns, the clients make no new calls.
func (b *bench) observe(ctx context.Context, m *measurement) (from, to snapshot, err error) {
	defer m.phase.Store(over)
	sleep(ctx, b.warmUp)
	if from, err = m.snapshot(); err != nil {
		return from, to, err
	}
	m.phase.Store(measured)
	sleep(ctx, b.window)
	to, err = m.snapshot()
	return from, to, err
}

// A snapshot holds what the operating system and the upstream have counted
// since they started.
type snapshot struct {
	at          time.Time
	connections int
	usage
}

func (m *measurement) snapshot() (s snapshot, err error) {
	if s.connections, err = m.upstream.connections(); err != nil {
		return s, err
	}
	s.usage, err = m.server.usage()
	s.at = time.Now()
	return s, err
}

// summarize returns the result of a window in which calls of these latencies
// ended. It sorts the latencies.
func summarize(from, to snapshot, latencies []time.Duration) result {
	slices.Sort(latencies)
	n := float64(len(latencies))
	return result{
		callRate:   n / to.at.Sub(from.at).Seconds(),
		p50:        percentile(latencies, 50),
		p99:        percentile(latencies, 99),
		cpuTime:    (to.cpu - from.cpu).Seconds() * 1000 / n,
		newConns:   float64(to.connections-from.connections) * 1000 / n,
		memory:     to.memory,
		peakMemory: to.peakMemory,
	}
}

// sleep waits for d or until ctx is done.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
