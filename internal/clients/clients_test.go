package clients_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/clients"
)

const endpoint = "https://mcp.example.com/mcp"

func find(t *testing.T, name string) clients.Client {
	t.Helper()
	c, err := clients.Find(name)
	require.NoError(t, err)
	return c
}

func config(t *testing.T, name string, o clients.Options) clients.Config {
	t.Helper()
	got, err := find(t, name).Config(o)
	require.NoError(t, err, name)
	return got
}

// choices are the ways to use a server.
var choices = map[string]clients.Options{
	"stdio":               {},
	"stdio with a path":   {Command: `C:\Program Files\it's "here"\twilio-conversations-mcp.exe`},
	"HTTP":                {URL: endpoint},
	"HTTP with a token":   {URL: endpoint, Token: true},
	"HTTP on the machine": {URL: "http://127.0.0.1:8080/mcp"},
}

// each calls check with every config that there is.
func each(t *testing.T, check func(t *testing.T, c clients.Client, o clients.Options, got clients.Config)) {
	t.Helper()
	for _, c := range clients.All() {
		for name, o := range choices {
			if c.Name == "claude-desktop" && o.URL != "" || c.Name == "n8n" && o.URL == "" {
				continue
			}
			t.Run(c.Name+" "+name, func(t *testing.T) {
				t.Parallel()
				check(t, c, o, config(t, c.Name, o))
			})
		}
	}
}

