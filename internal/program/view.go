package program

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"
	mcpserver "github.com/mark3labs/mcp-go/server"

	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/internal/web/app"
)

// addView lets hosts of MCP Apps show the webhooks in the results of tools.
func addView(options *serve.Options) {
	page := mcp.TextResourceContents{URI: app.URI, MIMEType: app.MIMEType, Text: app.HTML(), Meta: app.ResourceMeta()}
	options.Resources = append(options.Resources, mcpserver.ServerResource{
		Resource: mcp.NewResource(app.URI, app.Name, mcp.WithResourceTitle(app.Title), mcp.WithResourceDescription(app.Description), mcp.WithMIMEType(app.MIMEType)),
		Handler: func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{page}, nil
		},
	})
	options.Extensions = map[string]any{app.Extension: struct{}{}}
	for i := range options.Tools {
		definition := &options.Tools[i].Definition
		switch definition.Name {
		case "list_conversation_webhooks", "create_conversation_webhook", "ensure_conversation_webhook", "fetch_conversation_webhook":
			definition.Meta = &mcp.Meta{AdditionalFields: app.ToolMeta()}
		}
	}
}
