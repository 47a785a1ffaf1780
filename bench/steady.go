package main

import (
	"context"
	"fmt"
	"io"
	"time"
)

// runSteady calls the server 200 times per second and prints a row for each
// tenth of the duration.
func (b *bench) runSteady(ctx context.Context) error {
	const windows = 10
	b.window = b.steady / windows
	results, err := b.measure(ctx, b.server, setup{inFlight: 16, interval: time.Second / 200}, windows)
	if err != nil {
		return err
	}
	shown := []metric{callRate, p50, p99, memory, peakMemory}
	header := []string{"until"}
	for _, m := range shown {
		header = append(header, metrics[m].name)
	}
	_, _ = io.WriteString(b.out, tableHeader(header...))
	for i, r := range results {
		cells := []string{(b.window * time.Duration(i+1)).String()}
		for _, m := range shown {
			cells = append(cells, fmt.Sprintf(metrics[m].format, r[m]))
		}
		_, _ = io.WriteString(b.out, tableRow(cells...))
	}
	return nil
}
