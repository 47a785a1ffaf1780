package serve

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// A call that is aborted while it waits does not run when a slot becomes free
// at the same moment.
func TestAnAbortedCallDoesNotStart(t *testing.T) {
	t.Parallel()
	s := New(Options{MaxConcurrent: 1})
	r := &request{}
	require.Equal(t, errNotStarted, r.abort())
	require.Equal(t, errNotStarted, s.acquire(t.Context(), r))

	r = &request{}
	require.Nil(t, s.acquire(t.Context(), r), "the slot is free again")
	require.Equal(t, errOutcomeUnknown, r.abort())
	s.release(r)
}
