package program

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// startUnread starts the program with a standard error that is never read. The
// upstream sends surplus bytes after each response.
func startUnread(t *testing.T) (cmd *exec.Cmd, stdin io.WriteCloser, stdout io.ReadCloser) {
	t.Helper()
	surplus := []byte("HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n" + strings.Repeat("hunter2 ", 512))
	cmd = exec.Command(build(t), "--timeout=3s", "--log-level=debug")
	cmd.Env = []string{"TWILIO_BASE_URL=" + rawUpstream(t, listAnswer(t), surplus), "TWILIO_API_KEY=" + apiKey, "TWILIO_API_SECRET=x"}
	unread, stderr, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { _ = unread.Close(); _ = stderr.Close() })
	cmd.Stderr = stderr
	stdin, err = cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err = cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, stdin, stdout
}

// fillStandardError makes calls until their log lines are more than a pipe holds.
// Each is answered.
func fillStandardError(t *testing.T, stdin io.Writer, stdout io.Reader) {
	t.Helper()
	responses := bufio.NewReaderSize(stdout, 64<<10)
	for i := range 1000 {
		_, err := io.WriteString(stdin, listCall+"\n")
		require.NoError(t, err)
		_, err = responses.ReadSlice('\n')
		require.NoError(t, err, "call %d", i)
	}
}

// requireExit waits for the end of a process.
func requireExit(t *testing.T, cmd *exec.Cmd) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	select {
	case err := <-done:
		return err
	case <-time.After(30 * time.Second):
		require.FailNow(t, "the process does not end")
		return nil
	}
}

func TestAnUnreadStandardErrorDelaysNeitherCallsNorTheEnd(t *testing.T) {
	t.Parallel()
	cmd, stdin, stdout := startUnread(t)
	fillStandardError(t, stdin, stdout)
	require.NoError(t, stdin.Close())
	require.NoError(t, requireExit(t, cmd))
}

func TestABrokenStandardOutputEndsTheProcessDespiteAnUnreadStandardError(t *testing.T) {
	t.Parallel()
	cmd, stdin, stdout := startUnread(t)
	fillStandardError(t, stdin, stdout)
	require.NoError(t, stdout.Close())
	_, err := io.WriteString(stdin, listCall+"\n")
	require.NoError(t, err)
	require.EqualError(t, requireExit(t, cmd), "exit status 1")
}

// net/http logs surplus bytes through the default logger.
func TestTheLogHasNoBytesOfThePeer(t *testing.T) {
	t.Parallel()
	surplus := []byte("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nhunter2 ")
	cmd := exec.Command(build(t), "--log-level=debug", "--log-format=json")
	cmd.Env = []string{"TWILIO_BASE_URL=" + rawUpstream(t, listAnswer(t), surplus), "TWILIO_API_KEY=" + apiKey, "TWILIO_API_SECRET=x"}
	cmd.Stdin = strings.NewReader(strings.Repeat(listCall+"\n", 50))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Run())
	require.NotContains(t, stderr.String(), "hunter2")
	for line := range strings.Lines(stderr.String()) {
		require.True(t, strings.HasPrefix(line, "{"), fmt.Sprintf("not JSON: %s", line))
	}
}

func TestSignalsEndTheProgram(t *testing.T) {
	t.Parallel()
	path := build(t)
	start := func(args ...string) (*exec.Cmd, io.WriteCloser, *bufio.Reader) {
		cmd := exec.Command(path, append(args, "--sandbox")...)
		cmd.Env = []string{}
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd, stdin, bufio.NewReader(stdout)
	}
	const ping = `{"jsonrpc":"2.0","id":2,"method":"ping"}` + "\n"
	stuck := strings.ReplaceAll(listCall, documented, "CH"+strings.Repeat("0", 32)) + "\n" + ping

	t.Run("at once if no call is in flight", func(t *testing.T) {
		t.Parallel()
		cmd, stdin, answers := start()
		_, err := io.WriteString(stdin, ping)
		require.NoError(t, err)
		_, err = answers.ReadString('\n')
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, cmd.Wait(), "it exits with 0")
	})
	t.Run("at once after the second signal", func(t *testing.T) {
		t.Parallel()
		cmd, stdin, answers := start("--grace=1m", "--timeout=1m")
		_, err := io.WriteString(stdin, stuck)
		require.NoError(t, err)
		_, err = answers.ReadString('\n')
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for again := time.NewTicker(20 * time.Millisecond); ; {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case err := <-ended:
				require.ErrorContains(t, err, "signal: terminated")
				return
			case <-again.C:
			}
		}
	})
	t.Run("when standard output is closed", func(t *testing.T) {
		t.Parallel()
		cmd := exec.Command(path, "--sandbox")
		cmd.Env = []string{}
		cmd.Stdin = strings.NewReader(listCall + "\n")
		out, in, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, out.Close())
		cmd.Stdout = in
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err = cmd.Run()
		require.NoError(t, in.Close())
		require.EqualError(t, err, "exit status 1")
		require.Contains(t, stderr.String(), "writing standard output: ")
		require.Contains(t, stderr.String(), "tool=list_conversation_webhooks outcome=ok")
	})
}

func TestHelpThatCannotBeWrittenIsNoErrorOfUsage(t *testing.T) {
	t.Parallel()
	out, in, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, out.Close())
	cmd := exec.Command(build(t), "--help")
	cmd.Stdout = in
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	require.EqualError(t, cmd.Run(), "exit status 1")
	require.Equal(t, "twilio-conversations-mcp: write /dev/stdout: broken pipe\n", stderr.String())
}
