package tools

import (
	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/twilioapi"
)

// successResult returns Twilio's JSON as structured content, and as text for
// clients that show only that. Notes follow, a text each.
func (e *explainer) successResult(r twilioapi.Result) *mcp.CallToolResult {
	result := &mcp.CallToolResult{
		Content:              []mcp.Content{mcp.NewTextContent(string(r.JSON))},
		RawStructuredContent: r.JSON,
	}
	for _, note := range e.notes(r) {
		result.Content = append(result.Content, mcp.NewTextContent(note))
	}
	if !r.Info.Reconciled && !e.ensures {
		return result
	}
	meta := map[string]any{}
	if r.Info.Reconciled {
		meta["reconciled"] = true
	}
	if e.ensures {
		meta["existing"] = r.Existing
	}
	result.Meta = &mcp.Meta{AdditionalFields: meta}
	return result
}
