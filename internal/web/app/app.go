// Package app is the MCP Apps view of a conversation's webhooks: one HTML page
// that a host shows beside the result of a tool call. The page needs no network
// and changes nothing.
//
// It follows the MCP Apps extension of 2026-01-26:
// https://github.com/modelcontextprotocol/ext-apps/blob/main/specification/2026-01-26/apps.mdx
package app

import _ "embed"

const (
	// Extension is the name of MCP Apps among a server's extensions.
	Extension = "io.modelcontextprotocol/ui"
	// URI is the resource that holds the page.
	URI = "ui://twilio-conversations/webhooks.html"
	// MIMEType is the type of the resource.
	MIMEType = "text/html;profile=mcp-app"
	// Name is the name of the resource.
	Name = "webhooks"
	// Title is the title of the resource.
	Title = "Webhooks of a conversation"
	// Description describes the resource.
	Description = "A table of the webhooks in a tool's result, for hosts that show MCP Apps."
)

//go:embed webhooks.html
var html string

// HTML returns the page.
func HTML() string { return html }

// ResourceMeta returns the _meta of the resource's contents: the page needs no
// network, and the host draws a border around it.
func ResourceMeta() map[string]any {
	return map[string]any{"ui": map[string]any{"csp": map[string]any{}, "prefersBorder": true}}
}

// ToolMeta returns the _meta of a tool whose result the page shows. The tool
// stays visible to models.
func ToolMeta() map[string]any {
	return map[string]any{"ui": map[string]any{"resourceUri": URI}}
}
