package program

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
)

// root is the root of the repository.
const root = "../.."

// read returns the text of a file of the repository.
func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, file))
	require.NoError(t, err)
	return string(b)
}

// help is the whole surface as --help shows it.
func help(t *testing.T) string {
	t.Helper()
	stdout, _, err := runProgram(t, environment(), "", "--help")
	require.NoError(t, err)
	return stdout
}

var (
	flags     = regexp.MustCompile(`--[a-z][a-z-]+`)
	variables = regexp.MustCompile(`\b(?:TWILIO|MCP)_[A-Z_]+\b`)
)

func TestTheReadmeNamesEverySettingAndTool(t *testing.T) {
	t.Parallel()
	readme, surface := read(t, "README.md"), help(t)
	for _, name := range append(flags.FindAllString(surface, -1), variables.FindAllString(surface, -1)...) {
		require.True(t, strings.Contains(readme, "`"+name), "the README does not name %s", name)
	}
	offered, err := tools.Select(tools.Selection{Toolsets: []string{"all"}})
	require.NoError(t, err)
	for _, tool := range offered {
		require.Contains(t, readme, "`"+tool.Definition.Name+"`")
	}
	for _, name := range variables.FindAllString(readme, -1) {
		require.Contains(t, surface, name, "the README names a variable that is not there")
	}
}

// What the README prints is what its first command prints.
func TestTheReadmeShowsTheRealOutput(t *testing.T) {
	t.Parallel()
	readme := read(t, "README.md")
	command := regexp.MustCompile(`go run \. call --sandbox (\w+) '([^']+)'`).FindStringSubmatch(readme)
	require.NotNil(t, command)
	stdout, _, err := runProgram(t, environment(), "", "call", "--sandbox", command[1], command[2])
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(readme)
	require.NotNil(t, block)
	require.Contains(t, stdout, block[1])
	require.LessOrEqual(t, strings.Count(block[1], "\n"), 15)
}

func TestTheReadmeIsShort(t *testing.T) {
	t.Parallel()
	require.Less(t, strings.Count(read(t, "README.md"), "\n"), 240)
}

// Every link to a file leads to one.
func TestTheLinksOfTheDocumentsWork(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "bench/README.md", "deploy/README.md"} {
		for _, link := range regexp.MustCompile(`\]\(([^):#]+)\)`).FindAllStringSubmatch(read(t, file), -1) {
			_, err := os.Stat(filepath.Join(root, filepath.Dir(file), link[1]))
			require.NoError(t, err, file)
		}
	}
}

func TestTheExampleConfigurationWorks(t *testing.T) {
	t.Parallel()
	var example struct {
		Servers map[string]struct {
			Command string
			Args    []string
			Env     map[string]string
			Type    string
			URL     string
		} `json:"mcpServers"`
	}
	text := read(t, "mcp.json.example")
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&example))
	require.Len(t, example.Servers, 4)
	surface := help(t)
	for name, server := range example.Servers {
		if server.URL != "" {
			require.Contains(t, []string{"http://127.0.0.1:8080/mcp", "http://127.0.0.1:8080/docs/mcp"}, server.URL, name)
			require.Contains(t, read(t, "README.md"), "--http 127.0.0.1:8080", "how the server of that address is started")
			continue
		}
		require.Equal(t, "twilio-conversations-mcp", server.Command, name)
		for variable := range server.Env {
			require.Contains(t, variables.FindAllString(surface, -1), variable)
		}
		var env []string
		for variable, value := range server.Env {
			env = append(env, variable, value)
		}
		stdout, _, err := runProgram(t, environment(env...), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, server.Args...)
		require.NoError(t, err, name)
		require.Contains(t, stdout, `"create_conversation_webhook"`, name)
	}
	require.Contains(t, read(t, "README.md"), text, "the README shows it")
}
