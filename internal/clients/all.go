package clients

const references = "The entry refers to environment variables."

// all is every client, in the order in which they are listed.
var all = []Client{
	{
		Name: "claude-code", Aliases: []string{"claude", "claudecode"}, Title: "Claude Code", File: "`.mcp.json` in the project",
		Secrets: references,
		// The default makes a variable that is not set empty; without it, the reference itself would be passed.
		Source: "https://code.claude.com/docs/en/mcp#environment-variable-expansion-in-mcp-json",
		Tried:  "2.1.330",
		path:   ".mcp.json", servers: "mcpServers",
		stdio: `{"type": "stdio"}`, http: `{"type": "http"}`, reference: "${%s:-}", command: claudeCommand,
	},
	{
		Name: "claude-desktop", Aliases: []string{"claudedesktop"}, Title: "Claude Desktop",
		File: "`claude_desktop_config.json`, which Settings → Developer → Edit Config opens: in `~/Library/Application Support/Claude` (macOS), `%APPDATA%\\Claude` (Windows), " +
			"or `%LOCALAPPDATA%\\Packages\\Claude_pzs8sxrjxfjjc\\LocalCache\\Roaming\\Claude` (Windows, from the store)",
		Secrets:      "Replace the placeholders in the file, or install the bundle (.mcpb), which stores them securely.",
		Source:       "https://modelcontextprotocol.io/docs/develop/connect-local-servers",
		darwin:       "~/Library/Application Support/Claude/claude_desktop_config.json",
		windows:      "%APPDATA%/Claude/claude_desktop_config.json",
		windowsStore: "%LOCALAPPDATA%/Packages/Claude_pzs8sxrjxfjjc/LocalCache/Roaming/Claude/claude_desktop_config.json",
		servers:      "mcpServers", urlMember: "-", reference: "YOUR_%s", connectors: "Settings → Connectors → Add custom connector",
	},
	{
		Name: "cursor", Title: "Cursor", File: "`~/.cursor/mcp.json`, or `.cursor/mcp.json` in the project",
		Secrets: references,
		Source:  "https://cursor.com/docs/mcp#config-interpolation",
		path:    "~/.cursor/mcp.json", servers: "mcpServers", reference: "${env:%s}", link: cursorLink,
	},
	{
		Name: "vscode", Aliases: []string{"vs-code", "code"}, Title: "VS Code", File: "`.vscode/mcp.json` in the workspace",
		Secrets: "VS Code asks for them once and stores them securely.",
		Source:  "https://code.visualstudio.com/docs/copilot/reference/mcp-configuration",
		path:    ".vscode/mcp.json", servers: "servers",
		stdio: `{"type": "stdio"}`, http: `{"type": "http"}`, reference: "${input:%s}", prompts: true,
		command: codeCommand, link: codeLink,
	},
	{
		Name: "codex", Aliases: []string{"codex-cli"}, Title: "Codex", File: "`~/.codex/config.toml`",
		Secrets: "The entry names environment variables, which Codex passes on.",
		Source:  "https://developers.openai.com/codex/mcp",
		Tried:   "0.169.0",
		path:    "~/.codex/config.toml", servers: "mcp_servers", format: tomlFormat, command: codexCommand,
	},
	{
		Name: "gemini", Aliases: []string{"gemini-cli"}, Title: "Gemini CLI", File: "`~/.gemini/settings.json`, or `.gemini/settings.json` in the project",
		Secrets: references,
		// httpUrl is deprecated; "gemini mcp add" writes url and type.
		Source: "https://github.com/google-gemini/gemini-cli/blob/main/docs/tools/mcp-server.md",
		Tried:  "0.61.0",
		path:   "~/.gemini/settings.json", servers: "mcpServers", http: `{"type": "http"}`, reference: "${%s:-}", command: geminiCommand,
	},
	{
		Name: "copilot", Aliases: []string{"copilot-cli", "github-copilot"}, Title: "Copilot CLI", File: "`~/.copilot/mcp-config.json`",
		Secrets: references,
		Source:  "https://docs.github.com/en/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers",
		Tried:   "1.0.102",
		path:    "~/.copilot/mcp-config.json", servers: "mcpServers",
		stdio:     `{"type": "local", "args": [], "tools": ["*"]}`,
		http:      `{"type": "http", "tools": ["*"]}`,
		reference: "${%s}",
	},
	{
		Name: "opencode", Title: "OpenCode", File: "`~/.config/opencode/opencode.json`, or `opencode.json` in the project",
		Secrets: references,
		Source:  "https://opencode.ai/docs/mcp-servers",
		Tried:   "1.18.33",
		path:    "~/.config/opencode/opencode.json", servers: "mcp",
		stdio: `{"type": "local", "enabled": true}`, http: `{"type": "remote", "enabled": true}`,
		commandList: true, envMember: "environment", reference: "{env:%s}",
	},
	{
		Name: "qwen", Aliases: []string{"qwen-code"}, Title: "Qwen Code", File: "`~/.qwen/settings.json`, or `.qwen/settings.json` in the project",
		Secrets: references,
		Source:  "https://qwenlm.github.io/qwen-code-docs/en/users/features/mcp/",
		Tried:   "0.24.4",
		path:    "~/.qwen/settings.json", servers: "mcpServers", urlMember: "httpUrl", reference: "${%s}", command: geminiCommand,
	},
	{
		Name: "cline", Title: "Cline", File: "`cline_mcp_settings.json` (MCP Servers → Configure MCP Servers); of the CLI: in `~/.cline/data/settings`",
		Secrets: "The entry refers to environment variables, which the extension expands; for the CLI, replace the references.",
		// ${env:NAME} came with https://github.com/cline/cline/pull/8079. Without the type, Cline refuses the whole file.
		Source: "https://docs.cline.bot/mcp/adding-and-configuring-servers",
		Tried:  "3.0.65",
		path:   "~/.cline/data/settings/cline_mcp_settings.json", servers: "mcpServers",
		http: `{"type": "streamableHttp"}`, reference: "${env:%s}",
	},
	{
		Name: "continue", Aliases: []string{"cn"}, Title: "Continue",
		File:    "`~/.continue/config.yaml`; for the editor also, as it is, `.continue/mcpServers/twilio-conversations.yaml` in the project",
		Secrets: "The entry refers to secrets of Continue or environment variables.",
		Source:  "https://docs.continue.dev/customize/deep-dives/mcp",
		Tried:   "1.5.47",
		path:    "~/.continue/config.yaml", format: yamlFormat,
		http: `{"type": "streamable-http"}`, reference: "${{ secrets.%s }}", named: true, document: continueDocument,
	},
	{
		Name: "goose", Title: "goose", File: "`~/.config/goose/config.yaml` (macOS, Linux), `%APPDATA%\\Block\\goose\\config\\config.yaml` (Windows)",
		Secrets: "The entry names environment variables; goose asks for those that are not set, and stores them securely. A token for HTTP is stored in the file.",
		Source:  "https://block.github.io/goose/docs/guides/config-files",
		path:    "~/.config/goose/config.yaml", windows: "%APPDATA%/Block/goose/config/config.yaml", format: yamlFormat, servers: "extensions",
		stdio: `{"type": "stdio", "enabled": true, "args": [], "timeout": 300, "env_keys": ["TWILIO_API_KEY", "TWILIO_API_SECRET"]}`,
		http:  `{"type": "streamable_http", "enabled": true, "timeout": 300}`,
		named: true, commandMember: "cmd", envMember: "envs", urlMember: "uri", reference: "YOUR_%s", envKeys: true,
	},
	{
		Name: "kiro", Aliases: []string{"kiro-cli"}, Title: "Kiro", File: "`~/.kiro/settings/mcp.json`, or `.kiro/settings/mcp.json` in the project",
		Secrets: "The entry refers to environment variables, which Kiro asks you to approve.",
		Source:  "https://kiro.dev/docs/mcp/configuration",
		path:    "~/.kiro/settings/mcp.json", servers: "mcpServers", reference: "${%s}",
	},
	{
		Name: "jetbrains", Aliases: []string{"junie", "intellij"}, Title: "JetBrains (Junie, AI Assistant)",
		File:    "`~/.junie/mcp/mcp.json` for Junie; Settings → Tools → AI Assistant → Model Context Protocol → Add → As JSON for AI Assistant",
		Secrets: "Replace the placeholders.",
		Source:  "https://www.jetbrains.com/help/ai-assistant/mcp.html",
		path:    "~/.junie/mcp/mcp.json", servers: "mcpServers", reference: "YOUR_%s",
	},
	{
		Name: "zed", Title: "Zed", File: "`~/.config/zed/settings.json` (macOS, Linux), `%APPDATA%\\Zed\\settings.json` (Windows)",
		Secrets: "The server inherits Zed's environment. A token for HTTP is stored in the file.",
		// Zed does not expand variables: https://github.com/zed-industries/zed/issues/60459. Older versions require args.
		Source: "https://zed.dev/docs/ai/mcp",
		path:   "~/.config/zed/settings.json", windows: "%APPDATA%/Zed/settings.json", servers: "context_servers",
		stdio: `{"args": []}`, reference: "YOUR_%s", inherits: true,
	},
	{
		Name: "windsurf", Title: "Windsurf", File: "`~/.codeium/windsurf/mcp_config.json`",
		Secrets: references,
		Source:  "https://docs.windsurf.com/windsurf/cascade/mcp#mcp_config-json",
		path:    "~/.codeium/windsurf/mcp_config.json", servers: "mcpServers", urlMember: "serverUrl", reference: "${env:%s}",
	},
	{
		Name: "mcporter", Title: "mcporter", File: "`~/.mcporter/mcporter.json`, or `config/mcporter.json` in the project",
		Secrets: references,
		Source:  "https://github.com/openclaw/mcporter/blob/main/docs/config.md",
		Tried:   "0.12.3",
		path:    "~/.mcporter/mcporter.json", servers: "mcpServers", urlMember: "baseUrl", reference: "${%s}",
	},
	{
		Name: "librechat", Title: "LibreChat", File: "`librechat.yaml`",
		Secrets: "The entry refers to variables of LibreChat's `.env`.",
		Source:  "https://www.librechat.ai/docs/configuration/librechat_yaml/object_structure/mcp_servers",
		path:    "librechat.yaml", format: yamlFormat, servers: "mcpServers",
		stdio: `{"type": "stdio", "args": []}`, http: `{"type": "streamable-http"}`, reference: "${%s}",
	},
	{
		Name: "n8n", Title: "n8n", File: "the canvas of a workflow, into which the entry is pasted: an MCP Client Tool node",
		Secrets:  "Choose a Bearer Auth credential with the token in the node.",
		Source:   "https://docs.n8n.io/integrations/builtin/cluster-nodes/sub-nodes/n8n-nodes-langchain.toolmcp",
		httpOnly: true, document: n8nDocument,
	},
}
