package serve_test

import (
	"bytes"
	"io"
	"log"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

// Messages of net/http go to the log, without what a peer sent.
func TestLogWriterLogsWithoutThePeersBytes(t *testing.T) {
	t.Parallel()
	for message, want := range map[string]string{
		`Unsolicited response received on idle HTTP channel starting with "HTTP/1.1 200 X\r\n s3cret"; err=<nil>`: `message="Unsolicited response received on idle HTTP channel"`,
		`http2: server: error reading preface from client 127.0.0.1:9: bogus greeting "s3cret"`:                   `message="http2: server: error reading preface from client 127.0.0.1:9: bogus greeting"`,
		"http: panic serving 127.0.0.1:9: boom\ngoroutine 1 [running]:\ns3cret":                                   `message="http: panic serving 127.0.0.1:9: boom"`,
		"x `s3cret`": `message=x`,
	} {
		var out bytes.Buffer
		w := serve.LogWriter(slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug})))
		log.New(w, "", 0).Print(message)
		require.Contains(t, out.String(), "level=DEBUG msg=net/http "+want+"\n")
		require.NotContains(t, out.String(), "s3cret")
		require.Equal(t, 1, strings.Count(out.String(), "\n"))

		out.Reset()
		w = serve.LogWriter(slog.New(slog.NewTextHandler(&out, nil)))
		log.New(w, "", 0).Print(message)
		require.Empty(t, out.String())
	}
}

// What net/http says of a connection goes the same way.
func TestAFailedHandshakeIsADebugMessage(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.Log = slog.New(slog.NewTextHandler(io.Discard, nil)) })
	debug := &logBuffer{}
	b.Log = slog.New(slog.NewTextHandler(debug, &slog.HandlerOptions{Level: slog.LevelDebug}))
	certFile, keyFile, _ := writeCertificate(t, t.TempDir(), 1)
	s := b.listen(t, serve.HTTPOptions{CertFile: certFile, KeyFile: keyFile})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = io.WriteString(conn, "s3cret s3cret s3cret s3cret\r\n\r\n")
	require.NoError(t, err)
	await(t, func() bool { return strings.Contains(debug.String(), "TLS handshake error") })
	require.Contains(t, debug.String(), "level=DEBUG")
	require.NotContains(t, debug.String(), "s3cret")
}
