package clients_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/clients"
)

var update = flag.Bool("update", false, "write deploy/clients.md from the table of clients")

const guideFile = "../../deploy/clients.md"

func TestTheGuideComesFromTheTable(t *testing.T) {
	t.Parallel()
	want := guide(t)
	if *update {
		require.NoError(t, os.WriteFile(guideFile, []byte(want), 0o644))
	}
	got, err := os.ReadFile(guideFile)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "stale: run go test ./internal/clients -update")
}

// guide describes every client with its entries.
func guide(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Entries for AI tools\n\n" +
		"`twilio-conversations-mcp config CLIENT` prints the first entry of a client, and with `--url URL` the second.\n" +
		"This page is generated from the same table: `go test ./internal/clients -update`.\n")
	for _, c := range clients.All() {
		fmt.Fprintf(&b, "\n## %s\n\nFile: %s. %s Format: <%s>.\n\nStarted by the client:\n\n", c.Title, c.File, c.Secrets, c.Source)
		writeConfig(&b, c, clients.Options{})
		b.WriteString("\nOver HTTP, with a bearer token:\n\n")
		writeConfig(&b, c, clients.Options{URL: "https://mcp.example.com/mcp", Token: true})
	}
	return b.String()
}

func writeConfig(b *strings.Builder, c clients.Client, o clients.Options) {
	config, err := c.Config(o)
	if err != nil {
		fmt.Fprintf(b, "%s.\n", err)
		return
	}
	fmt.Fprintf(b, "```%s\n%s```\n", c.Language(), config.Entry)
	if config.Command != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", config.Command)
	}
	o.Windows = true
	if windows, _ := c.Config(o); windows.Command != config.Command {
		fmt.Fprintf(b, "\nIn PowerShell:\n\n```powershell\n%s\n```\n", windows.Command)
	}
	if config.Link != "" {
		fmt.Fprintf(b, "\n[Install](%s)\n", config.Link)
	}
}
