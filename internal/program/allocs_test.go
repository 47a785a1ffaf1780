//go:build !race

package program

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A call allocates no more than it may: counts, which are exact, not times. The
// race detector adds its own.
func TestACallAllocatesLittle(t *testing.T) {
	r := testing.Benchmark(BenchmarkCallOverHTTP)
	require.LessOrEqual(t, r.AllocsPerOp(), int64(180))
	require.LessOrEqual(t, r.AllocedBytesPerOp(), int64(22_000))
}
