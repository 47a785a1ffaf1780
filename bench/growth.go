package main

import (
	"context"
	"fmt"
	"io"
)

// A point is what was measured at one number of calls in flight, or at one size
// of the API's response.
type point struct {
	x int
	rounds
}

// growthMetrics are the metrics that -growth shows.
var growthMetrics = []metric{callRate, p99, peakMemory}

// runGrowth measures how performance changes with the number of calls in flight
// and with the size of the API's response. It prints two tables and draws a
// chart of the first if -svg asks for one.
func (b *bench) runGrowth(ctx context.Context) error {
	points, err := b.measurePoints(ctx, "calls in flight", []int{1, 4, 16, 64, 256, 1024}, func(n int) setup {
		return setup{inFlight: n}
	})
	if err != nil {
		return err
	}
	_, err = b.measurePoints(ctx, "API response, KiB", []int{1, 4, 16, 64}, func(n int) setup {
		return setup{inFlight: 16, upstream: upstreamConfig{size: n << 10}}
	})
	if err != nil || b.svg == "" {
		return err
	}
	return writeChart(b.svg, b.reference.name, b.server.name, points)
}

// measurePoints measures the setup of each x and prints a table.
func (b *bench) measurePoints(ctx context.Context, name string, xs []int, setupOf func(x int) setup) ([]point, error) {
	header := []string{name}
	for _, m := range growthMetrics {
		header = append(header, metrics[m].name+": "+b.reference.name, b.server.name, "ratio")
	}
	_, _ = io.WriteString(b.out, tableHeader(header...))
	var points []point
	for _, x := range xs {
		r, err := b.compare(ctx, setupOf(x))
		if err != nil {
			return nil, fmt.Errorf("%s: %d: %w", name, x, err)
		}
		points = append(points, point{x, r})
		_, _ = io.WriteString(b.out, points[len(points)-1].tableRow())
	}
	fmt.Fprintln(b.out)
	return points, nil
}

func (p point) tableRow() string {
	cells := []string{fmt.Sprint(p.x)}
	for _, m := range growthMetrics {
		reference, server := p.values(m)
		for _, v := range []float64{median(reference), median(server)} {
			cells = append(cells, fmt.Sprintf(metrics[m].format, v))
		}
		cells = append(cells, fmt.Sprintf("%.2f", median(ratios(server, reference))))
	}
	return tableRow(cells...)
}
