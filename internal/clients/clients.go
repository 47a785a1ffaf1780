// Package clients knows how AI tools are configured to use this server: the
// file, the entry in it, and how a secret reaches the server without being
// written into the file, where the tool supports that.
package clients

import (
	"slices"
	"strings"
)

const (
	// DefaultName is the name of the server in an entry.
	DefaultName = "twilio-conversations"
	// DefaultCommand starts the server over stdio.
	DefaultCommand = "twilio-conversations-mcp"
)

// secretVariables hold Twilio's credentials, and tokenVariable the bearer token
// for the server over HTTP.
var secretVariables = []string{"TWILIO_API_KEY", "TWILIO_API_SECRET"}

const tokenVariable = "MCP_AUTH_TOKEN"

// A Client is an AI tool that runs or reaches MCP servers.
type Client struct {
	Name    string // on the command line
	Title   string // as its vendor writes it
	File    string // where the entry belongs, as Markdown, for each operating system where they differ
	Secrets string // how a secret reaches the server, as one or two sentences
	Source  string // URL of the documentation that the entry follows
	Tried   string // version of the client with which the entry was tried; empty if it was not

	servers    string // the member of the file that holds the servers; for TOML the table
	toml       bool   // the file is TOML, not JSON
	stdioType  string // the type member of an entry, if it needs one
	httpType   string
	urlMember  string   // the member that holds the URL; empty if the file cannot
	args       []string // the arguments, where they must be present
	reference  string   // format of a reference to an environment variable
	inherits   bool     // the server gets the client's environment, so the entry names no variable
	prompts    bool     // references are to inputs, for which the client asks
	connectors string   // where the user enters a URL, if not in the file
	command    func(Client, Options, server) string
	link       func(Client, Options, server) string
}

// all is every client, in the order in which they are listed.
var all = []Client{
	{
		Name: "claude-code", Title: "Claude Code", File: "`.mcp.json` in the project",
		Secrets: "The entry refers to environment variables.",
		// The default makes a variable that is not set empty; without it, the reference itself would be passed.
		Source:  "https://code.claude.com/docs/en/mcp#environment-variable-expansion-in-mcp-json",
		Tried:   "2.1.330",
		servers: "mcpServers", stdioType: "stdio", httpType: "http", urlMember: "url", reference: "${%s:-}", command: claudeCommand,
	},
	{
		Name: "claude-desktop", Title: "Claude Desktop",
		File: "`~/Library/Application Support/Claude/claude_desktop_config.json` (macOS), " +
			"`%APPDATA%\\Claude\\claude_desktop_config.json` (Windows)",
		Secrets: "Replace the placeholders in the file, or install the bundle (.mcpb), which stores them securely.",
		Source:  "https://modelcontextprotocol.io/docs/develop/connect-local-servers",
		servers: "mcpServers", reference: "YOUR_%s", connectors: "Settings → Connectors → Add custom connector",
	},
	{
		Name: "cursor", Title: "Cursor", File: "`~/.cursor/mcp.json`, or `.cursor/mcp.json` in the project",
		Secrets: "The entry refers to environment variables.",
		Source:  "https://cursor.com/docs/mcp#config-interpolation",
		servers: "mcpServers", urlMember: "url", reference: "${env:%s}", link: cursorLink,
	},
	{
		Name: "vscode", Title: "VS Code", File: "`.vscode/mcp.json` in the workspace",
		Secrets: "VS Code asks for them once and stores them securely.",
		Source:  "https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
		servers: "servers", stdioType: "stdio", httpType: "http", urlMember: "url", reference: "${input:%s}", prompts: true,
		command: codeCommand, link: codeLink,
	},
	{
		Name: "codex", Title: "Codex", File: "`~/.codex/config.toml`",
		Secrets: "The entry names environment variables, which Codex passes on.",
		Source:  "https://developers.openai.com/codex/mcp",
		Tried:   "0.169.0 (reads the entry)",
		servers: "mcp_servers", toml: true, urlMember: "url", command: codexCommand,
	},
	{
		Name: "gemini", Title: "Gemini CLI", File: "`~/.gemini/settings.json`, or `.gemini/settings.json` in the project",
		Secrets: "The entry refers to environment variables.",
		// httpUrl is deprecated; "gemini mcp add" writes url and type.
		Source:  "https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md",
		Tried:   "0.61.0",
		servers: "mcpServers", httpType: "http", urlMember: "url", reference: "${%s:-}", command: geminiCommand,
	},
	{
		Name: "cline", Title: "Cline", File: "`cline_mcp_settings.json` (MCP Servers → Configure MCP Servers); of the CLI: in `~/.cline/data/settings`",
		Secrets: "The entry refers to environment variables.",
		// ${env:NAME} came with https://github.com/cline/cline/pull/8079. Without the type, Cline refuses the whole file.
		Source:  "https://docs.cline.bot/mcp/adding-and-configuring-servers",
		servers: "mcpServers", httpType: "streamableHttp", urlMember: "url", reference: "${env:%s}",
	},
	{
		Name: "zed", Title: "Zed", File: "`~/.config/zed/settings.json` (macOS, Linux), `%APPDATA%\\Zed\\settings.json` (Windows)",
		Secrets: "The server inherits Zed's environment. A token for HTTP is stored in the file.",
		// Zed does not expand variables: https://github.com/zed-industries/zed/issues/60459. Older versions require args.
		Source:  "https://zed.dev/docs/ai/mcp",
		servers: "context_servers", urlMember: "url", args: []string{}, reference: "YOUR_%s", inherits: true,
	},
	{
		Name: "windsurf", Title: "Windsurf", File: "`~/.codeium/windsurf/mcp_config.json`",
		Secrets: "The entry refers to environment variables.",
		Source:  "https://docs.windsurf.com/windsurf/cascade/mcp#mcp_config-json",
		servers: "mcpServers", urlMember: "serverUrl", reference: "${env:%s}",
	},
}

// All returns every client.
func All() []Client { return slices.Clone(all) }

// Names returns the names of the clients, in the order of [All].
func Names() []string {
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names
}

// Find returns the client of a name. Case does not matter.
func Find(name string) (Client, bool) {
	for _, c := range all {
		if strings.EqualFold(c.Name, name) {
			return c, true
		}
	}
	return Client{}, false
}
