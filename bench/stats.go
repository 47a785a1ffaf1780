package main

import (
	"fmt"
	"slices"
	"time"
)

// median returns the median of values, of which there must be at least one.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// percentile returns the p-th percentile of sorted, which must not be empty, in
// milliseconds. The valid values of p are 0 to 99.
func percentile(sorted []time.Duration, p int) float64 {
	return milliseconds(sorted[len(sorted)*p/100])
}

func milliseconds(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}

// ratios returns the ratio of each value of a to the value of b at the same
// index. It ignores what one of them has beyond the length of the other.
func ratios(a, b []float64) []float64 {
	r := make([]float64, min(len(a), len(b)))
	for i := range r {
		r[i] = a[i] / b[i]
	}
	return r
}

// formatRatios formats the ratio of the server to the reference, as the median
// and the range of all rounds. The noise is the range of the ratios of each
// round of the reference to the one before.
func formatRatios(reference, server []float64) (ratio, noise string) {
	r := ratios(server, reference)
	return fmt.Sprintf("%.2f %s", median(r), formatRange(r)), formatRange(ratios(reference[1:], reference))
}

// formatRange formats the least and the greatest of values.
func formatRange(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	return fmt.Sprintf("[%.2f–%.2f]", slices.Min(values), slices.Max(values))
}
