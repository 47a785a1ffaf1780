//go:build !race

package program

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A call allocates no more than it may: counts, which are exact, not times. The
// race detector adds its own.
func TestACallAllocatesLittle(t *testing.T) {
	for name, row := range map[string]struct {
		call           func(*testing.B)
		objects, bytes int64
	}{
		"HTTP":  {BenchmarkCallOverHTTP, 110, 15_000},
		"stdio": {BenchmarkCallOverStdio, 85, 12_000},
	} {
		r := testing.Benchmark(row.call)
		require.LessOrEqual(t, r.AllocsPerOp(), row.objects, name)
		require.LessOrEqual(t, r.AllocedBytesPerOp(), row.bytes, name)
	}
}