func TestEveryClientHasItsExactEntries(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct{ stdio, http string }{
		"claude-code": {
			`{"mcpServers": {"twilio-conversations": {"type": "stdio", "command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${TWILIO_API_KEY:-}", "TWILIO_API_SECRET": "${TWILIO_API_SECRET:-}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"type": "http", "url": "https://mcp.example.com/mcp",
				"headers": {"Authorization": "Bearer ${MCP_AUTH_TOKEN:-}"}}}}`,
		},
		"claude-desktop": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "YOUR_TWILIO_API_KEY", "TWILIO_API_SECRET": "YOUR_TWILIO_API_SECRET"}}}}`, ``,
		},
		"cursor": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${env:TWILIO_API_KEY}", "TWILIO_API_SECRET": "${env:TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"url": "https://mcp.example.com/mcp",
				"headers": {"Authorization": "Bearer ${env:MCP_AUTH_TOKEN}"}}}}`,
		},
		"vscode": {
			`{"inputs": [
				{"type": "promptString", "id": "TWILIO_API_KEY", "description": "SID of a Twilio API key (SK...)", "password": true},
				{"type": "promptString", "id": "TWILIO_API_SECRET", "description": "Secret of the Twilio API key", "password": true}],
			  "servers": {"twilio-conversations": {"type": "stdio", "command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${input:TWILIO_API_KEY}", "TWILIO_API_SECRET": "${input:TWILIO_API_SECRET}"}}}}`,
			`{"inputs": [{"type": "promptString", "id": "MCP_AUTH_TOKEN", "description": "Bearer token of the MCP server", "password": true}],
			  "servers": {"twilio-conversations": {"type": "http", "url": "https://mcp.example.com/mcp",
				"headers": {"Authorization": "Bearer ${input:MCP_AUTH_TOKEN}"}}}}`,
		},
		"codex": {
			"[mcp_servers.twilio-conversations]\ncommand = \"twilio-conversations-mcp\"\nenv_vars = [\"TWILIO_API_KEY\", \"TWILIO_API_SECRET\"]\n",
			"[mcp_servers.twilio-conversations]\nurl = \"https://mcp.example.com/mcp\"\nbearer_token_env_var = \"MCP_AUTH_TOKEN\"\n",
		},
		"gemini": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${TWILIO_API_KEY:-}", "TWILIO_API_SECRET": "${TWILIO_API_SECRET:-}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"type": "http", "url": "https://mcp.example.com/mcp",
				"headers": {"Authorization": "Bearer ${MCP_AUTH_TOKEN:-}"}}}}`,
		},
		"cline": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${env:TWILIO_API_KEY}", "TWILIO_API_SECRET": "${env:TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"type": "streamableHttp", "url": "https://mcp.example.com/mcp",
				"headers": {"Authorization": "Bearer ${env:MCP_AUTH_TOKEN}"}}}}`,
		},
		"zed": {
			`{"context_servers": {"twilio-conversations": {"command": "twilio-conversations-mcp", "args": []}}}`,
			`{"context_servers": {"twilio-conversations": {"url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer YOUR_MCP_AUTH_TOKEN"}}}}`,
		},
		"windsurf": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${env:TWILIO_API_KEY}", "TWILIO_API_SECRET": "${env:TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"serverUrl": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${env:MCP_AUTH_TOKEN}"}}}}`,
		},
		"copilot": {
			`{"mcpServers": {"twilio-conversations": {"type": "local", "command": "twilio-conversations-mcp", "args": [], "tools": ["*"],
				"env": {"TWILIO_API_KEY": "${TWILIO_API_KEY}", "TWILIO_API_SECRET": "${TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"type": "http", "url": "https://mcp.example.com/mcp", "tools": ["*"],
				"headers": {"Authorization": "Bearer ${MCP_AUTH_TOKEN}"}}}}`,
		},
		"opencode": {
			`{"mcp": {"twilio-conversations": {"type": "local", "enabled": true, "command": ["twilio-conversations-mcp"],
				"environment": {"TWILIO_API_KEY": "{env:TWILIO_API_KEY}", "TWILIO_API_SECRET": "{env:TWILIO_API_SECRET}"}}}}`,
			`{"mcp": {"twilio-conversations": {"type": "remote", "enabled": true, "url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer {env:MCP_AUTH_TOKEN}"}}}}`,
		},
		"qwen": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${TWILIO_API_KEY}", "TWILIO_API_SECRET": "${TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"httpUrl": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${MCP_AUTH_TOKEN}"}}}}`,
		},
		"continue": {
			`{"name": "twilio-conversations", "version": "1.0.0", "schema": "v1", "mcpServers": [{"name": "twilio-conversations", "command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${{ secrets.TWILIO_API_KEY }}", "TWILIO_API_SECRET": "${{ secrets.TWILIO_API_SECRET }}"}}]}`,
			`{"name": "twilio-conversations", "version": "1.0.0", "schema": "v1", "mcpServers": [{"name": "twilio-conversations", "type": "streamable-http", "url": "https://mcp.example.com/mcp",
				"requestOptions": {"headers": {"Authorization": "Bearer ${{ secrets.MCP_AUTH_TOKEN }}"}}}]}`,
		},
		"goose": {
			`{"extensions": {"twilio-conversations": {"type": "stdio", "name": "twilio-conversations", "enabled": true, "timeout": 300, "cmd": "twilio-conversations-mcp", "args": [],
				"env_keys": ["TWILIO_API_KEY", "TWILIO_API_SECRET"]}}}`,
			`{"extensions": {"twilio-conversations": {"type": "streamable_http", "name": "twilio-conversations", "enabled": true, "timeout": 300, "uri": "https://mcp.example.com/mcp",
				"headers": {"Authorization": "Bearer YOUR_MCP_AUTH_TOKEN"}}}}`,
		},
		"kiro": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${TWILIO_API_KEY}", "TWILIO_API_SECRET": "${TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${MCP_AUTH_TOKEN}"}}}}`,
		},
		"jetbrains": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "YOUR_TWILIO_API_KEY", "TWILIO_API_SECRET": "YOUR_TWILIO_API_SECRET"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer YOUR_MCP_AUTH_TOKEN"}}}}`,
		},
		"mcporter": {
			`{"mcpServers": {"twilio-conversations": {"command": "twilio-conversations-mcp",
				"env": {"TWILIO_API_KEY": "${TWILIO_API_KEY}", "TWILIO_API_SECRET": "${TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"baseUrl": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${MCP_AUTH_TOKEN}"}}}}`,
		},
		"librechat": {
			`{"mcpServers": {"twilio-conversations": {"type": "stdio", "command": "twilio-conversations-mcp", "args": [],
				"env": {"TWILIO_API_KEY": "${TWILIO_API_KEY}", "TWILIO_API_SECRET": "${TWILIO_API_SECRET}"}}}}`,
			`{"mcpServers": {"twilio-conversations": {"type": "streamable-http", "url": "https://mcp.example.com/mcp", "headers": {"Authorization": "Bearer ${MCP_AUTH_TOKEN}"}}}}`,
		},
		"n8n": {
			``, `{"nodes": [{"type": "@n8n/n8n-nodes-langchain.mcpClientTool", "typeVersion": 1.2, "position": [0, 0], "name": "twilio-conversations",
				"parameters": {"endpointUrl": "https://mcp.example.com/mcp", "serverTransport": "httpStreamable", "authentication": "bearerAuth"}}], "connections": {}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			same := func(want, got string) {
				switch find(t, name).Language() {
				case "toml":
					require.Equal(t, want, got)
				case "yaml":
					require.YAMLEq(t, want, got)
				default:
					require.JSONEq(t, want, got)
				}
			}
			if want.stdio != "" {
				same(want.stdio, config(t, name, clients.Options{}).Entry)
			}
			if want.http != "" {
				same(want.http, config(t, name, clients.Options{URL: endpoint, Token: true}).Entry)
			}
		})
	}
}

// Flags of the server that a person gives are in the entry, where the client reads them.
func TestFlagsAreInEveryEntry(t *testing.T) {
	t.Parallel()
	for _, c := range clients.All() {
		if c.Name == "n8n" {
			continue
		}
		entry := config(t, c.Name, clients.Options{Args: []string{"--sandbox", "--edge=dublin"}}).Entry
		require.Regexp(t, `"--sandbox",\s*"--edge=dublin"`, entry, c.Name)
		require.Equal(t, config(t, c.Name, clients.Options{}).Entry, config(t, c.Name, clients.Options{Args: []string{}}).Entry, c.Name)
	}
}

func TestEveryEntryIsAReadableDocument(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c clients.Client, o clients.Options, got clients.Config) {
		require.True(t, strings.HasSuffix(got.Entry, "\n"))
		if c.Language() != "json" || c.Name == "n8n" {
			return // TOML is read in .ci/clients
		}
		var file map[string]any
		require.NoError(t, json.Unmarshal([]byte(got.Entry), &file))
		entry := serverIn(t, file)
		if o.Command != "" && c.Name != "opencode" {
			require.Equal(t, o.Command, entry["command"])
		}
		require.Contains(t, got.Entry, "\n  ", "people read it")
	})
}

// serverIn returns the server's entry, whatever the file calls its servers.
func serverIn(t *testing.T, file map[string]any) map[string]any {
	t.Helper()
	for _, member := range file {
		if servers, ok := member.(map[string]any); ok {
			require.Contains(t, servers, clients.DefaultName)
			return servers[clients.DefaultName].(map[string]any)
		}
	}
	require.Fail(t, "the file has no servers")
	return nil
}

// Secrets are in the environment of the process that prints an entry. None may leave it.
func TestNoEntryContainsASecret(t *testing.T) {
	const secret = "hunter2-of-the-environment"
	for _, name := range []string{"TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_AUTH_TOKEN", "MCP_AUTH_TOKEN"} {
		t.Setenv(name, secret)
	}
	for _, c := range clients.All() {
		for _, o := range choices {
			got, err := c.Config(o)
			if err != nil {
				continue
			}
			for _, text := range []string{got.Entry, got.Command, got.Link} {
				decoded, err := url.QueryUnescape(text)
				require.NoError(t, err)
				require.NotContains(t, text+decoded, secret)
			}
		}
	}
}

func TestALinkInstallsTheEntry(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, c clients.Client, _ clients.Options, got clients.Config) {
		if got.Link == "" {
			require.NotContains(t, []string{"cursor", "vscode"}, c.Name)
			return
		}
		link, err := url.Parse(got.Link)
		require.NoError(t, err)
		require.Equal(t, "https", link.Scheme)
		require.NotContains(t, link.RawQuery, "+", "some decoders keep a plus sign")
		require.Equal(t, clients.DefaultName, link.Query().Get("name"))
		inner := []byte(link.Query().Get("config"))
		if c.Name == "cursor" {
			inner, err = base64.StdEncoding.DecodeString(string(inner))
			require.NoError(t, err)
		}
		var file, entry map[string]any
		require.NoError(t, json.Unmarshal([]byte(got.Entry), &file))
		require.NoError(t, json.Unmarshal(inner, &entry))
		require.Equal(t, serverIn(t, file), entry)
		if inputs := link.Query().Get("inputs"); inputs != "" || file["inputs"] != nil {
			var decoded any
			require.NoError(t, json.Unmarshal([]byte(inputs), &decoded))
			require.Equal(t, file["inputs"], decoded)
		}
	})
}

// MCP_AUTH_TOKEN may be set in the environment of whoever prints an entry.
func TestATokenChangesNoEntryForStdio(t *testing.T) {
	t.Parallel()
	for _, c := range clients.All() {
		if c.Name != "n8n" {
			require.Equal(t, config(t, c.Name, clients.Options{}), config(t, c.Name, clients.Options{Token: true}), c.Name)
		}
	}
}

func TestTheServerCanHaveAnotherName(t *testing.T) {
	t.Parallel()
	for _, c := range clients.All() {
		for _, o := range choices {
			o.Name = "other_name-1"
			got, err := c.Config(o)
			if err != nil {
				continue
			}
			for _, text := range []string{got.Entry, got.Command, got.Link} {
				require.True(t, text == "" || strings.Contains(text, o.Name), text)
				require.NotContains(t, strings.ReplaceAll(text, clients.DefaultCommand, ""), clients.DefaultName, c.Name)
			}
		}
	}
}

func TestCommandsAreQuotedForTheShell(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		client string
		o      clients.Options
		want   string
	}{
		{"claude-code", clients.Options{}, `claude mcp add '--env=TWILIO_API_KEY=${TWILIO_API_KEY:-}' '--env=TWILIO_API_SECRET=${TWILIO_API_SECRET:-}' --scope user ` +
			`twilio-conversations -- twilio-conversations-mcp`},
		{"claude-code", clients.Options{URL: endpoint}, `claude mcp add --transport http --scope user twilio-conversations https://mcp.example.com/mcp`},
		{"claude-code", clients.Options{URL: endpoint, Token: true, Windows: true}, `claude mcp add --transport http --header 'Authorization: Bearer ${MCP_AUTH_TOKEN:-}' --scope user ` +
			`twilio-conversations https://mcp.example.com/mcp`},
		{"claude-code", clients.Options{Command: `C:\it's "here"\mcp.exe`, Windows: true}, `claude mcp add '--env=TWILIO_API_KEY=${TWILIO_API_KEY:-}' '--env=TWILIO_API_SECRET=${TWILIO_API_SECRET:-}' --scope user ` +
			`twilio-conversations -- 'C:\it''s \"here\"\mcp.exe'`},
		{"claude-code", clients.Options{Args: []string{"--sandbox", "--toolsets=webhooks,manage"}}, `claude mcp add '--env=TWILIO_API_KEY=${TWILIO_API_KEY:-}' '--env=TWILIO_API_SECRET=${TWILIO_API_SECRET:-}' --scope user ` +
			`twilio-conversations -- twilio-conversations-mcp --sandbox '--toolsets=webhooks,manage'`},
		{"gemini", clients.Options{Args: []string{"--sandbox"}}, `gemini mcp add --scope user '--env=TWILIO_API_KEY=${TWILIO_API_KEY:-}' '--env=TWILIO_API_SECRET=${TWILIO_API_SECRET:-}' ` +
			`twilio-conversations twilio-conversations-mcp --sandbox`},
		{"qwen", clients.Options{URL: endpoint}, `qwen mcp add --scope user --transport http twilio-conversations https://mcp.example.com/mcp`},
		{"gemini", clients.Options{}, `gemini mcp add --scope user '--env=TWILIO_API_KEY=${TWILIO_API_KEY:-}' '--env=TWILIO_API_SECRET=${TWILIO_API_SECRET:-}' ` +
			`twilio-conversations twilio-conversations-mcp`},
		{"gemini", clients.Options{URL: endpoint, Token: true}, `gemini mcp add --scope user --transport http --header 'Authorization: Bearer ${MCP_AUTH_TOKEN:-}' ` +
			`twilio-conversations https://mcp.example.com/mcp`},
		{"gemini", clients.Options{Command: "/it's here/mcp"}, `gemini mcp add --scope user '--env=TWILIO_API_KEY=${TWILIO_API_KEY:-}' ` +
			`'--env=TWILIO_API_SECRET=${TWILIO_API_SECRET:-}' twilio-conversations '/it'\''s here/mcp'`},
		{"codex", clients.Options{URL: endpoint, Token: true}, `codex mcp add twilio-conversations --url https://mcp.example.com/mcp --bearer-token-env-var MCP_AUTH_TOKEN`},
		{"codex", clients.Options{}, ``},
		{"vscode", clients.Options{URL: endpoint}, `code --add-mcp '{"name":"twilio-conversations","type":"http","url":"https://mcp.example.com/mcp"}'`},
		{"vscode", clients.Options{URL: endpoint, Windows: true}, `code --add-mcp '{\"name\":\"twilio-conversations\",\"type\":\"http\",\"url\":\"https://mcp.example.com/mcp\"}'`},
		{"vscode", clients.Options{}, ``},
		{"vscode", clients.Options{URL: endpoint, Token: true}, ``},
		{"cursor", clients.Options{}, ``},
	} {
		require.Equal(t, tc.want, config(t, tc.client, tc.o).Command, "%s %+v", tc.client, tc.o)
	}
}

