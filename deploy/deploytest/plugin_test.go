package deploytest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The manifests of the three tools say the same, name files that exist, and hold no
// secret.
func TestThePluginsAgree(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "plugin")
	type manifest struct{ Name, Version, Description, License, Skills, MCPServers string }
	var first manifest
	for _, tool := range []string{"claude", "cursor", "codex"} {
		var m manifest
		read(t, filepath.Join(root, "."+tool+"-plugin", "plugin.json"), &m)
		require.FileExists(t, filepath.Join(root, m.MCPServers))
		require.DirExists(t, filepath.Join(root, m.Skills))
		var servers struct {
			MCPServers map[string]struct {
				Command string
				Args    []string
				Env     map[string]string
			}
		}
		read(t, filepath.Join(root, m.MCPServers), &servers)
		server := servers.MCPServers["twilio-conversations"]
		require.Equal(t, "twilio-conversations-mcp", server.Command)
		require.Equal(t, []string{"--toolsets", "webhooks,manage,conversations"}, server.Args)
		for name, value := range server.Env {
			require.Regexp(t, `^\$\{(env:)?`+name+`\}$`, value)
		}
		if m.MCPServers = ""; first.Name == "" {
			first = m
		}
		require.Equal(t, first, m, tool)
	}
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, into), file)
}
