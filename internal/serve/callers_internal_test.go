package serve

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
)

func TestACallerIsKnownByItsCredentialsOrItsNetwork(t *testing.T) {
	t.Parallel()
	key := func(principal, client string) callerKey {
		return keyOf(&request{caller: access.Caller{Principal: principal}, client: client, transport: "tcp"})
	}
	require.Equal(t, key("", "192.0.2.1:1"), key("", "192.0.2.1:2"))
	require.Equal(t, key("", "192.0.2.1:1"), key("", "[::ffff:192.0.2.1]:2"))
	require.NotEqual(t, key("", "192.0.2.1:1"), key("", "192.0.2.2:1"))
	require.Equal(t, key("", "[2001:db8::1]:1"), key("", "[2001:db8::ffff:1]:2"), "one host has a whole /64 network")
	require.NotEqual(t, key("", "[2001:db8::1]:1"), key("", "[2001:db8:0:1::1]:1"))
	require.Equal(t, key("a", "192.0.2.1:1"), key("a", "192.0.2.2:1"))
	require.NotEqual(t, key("a", "192.0.2.1:1"), key("b", "192.0.2.1:1"))
	require.Zero(t, keyOf(&request{client: "stdio", transport: "pipe"}))
}

// Callers that come and go take bounded memory, and those with calls are kept.
func TestAMillionCallersTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []float64{0, 0.001} {
		c := newCallers(Options{MaxConcurrent: 16, Rate: perSecond})
		busy, rpcErr := c.admit(&request{caller: access.Caller{Principal: "busy"}})
		require.Nil(t, rpcErr)
		for i := range 1_000_000 {
			s, rpcErr := c.admit(&request{caller: access.Caller{Principal: fmt.Sprint(i)}})
			require.Nil(t, rpcErr)
			c.leave(s)
			if len(c.shares) > maxCallers {
				t.Fatal("too many callers are remembered")
			}
		}
		require.Same(t, busy, c.shares[callerKey{principal: "busy"}])
	}
}

func TestTheBurstIsWhatIsSetOrElseTheRate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rate  float64
		burst int
		want  int
	}{{0.001, 0, 1}, {2.5, 0, 3}, {10, 2, 2}, {0.001, 20, 20}} {
		require.Equal(t, row.want, newCallers(Options{MaxConcurrent: 1, Rate: row.rate, Burst: row.burst}).burst)
	}
}
