package serve

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
)

func TestWorkersRunAtTheSameTimeAndAreUsedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorkers()
		for range 3 {
			var all sync.WaitGroup
			var ran atomic.Int32
			start := make(chan struct{})
			for range 3 * maxIdle {
				all.Add(1)
				w.run(func() { defer all.Done(); <-start; ran.Add(1) })
			}
			synctest.Wait() // all of them run, none waits for another
			close(start)
			all.Wait()
			synctest.Wait()
			require.EqualValues(t, 3*maxIdle, ran.Load())
			require.Len(t, w.idle, maxIdle)
		}
		close(w.stopped)
		synctest.Wait()
		require.Empty(t, w.idle)
	})
}
