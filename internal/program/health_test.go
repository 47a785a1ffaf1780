package program

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealthAsksWhetherTheServerIsReady(t *testing.T) {
	t.Parallel()
	ready := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/readyz", r.URL.Path)
		w.WriteHeader(ready)
	}))
	t.Cleanup(server.Close)
	health := func(args ...string) error {
		return Run(t.Context(), append([]string{"health"}, args...), environment(), strings.NewReader(""), io.Discard, io.Discard)
	}
	require.NoError(t, health(server.URL+"/"))
	require.NoError(t, health("--http", strings.Replace(server.Listener.Addr().String(), "127.0.0.1", "0.0.0.0", 1)))
	ready = http.StatusServiceUnavailable
	require.ErrorContains(t, health(server.URL), "answered 503")
	require.ErrorContains(t, health("mcp.example.com"), "URL must be the base URL of a server")
	server.Close()
	require.ErrorContains(t, health(server.URL), "the server is not ready")
}
