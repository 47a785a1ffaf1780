package main

import (
	"context"
	"fmt"
	"time"
)

// A metric is an index into a result.
type metric int

const (
	callRate metric = iota
	p50
	p99
	cpuTime
	newConns
	memory
	peakMemory
	startTime
	metricCount
)

// metrics are the names of the metrics, with their units, and the formats of
// their values.
var metrics = [metricCount]struct{ name, format string }{
	callRate:   {"calls/s", "%.0f"},
	p50:        {"p50, ms", "%.2f"},
	p99:        {"p99, ms", "%.2f"},
	cpuTime:    {"CPU seconds per 1,000 calls", "%.3f"},
	newConns:   {"new connections to the API per 1,000 calls", "%.2f"},
	memory:     {"memory, MiB", "%.1f"},
	peakMemory: {"peak memory, MiB", "%.1f"},
	startTime:  {"ms from start to first result", "%.1f"},
}

// A result holds the value of each metric in one window of time.
type result [metricCount]float64

// measure starts a program, measures it, and stops it.
func (b *bench) measure(ctx context.Context, p program, s setup) (r result, err error) {
	u, err := b.upstream(ctx, s.upstream)
	if err != nil {
		return r, err
	}
	limit := b.warmUp + b.window + 2*startTimeout
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("timed out after %v", limit))
	defer cancel()
	began := time.Now()
	server, err := b.startServer(ctx, p, s, u)
	if err != nil {
		return r, err
	}
	defer server.stop()
	conns, want, err := server.open(ctx, s, u)
	if err != nil {
		return r, server.explain(err)
	}
	if s.coldStart {
		return result{startTime: milliseconds(time.Since(began))}, nil
	}
	m := &measurement{server: server, upstream: u, clients: newClients(conns, want, s)}
	r, err = b.load(ctx, m)
	if err != nil {
		return r, server.explain(err)
	}
	return r, nil
}
