package deploytest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// program returns the path of the program, which it builds once.
var program = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "deploytest")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "twilio-conversations-mcp")
	build := exec.Command("go", "build", "-C", "../..", "-o", path, ".")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, _ := program(); path != "" {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// command returns the program as a command that is killed when the test ends.
// Its environment holds the given variables and nothing else.
func command(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Env = append([]string{}, env...) // not nil, which would be the environment of the test
	return cmd
}

var variablePattern = regexp.MustCompile(`\b(?:TWILIO|MCP)_[A-Z_]+\b`)

// help returns the flags and the environment variables that --help names.
func help(t *testing.T) (flags, variables []string) {
	t.Helper()
	out, err := command(t, nil, "--help").Output()
	require.NoError(t, err)
	flags = regexp.MustCompile(`--[a-z][a-z-]+`).FindAllString(string(out), -1)
	return flags, variablePattern.FindAllString(string(out), -1)
}

// start starts the program, which must log JSON, and returns the URL that it
// serves, such as http://127.0.0.1:8080.
func start(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := command(t, env, args...)
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Wait() })

	listening := regexp.MustCompile(`"url":"(http://[^"]+)/mcp"`)
	var log []string
	for lines := bufio.NewScanner(stderr); lines.Scan(); {
		log = append(log, lines.Text())
		if match := listening.FindStringSubmatch(lines.Text()); match != nil {
			go func() { _, _ = io.Copy(io.Discard, stderr) }()
			return match[1]
		}
	}
	require.Fail(t, "the program did not start", strings.Join(log, "\n"))
	return ""
}
