package main

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
)

const module = "twilio-conversations-mcp"

// imports returns what each of our packages imports, without their tests.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	require.NoError(t, err)
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		all[fields[0]] = fields[1:]
	}
	return all
}

// The arrows of the house: who may know whom among our own packages.
func TestArrowsPointOneWay(t *testing.T) {
	t.Parallel()
	arrows := map[string][]string{
		module:                        {"/internal/config", "/internal/serve", "/tools", "/twilioapi", "/twilioapi/sandbox"},
		module + "/internal/config":   {"/internal/serve", "/twilioapi"},
		module + "/internal/serve":    {},
		module + "/schemas":           {},
		module + "/tools":             {"/schemas", "/twilioapi"},
		module + "/twilioapi":         {},
		module + "/twilioapi/sandbox": {},
	}
	all := imports(t)
	require.Len(t, all, len(arrows), "a package without a place in the house")
	for pkg, imported := range all {
		for _, path := range imported {
			if strings.HasPrefix(path, module+"/") {
				require.Contains(t, arrows[pkg], strings.TrimPrefix(path, module), "%s must not import %s", pkg, path)
			}
		}
	}
}

// Each library has its rooms.
func TestLibrariesStayInTheirRooms(t *testing.T) {
	t.Parallel()
	rooms := map[string][]string{
		"github.com/alecthomas/kong":               {"/internal/config"},
		"github.com/go-json-experiment/json":       {"/twilioapi"},
		"github.com/mark3labs/mcp-go":              {"/internal/config", "/internal/serve", "/tools"},
		"github.com/santhosh-tekuri/jsonschema/v6": {"/tools"},
	}
	for pkg, imported := range imports(t) {
		for _, path := range imported {
			if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
				continue // the standard library
			}
			known := slices.ContainsFunc(slices.Collect(maps.Keys(rooms)), func(library string) bool {
				return strings.HasPrefix(path, library) && slices.Contains(rooms[library], strings.TrimPrefix(pkg, module))
			})
			require.True(t, known, "%s must not import %s", pkg, path)
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	return string(b)
}

// help is the whole surface as --help shows it.
func help(t *testing.T) string {
	t.Helper()
	stdout, _, err := program(t, environment(), "", "--help")
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
	for _, tool := range tools.All(nil) {
		require.Contains(t, readme, "`"+tool.Tool.Name+"`")
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
	stdout, _, err := program(t, environment(), "", "call", "--sandbox", command[1], command[2])
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```json\n(.*?)```").FindStringSubmatch(readme)
	require.NotNil(t, block)
	require.Equal(t, stdout, block[1])
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
	require.Len(t, example.Servers, 3)
	surface := help(t)
	for name, server := range example.Servers {
		if server.URL != "" {
			require.Equal(t, "http://127.0.0.1:8080/mcp", server.URL, name)
			require.Contains(t, read(t, "README.md"), "--http 127.0.0.1:8080", "how the server of that address is started")
			continue
		}
		require.Equal(t, module, server.Command, name)
		for variable := range server.Env {
			require.Contains(t, variables.FindAllString(surface, -1), variable)
		}
		var env []string
		for variable, value := range server.Env {
			env = append(env, variable, value)
		}
		stdout, _, err := program(t, environment(env...), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, server.Args...)
		require.NoError(t, err, name)
		require.Contains(t, stdout, `"create_conversation_webhook"`, name)
	}
	require.Contains(t, read(t, "README.md"), text, "the README shows it")
}
