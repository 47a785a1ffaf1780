package serve

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Cancellations would delay everything else if each looked at all calls in the
// queue.
func TestACancellationCostsTheSameHoweverManyCallsWait(t *testing.T) {
	c := &stdioConn{ctx: t.Context(), pending: map[string][]*stdioRequest{}}
	for i := range 2048 {
		m, rpcErr := parse(fmt.Appendf(nil, `{"jsonrpc":"2.0","id":"%s%d","method":"ping"}`, strings.Repeat(`\u0061`, 150), i))
		require.Nil(t, rpcErr)
		_, r := c.track(&m)
		defer r.cancel()
	}
	unknown := []byte(`"unknown"`)
	require.Less(t, testing.AllocsPerRun(10, func() { c.cancel(unknown) }), 10.0)
}
