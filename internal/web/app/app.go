// Package app is the MCP Apps view of a conversation's webhooks: one HTML page
// that a host shows beside the result of a tool call. The page needs no network, and
// changes nothing but by the tool that deletes a webhook, after a question.
//
// It follows the MCP Apps extension of 2026-01-26:
// https://github.com/modelcontextprotocol/ext-apps/blob/main/specification/2026-01-26/apps.mdx
package app

import (
	_ "embed"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	// Extension is the name of MCP Apps among a server's extensions.
	Extension = "io.modelcontextprotocol/ui"

	uri      = "ui://twilio-conversations/webhooks.html"
	mimeType = "text/html;profile=mcp-app"
)

//go:embed webhooks.html
var html string

// Resource describes the page as an MCP resource.
func Resource() mcp.Resource {
	return mcp.NewResource(uri, "webhooks", mcp.WithMIMEType(mimeType), mcp.WithResourceTitle("Webhooks of a conversation"),
		mcp.WithResourceDescription("The webhooks or the findings in a tool's result, for hosts that show MCP Apps."))
}

// Contents returns the page. It needs no network, and the host draws a border around
// it. It offers to delete webhooks if canDelete.
func Contents(canDelete bool) mcp.TextResourceContents {
	text := html
	if canDelete {
		text = strings.Replace(html, "<html ", "<html data-delete ", 1)
	}
	meta := map[string]any{"ui": map[string]any{"csp": map[string]any{}, "prefersBorder": true}}
	return mcp.TextResourceContents{URI: uri, MIMEType: mimeType, Text: text, Meta: meta}
}

// ToolMeta returns the _meta of a tool whose result the page shows. The tool
// stays visible to models.
func ToolMeta() *mcp.Meta {
	return &mcp.Meta{AdditionalFields: map[string]any{
		"ui":             map[string]any{"resourceUri": uri},
		"ui/resourceUri": uri, // the key that hosts of the first drafts of MCP Apps read
	}}
}
