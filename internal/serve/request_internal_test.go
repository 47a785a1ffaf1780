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
	_, rpcErr := s.acquire(t.Context(), r)
	require.Equal(t, errNotStarted, rpcErr)

	r = &request{}
	release, rpcErr := s.acquire(t.Context(), r)
	require.Nil(t, rpcErr, "the slot is free again")
	require.Equal(t, errOutcomeUnknown, r.abort())
	release()
}
