package clients

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInputsOfVSCodeAreMergedByTheirIDs(t *testing.T) {
	t.Parallel()
	c, err := Find("vscode")
	require.NoError(t, err)
	const before = `{"inputs": [{"id": "mine", "type": "promptString"}, {"id": "TWILIO_API_KEY", "type": "promptString", "description": "ours"}], "servers": {}}`
	after, err := c.mergeJSON([]byte(before), Options{Name: DefaultName, Command: DefaultCommand})
	require.NoError(t, err)
	require.JSONEq(t, `{
		"inputs": [{"id": "mine", "type": "promptString"}, {"id": "TWILIO_API_KEY", "type": "promptString", "description": "ours"},
			{"id": "TWILIO_API_SECRET", "type": "promptString", "description": "Secret of the Twilio API key", "password": true}],
		"servers": {"twilio-conversations": {"type": "stdio", "command": "twilio-conversations-mcp", "env": {"TWILIO_API_KEY": "${input:TWILIO_API_KEY}", "TWILIO_API_SECRET": "${input:TWILIO_API_SECRET}"}}}
	}`, string(after))
	_, err = c.mergeJSON([]byte(`{"inputs": {}}`), Options{Name: DefaultName, Command: DefaultCommand})
	require.EqualError(t, err, "its inputs are not an array")
}

func TestAFileIsFoundOnEverySystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	environment := func(name string) string {
		return map[string]string{"HOME": filepath.Join(dir, "home"), "APPDATA": filepath.Join(dir, "roaming"), "LOCALAPPDATA": filepath.Join(dir, "local")}[name]
	}
	path := func(client, goos string) string {
		c, err := Find(client)
		require.NoError(t, err)
		path, err := c.find(goos, environment)
		require.NoError(t, err)
		relative, err := filepath.Rel(dir, path)
		require.NoError(t, err)
		return filepath.ToSlash(relative)
	}
	require.Equal(t, "home/Library/Application Support/Claude/claude_desktop_config.json", path("claude-desktop", "darwin"))
	require.Equal(t, "roaming/Claude/claude_desktop_config.json", path("claude-desktop", "windows"))
	store := filepath.Join(dir, "local", "Packages", "Claude_pzs8sxrjxfjjc", "LocalCache", "Roaming", "Claude")
	require.NoError(t, os.MkdirAll(store, 0o755))
	require.Equal(t, "local/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude_desktop_config.json", path("claude-desktop", "windows"), "the one from the store is installed")
	require.Equal(t, "home/.codex/config.toml", path("codex", "windows"))
	c, err := Find("claude-desktop")
	require.NoError(t, err)
	_, err = c.find("linux", environment)
	require.ErrorContains(t, err, "knows no file of Claude Desktop on this system")
	_, err = c.find("darwin", func(string) string { return "" })
	require.EqualError(t, err, "the environment does not say where ~/Library/Application Support/Claude/claude_desktop_config.json is")
}

// Every file that is written is named to people, too.
func TestEveryFileIsInTheText(t *testing.T) {
	t.Parallel()
	for _, c := range all {
		for _, path := range []string{c.path, c.darwin, c.windows, c.windowsStore} {
			if path != "" {
				require.Contains(t, c.File, filepath.Base(path), c.Name)
			}
		}
	}
}

func TestAProxyWithAPasswordIsReferredTo(t *testing.T) {
	t.Parallel()
	o := Options{Env: []Variable{{"HTTPS_PROXY", "http://u:hunter2@proxy:3128", true}, {"NO_PROXY", "localhost", false}}}
	for _, c := range all {
		if c.httpOnly {
			continue
		}
		config, err := c.Config(o)
		require.NoError(t, err)
		require.NotContains(t, config.Entry+config.Command+config.Link, "hunter2", c.Name)
		require.Equal(t, !c.inherits, c.format == tomlFormat || len(c.environment(o)) > 1, c.Name)
	}
}
