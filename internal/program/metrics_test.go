package program

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// The last calls of a process are scraped too.
func TestMetricsAreServedUntilTheLastCallIsAnswered(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	twilio := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-release
		_, _ = io.WriteString(w, `{"webhooks":[]}`)
	}))
	t.Cleanup(twilio.Close)
	ctx, cancel := context.WithCancel(t.Context())
	logged := &output{lines: make(chan string, 10)}
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, []string{"--http=127.0.0.1:0", "--metrics=127.0.0.1:0", "--grace=1m"},
			environment("TWILIO_BASE_URL", twilio.URL, "TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "x"), strings.NewReader(""), io.Discard, logged)
	}()
	var addresses []string
	for len(addresses) < 2 {
		addresses = append(addresses, regexp.MustCompile(`http://[^ \n]+`).FindAllString(<-logged.lines, -1)...)
	}
	metrics, mcp := addresses[0], addresses[1]
	answered := make(chan string, 1)
	go func() {
		_, answer := post(t, strings.TrimSuffix(mcp, "/mcp"), listDocumented, nil)
		answered <- answer
	}()
	<-began
	cancel()
	for { // until the listener of the calls is closed
		conn, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(mcp, "http://"), "/mcp"))
		if err != nil {
			break
		}
		require.NoError(t, conn.Close())
	}
	status, text := page(t, metrics)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, text, "mcp_server_in_flight_calls 1\n")
	close(release)
	require.Contains(t, <-answered, `"webhooks":[]`)
	require.NoError(t, <-ended)
	_, err := net.Dial("tcp", strings.TrimSuffix(strings.TrimPrefix(metrics, "http://"), "/metrics"))
	require.Error(t, err)
}

func TestAServerInTheBackgroundThatFailsIsLogged(t *testing.T) {
	t.Parallel()
	logged := &output{lines: make(chan string, 1)}
	p := &program{log: slog.New(slog.NewTextHandler(logged, nil))}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	stop := p.background("the metrics", http.NotFoundHandler(), ln)
	defer stop()
	require.Contains(t, <-logged.lines, `level=ERROR msg="serving the metrics" error=`)
}
