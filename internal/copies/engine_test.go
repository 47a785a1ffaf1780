package copies_test

import (
	"bufio"
	"fmt"
	"io"
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
	e := &engine{t: t}
	t.Cleanup(e.kill)
	for range 10 { // another process may take the port that was free
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		require.NoError(t, ln.Close())
		e.address = ln.Addr().String()
		_, port, _ := net.SplitHostPort(e.address)
		if i := slices.Index(args, "--tls-port"); i >= 0 {
			args[i+1] = port
		}
		e.args = append([]string{program, "--bind", "127.0.0.1", "--dir", t.TempDir(), "--save", "", "--port", port}, args...)
		if e.run() {
			return e
		}
	}
	require.Fail(t, "redis-server does not start")
	return nil
}

// run starts the process, and reports whether it says that it accepts connections.
func (e *engine) run() bool {
	e.cmd = exec.Command(e.args[0], e.args[1:]...)
	stdout, err := e.cmd.StdoutPipe()
	require.NoError(e.t, err)
	require.NoError(e.t, e.cmd.Start())
	log := bufio.NewScanner(stdout)
	for log.Scan() {
		if strings.Contains(log.Text(), "Ready to accept connections") {
			go func() { _, _ = io.Copy(io.Discard, stdout) }()
			return true
		}
	}
	_ = e.cmd.Wait()
	return false
}

func (e *engine) start() { require.True(e.t, e.run(), "redis-server does not start again") }

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
	// A copy connects when it is started, in the background; what follows does not depend
	// on when it does.
	_, _ = s.Members(e.t.Context(), 0)
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