func TestAnOptionThatIsNotValidIsRefused(t *testing.T) {
	t.Parallel()
	absolute := "the URL must be an absolute http or https URL, such as https://mcp.example.com/mcp"
	bare := "the URL must not contain credentials, a query or a fragment"
	for _, tc := range []struct {
		client string
		o      clients.Options
		want   string
	}{
		{"cursor", clients.Options{URL: "mcp.example.com/mcp"}, absolute},
		{"cursor", clients.Options{URL: "/mcp"}, absolute},
		{"cursor", clients.Options{URL: "javascript:alert(1)"}, absolute},
		{"cursor", clients.Options{URL: "https://%zz/"}, absolute},
		{"cursor", clients.Options{URL: "https://mcp.example.com/mcp\n[other]"}, absolute},
		{"codex", clients.Options{URL: "https://user:hunter2@mcp.example.com/mcp"}, bare},
		{"codex", clients.Options{URL: "https://mcp.example.com/mcp?token=hunter2"}, bare},
		{"codex", clients.Options{URL: "https://mcp.example.com/mcp#hunter2"}, bare},
		{"codex", clients.Options{Command: "mcp\n[mcp_servers.other]"}, `the command "mcp\n[mcp_servers.other]" and its arguments must not contain control characters`},
		{"codex", clients.Options{Name: "a.b]"}, `the server name "a.b]" must consist of letters, digits, - and _`},
		{"claude-desktop", clients.Options{URL: endpoint}, "Claude Desktop takes no URL from its configuration file: " +
			"add https://mcp.example.com/mcp under Settings → Connectors → Add custom connector"},
	} {
		got, err := find(t, tc.client).Config(tc.o)
		require.EqualError(t, err, tc.want)
		require.Empty(t, got)
	}
}

