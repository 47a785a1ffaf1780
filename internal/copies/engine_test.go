package copies_test

import (
	"fmt"
	"log/slog"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/copies"
)

// An engine is a redis-server process on a free port of loopback.
type engine struct {
	t       *testing.T
	address string
	args    []string
	cmd     *exec.Cmd
}

// startEngine starts redis-server. Where it is not installed, the test is left out.
func startEngine(t *testing.T, args ...string) *engine {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed (Debian: apt-get install redis-server)")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, ln.Close())
	e := &engine{t: t, address: ln.Addr().String()}
	_, port, _ := net.SplitHostPort(e.address)
	if i := slices.Index(args, "--tls-port"); i >= 0 {
		args[i+1] = port
	}
	e.args = append([]string{program, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--port", port}, args...)
	e.start()
	t.Cleanup(e.kill)
	return e
}

func (e *engine) start() {
	e.cmd = exec.Command(e.args[0], e.args[1:]...)
	require.NoError(e.t, e.cmd.Start())
	require.Eventually(e.t, func() bool {
		c, err := net.Dial("tcp", e.address)
		return err == nil && c.Close() == nil
	}, 10*time.Second, 5*time.Millisecond, "redis-server does not listen")
}

func (e *engine) kill() {
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait()
}

// cli sends a command with redis-cli.
func (e *engine) cli(args ...string) string {
	_, port, _ := net.SplitHostPort(e.address)
	out, err := exec.Command("redis-cli", append([]string{"-p", port}, args...)...).CombinedOutput()
	require.NoError(e.t, err, string(out))
	return strings.TrimSpace(string(out))
}

// store returns the store of another copy.
func (e *engine) store(edit ...func(*copies.Options)) *copies.Store {
	o := copies.Options{URL: "redis://" + e.address, Lease: 2 * time.Second, Log: slog.New(slog.DiscardHandler)}
	for _, f := range edit {
		f(&o)
	}
	s, err := copies.New(o)
	require.NoError(e.t, err)
	// A copy that has just been started waits for the engine here, so that what
	// follows does not depend on when it connects.
	require.Eventually(e.t, func() bool {
		_, err := s.Members(e.t.Context(), 0)
		return err == nil || o.OnRequest != nil
	}, 10*time.Second, 5*time.Millisecond)
	return s
}

// certificate writes a certificate of 127.0.0.1 and its key.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
		"-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", keyFile, "-out", certFile).CombinedOutput()
	require.NoError(t, err, fmt.Sprint(string(out)))
	return certFile, keyFile
}
