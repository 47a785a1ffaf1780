package program

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A bundleManifest is the part of deploy/manifest.json that the tests read.
type bundleManifest struct {
	Server struct {
		MCPConfig struct {
			Args []string
			Env  map[string]string
		} `json:"mcp_config"`
	}
	Tools      []struct{ Name, Description string }
	UserConfig map[string]struct {
		Required  bool
		Sensitive bool
		Default   any
	} `json:"user_config"`
}

func readBundleManifest(t *testing.T) (m bundleManifest) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(read(t, "deploy/manifest.json")), &m))
	return m
}

var placeholder = regexp.MustCompile(`^\$\{user_config\.([a-z_]+)\}$`)

// A client starts the program with the default of each setting that the user
// leaves alone, and lists the tools of the manifest.
func TestTheBundleOffersTheToolsOfItsManifest(t *testing.T) {
	t.Parallel()
	m := readBundleManifest(t)
	var env []string
	for variable, value := range m.Server.MCPConfig.Env {
		setting := m.UserConfig[placeholder.FindStringSubmatch(value)[1]]
		if setting.Default != nil {
			env = append(env, variable, fmt.Sprint(setting.Default))
		}
	}
	stdout, _, err := runProgram(t, environment(env...), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, m.Server.MCPConfig.Args...)
	require.NoError(t, err)
	var answer struct {
		Result struct{ Tools []struct{ Name string } }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &answer))
	var offered, listed []string
	for _, tool := range answer.Result.Tools {
		offered = append(offered, tool.Name)
	}
	for _, tool := range m.Tools {
		require.NotEmpty(t, tool.Description, tool.Name)
		listed = append(listed, tool.Name)
	}
	require.ElementsMatch(t, offered, listed)
}

func TestTheBundleSetsVariablesOfTheProgram(t *testing.T) {
	t.Parallel()
	m := readBundleManifest(t)
	known := variables.FindAllString(help(t), -1)
	for variable := range m.Server.MCPConfig.Env {
		require.Contains(t, known, variable)
	}
}

// A client passes the placeholder itself where a setting has neither a value nor
// a default.
func TestTheSettingsOfTheBundleHaveDefaultsUnlessRequired(t *testing.T) {
	t.Parallel()
	m := readBundleManifest(t)
	var used []string
	for _, value := range m.Server.MCPConfig.Env {
		match := placeholder.FindStringSubmatch(value)
		require.NotNil(t, match, value)
		used = append(used, match[1])
	}
	for name, setting := range m.UserConfig {
		require.True(t, slices.Contains(used, name), "no variable uses %s", name)
		require.True(t, setting.Required != (setting.Default != nil), "%s is either required or has a default", name)
		require.Equal(t, strings.Contains(name, "secret"), setting.Sensitive, name)
	}
	require.Len(t, m.UserConfig, len(used))
}