func TestClientsAreFoundByName(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"claude-code", "claude-desktop", "cursor", "vscode", "codex", "gemini", "copilot", "opencode", "qwen", "cline", "continue", "goose", "kiro",
		"jetbrains", "zed", "windsurf", "mcporter", "librechat", "n8n"}, clients.Names())
	for alias, name := range map[string]string{"claude": "claude-code", "VS-Code": "vscode", "copilot-cli": "copilot", "qwen-code": "qwen", "junie": "jetbrains", "cn": "continue"} {
		require.Equal(t, name, find(t, alias).Name)
	}
	for _, name := range clients.Names() {
		c := find(t, strings.ToUpper(name))
		require.Equal(t, name, c.Name)
		for _, text := range []string{c.Title, c.File, c.Secrets} {
			require.NotEmpty(t, text, name)
		}
		require.True(t, strings.HasPrefix(c.Source, "https://"), name)
	}
	_, err := clients.Find("emacs")
	require.EqualError(t, err, `unknown client "emacs": valid are `+strings.Join(clients.Names(), ", "))
	clients.All()[0].Name = "changed"
	require.Equal(t, "claude-code", clients.Names()[0], "callers get a copy")
}

func TestOnlyTheEntryIsOnStandardOutput(t *testing.T) {
	t.Parallel()
	const hint = "If the server requires a bearer token, set MCP_AUTH_TOKEN and run this command again.\n"
	for _, tc := range []struct {
		client string
		o      clients.Options
		want   string
	}{
		{"codex", clients.Options{}, "Add this to `~/.codex/config.toml`.\nThe entry names environment variables, which Codex passes on.\n"},
		{"codex", clients.Options{URL: endpoint}, "Add this to `~/.codex/config.toml`.\n" + hint + "Or run: codex mcp add twilio-conversations --url https://mcp.example.com/mcp\n"},
		{"cursor", clients.Options{URL: endpoint}, "Add this to `~/.cursor/mcp.json`, or `.cursor/mcp.json` in the project.\n" + hint +
			"Or open: https://cursor.com/en/install-mcp?name=twilio-conversations&config=eyJ1cmwiOiJodHRwczovL21jcC5leGFtcGxlLmNvbS9tY3AifQ%3D%3D\n"},
	} {
		var stdout, stderr strings.Builder
		require.NoError(t, clients.Print(&stdout, &stderr, tc.client, tc.o))
		require.Equal(t, config(t, tc.client, tc.o).Entry, stdout.String())
		require.Equal(t, tc.want, stderr.String())
	}
	var stdout, stderr strings.Builder
	require.EqualError(t, clients.Print(&stdout, &stderr, "emacs", clients.Options{}), `unknown client "emacs": valid are `+strings.Join(clients.Names(), ", "))
	require.Error(t, clients.Print(&stdout, &stderr, "claude-desktop", clients.Options{URL: endpoint}))
	require.Empty(t, stdout.String()+stderr.String())
}

