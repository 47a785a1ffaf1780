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
	windows  int          // the number of windows to measure
	window   atomic.Int32 // the current one: 0 is the warm-up, windows+1 comes after the last
}

// load makes calls with all clients and returns the results of each window.
func (b *bench) load(ctx context.Context, m *measurement) ([]result, error) {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	var clients sync.WaitGroup
	byClient := make([]latencies, len(m.clients))
	for i, c := range m.clients {
		clients.Go(func() {
			var err error
			if byClient[i], err = c.run(&m.window, m.windows+1); err != nil {
				fail(err)
			}
		})
	}
	snapshots, err := b.observe(ctx, m)
	if err != nil {
		fail(err)
	}
	clients.Wait()
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return summarizeWindows(snapshots, byClient)
}

// observe takes a snapshot before and after each window. When it returns, the
// clients make no new calls.
func (b *bench) observe(ctx context.Context, m *measurement) (snapshots []snapshot, err error) {
	defer m.window.Store(int32(m.windows + 1))
	sleep(ctx, b.warmUp)
	for i := range m.windows + 1 {
		if i > 0 {
			sleep(ctx, b.window)
		}
		s, err := m.snapshot()
		if err != nil {
			return nil, err
		}
		snapshots = append(snapshots, s)
		m.window.Add(1)
	}
	return snapshots, nil
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

// summarizeWindows returns the result of each window between two snapshots.
func summarizeWindows(snapshots []snapshot, byClient []latencies) ([]result, error) {
	var results []result
	for i := range snapshots[1:] {
		var all []time.Duration
		for _, l := range byClient {
			all = append(all, l[i+1]...) // window 0 is the warm-up
		}
		if len(all) == 0 {
			return nil, errors.New("no call ended within the measured time")
		}
		results = append(results, summarize(snapshots[i], snapshots[i+1], all))
	}
	return results, nil
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
