package tools

import (
	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/twilioapi"
)

const reconciledNote = "Twilio's response to the create was lost, but the webhook was found by listing: " +
	"it matches what was asked, and was created after this call began. Do not create it again."

// successResult returns Twilio's JSON as structured content, and as text for
// clients that show only that. Notes follow as texts of their own.
func (e explainer) successResult(r twilioapi.Result) *mcp.CallToolResult {
	result := &mcp.CallToolResult{
		Content:              []mcp.Content{mcp.NewTextContent(string(r.JSON))},
		RawStructuredContent: r.JSON,
	}
	if r.Info.Reconciled {
		result.Content = append(result.Content, mcp.NewTextContent(reconciledNote))
		result.Meta = &mcp.Meta{AdditionalFields: map[string]any{"settled": true}}
	}
	return result
}
