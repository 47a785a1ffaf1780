package metrics

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// The types of metrics.
const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

// A metric has a series for each combination of label values that occurred.
type metric struct {
	kind, name, help string
	labels           []string

	mu     sync.Mutex
	series map[values]*series
}

// values are the values of a metric's labels, of which there are at most five.
type values [5]string

type series struct {
	value  float64  // of a histogram, the sum of what was observed
	counts []uint64 // of a histogram, how much was observed in each bucket; the last one has no upper bound
}

func newMetric(kind, name, help string, labels ...string) *metric {
	return &metric{kind: kind, name: name, help: help, labels: labels, series: map[values]*series{}}
}

// add adds to the value of a series.
func (m *metric) add(delta float64, labels ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.at(labels).value += delta
}

// observe adds a value to a series of a histogram.
func (m *metric) observe(value float64, labels ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.at(labels)
	s.value += value
	bucket, _ := slices.BinarySearch(buckets, value)
	s.counts[bucket]++
}

func (m *metric) at(labels []string) *series {
	var key values
	copy(key[:], labels)
	s := m.series[key]
	if s == nil {
		s = &series{counts: make([]uint64, len(buckets)+1)}
		m.series[key] = s
	}
	return s
}

// write writes the metric in Prometheus' text format, unless it has no series.
func (m *metric) write(w *bytes.Buffer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.series) == 0 {
		return
	}
	fmt.Fprintf(w, "# HELP %s %s\n# TYPE %s %s\n", m.name, m.help, m.name, m.kind)
	for _, key := range slices.SortedFunc(maps.Keys(m.series), func(a, b values) int { return slices.Compare(a[:], b[:]) }) {
		s, labels := m.series[key], m.format(key)
		if m.kind != histogram {
			fmt.Fprintf(w, "%s%s %v\n", m.name, braces(labels), s.value)
			continue
		}
		total := uint64(0)
		for i, count := range s.counts {
			total += count
			fmt.Fprintf(w, "%s_bucket%s %d\n", m.name, braces(append(labels, `le="`+bound(i)+`"`)), total)
		}
		fmt.Fprintf(w, "%s_sum%s %v\n%s_count%s %d\n", m.name, braces(labels), s.value, m.name, braces(labels), total)
	}
}

func bound(bucket int) string {
	if bucket == len(buckets) {
		return "+Inf"
	}
	return fmt.Sprint(buckets[bucket])
}

// format returns the labels with their values.
func (m *metric) format(key values) (labels []string) {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)
	for i, name := range m.labels {
		labels = append(labels, name+`="`+escape.Replace(key[i])+`"`)
	}
	return labels
}

func braces(labels []string) string {
	if len(labels) == 0 {
		return ""
	}
	return "{" + strings.Join(labels, ",") + "}"
}
