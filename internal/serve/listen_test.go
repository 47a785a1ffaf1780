package serve_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

func TestListenRefusesAddressesBeyondLoopback(t *testing.T) {
	t.Parallel()
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0", "example.com:80", "10.0.0.1:80"} {
		_, err := serve.Listen(address, false)
		require.ErrorIs(t, err, serve.ErrNotLoopback, address)
		require.ErrorContains(t, err, "address "+address+" is not a loopback address", address)
	}
	ln, err := serve.Listen(":0", true)
	require.NoError(t, err)
	require.NoError(t, ln.Close())
}

func TestListenExplainsAnInvalidAddress(t *testing.T) {
	t.Parallel()
	_, err := serve.Listen("8080", false)
	require.EqualError(t, err, `address "8080" must be HOST:PORT, such as 127.0.0.1:8080`)
	ln, err := serve.Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	defer ln.Close()
	_, err = serve.Listen(ln.Addr().String(), false)
	require.ErrorContains(t, err, "address already in use")
}
