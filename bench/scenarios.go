package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// A scenario is a setup and the goals of the server in it.
type scenario struct {
	name  string
	setup setup
	goals []goal
}

// A goal is the limit of a metric, as the table shows it. Unless it is absolute,
// it limits the ratio of the server to the baseline.
type goal struct {
	metric metric
	limit  string
}

var (
	remote      = upstreamConfig{latency: 20 * time.Millisecond, tls: true}
	remoteHTTP2 = upstreamConfig{latency: 20 * time.Millisecond, tls: true, http2: true}
)

var scenarios = []scenario{
	{"HTTP, 1 in flight", setup{inFlight: 1}, []goal{{callRate, "≥ 0.80"}}},
	{"HTTP, 16 in flight", setup{inFlight: 16}, []goal{{callRate, "≥ 0.75"}, {cpuTime, "≤ 1.6"}, {peakMemory, "≤ 1.4"}}},
	{"HTTP, 64 in flight", setup{inFlight: 64}, []goal{{callRate, "≥ 0.75"}, {newConns, "≤ 1, absolute"}, {peakMemory, "≤ 1.35"}}},
	{"stdio, 1 in flight", setup{stdio: true, inFlight: 1}, []goal{{callRate, "≥ 0.85"}}},
	{"stdio, 16 in flight", setup{stdio: true, inFlight: 16}, []goal{{callRate, "≥ 0.75"}, {cpuTime, "≤ 1.5"}}},
	{"HTTP, 64 in flight, API over TLS and HTTP/1.1, 20 ms latency", setup{inFlight: 64, upstream: remote},
		[]goal{{callRate, "≥ 0.97"}, {p99, "≤ 1.12"}, {newConns, "≤ 1, absolute"}}},
	{"HTTP, 64 in flight, API over TLS and HTTP/2, 20 ms latency", setup{inFlight: 64, upstream: remoteHTTP2},
		[]goal{{callRate, "≥ 0.97"}, {p99, "≤ 1.12"}}},
	{"stdio, cold start", setup{stdio: true, inFlight: 1, coldStart: true}, []goal{{startTime, "≤ 1.10"}}},
}

// runScenarios measures the scenarios that were asked for and prints a table,
// whose last row is the size of the programs.
func (b *bench) runScenarios(ctx context.Context) error {
	_, _ = io.WriteString(b.out, tableHeader(b.cells("scenario", "goal", b.reference.name, b.server.name, "ratio [min–max]", "noise")...))
	for _, s := range scenarios {
		if !b.only.MatchString(s.name) {
			continue
		}
		r, err := b.compare(ctx, s.setup)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		for _, g := range s.goals {
			b.printGoal(s, g, r)
		}
	}
	return b.printSizes()
}

// printSizes prints how large the programs are without debug information.
func (b *bench) printSizes() error {
	var sizes []string
	for _, p := range []program{b.reference, b.server} {
		info, err := os.Stat(p.path)
		if err != nil {
			return err
		}
		sizes = append(sizes, fmt.Sprintf("%.1f", float64(info.Size())/(1<<20)))
	}
	_, _ = io.WriteString(b.out, tableRow(b.cells("program, MiB", "≤ 14, absolute", sizes[0], sizes[1], "", "")...))
	return nil
}

// cells returns the cells of a row. The goals apply only to a comparison with
// the baseline, so -against leaves them out.
func (b *bench) cells(scenario, goal string, others ...string) []string {
	if b.against != "" {
		return append([]string{scenario}, others...)
	}
	return append([]string{scenario, goal}, others...)
}

// printGoal prints the row of a goal.
func (b *bench) printGoal(s scenario, g goal, r rounds) {
	name := fmt.Sprintf("%s: %s", s.name, metrics[g.metric].name)
	if reference := b.referenceFor(s.setup); reference != b.reference {
		name += ", " + reference.name + " as baseline"
	}
	format := metrics[g.metric].format
	reference, server := r.values(g.metric)
	ratio, noise := formatRatios(reference, server)
	if g.metric == newConns { // often zero, so that ratios mean nothing
		ratio, noise = formatRange(server), formatRange(reference)
	}
	_, _ = io.WriteString(b.out, tableRow(b.cells(name, g.limit,
		fmt.Sprintf(format, median(reference)), fmt.Sprintf(format, median(server)), ratio, noise)...))
}