// The versions are those that .ci/clients connects.
func TestTheTriedVersionsAreThoseOfTheCheck(t *testing.T) {
	t.Parallel()
	var pinned struct{ DevDependencies map[string]string }
	for _, name := range []string{"package.json", "unlocked/package.json"} {
		b, err := os.ReadFile("../../.ci/clients/" + name)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(b, &pinned)) // which adds to the map
	}
	packages := map[string]string{
		"@anthropic-ai/claude-code": "claude-code", "@google/gemini-cli": "gemini", "@openai/codex": "codex", "@github/copilot": "copilot", "opencode-ai": "opencode",
		"@qwen-code/qwen-code": "qwen", "cline": "cline", "@continuedev/cli": "continue", "mcporter": "mcporter",
	}
	tried := map[string]string{}
	for name, client := range packages {
		tried[client] = pinned.DevDependencies[name]
	}
	for _, c := range clients.All() {
		require.Equal(t, tried[c.Name], c.Tried, c.Name)
	}
}

func TestEveryClientIsPrinted(t *testing.T) {
	t.Parallel()
	for _, client := range clients.All() {
		o := clients.Options{}
		if client.Name == "n8n" {
			_, err := client.Config(o)
			require.EqualError(t, err, "n8n starts no servers: start this one with --http, and give its address as --url")
			o.URL = endpoint
		}
		var stdout, stderr bytes.Buffer
		require.NoError(t, clients.Print(&stdout, &stderr, client.Name, o), client.Name)
		config, err := client.Config(o)
		require.NoError(t, err)
		require.Equal(t, config.Entry, stdout.String())
		require.Contains(t, stderr.String(), client.File)
		require.Contains(t, stderr.String(), config.Command)
	}
}
