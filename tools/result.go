package tools

import (
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/twilioapi"
)

const createReconciled = "Twilio's response to the create was lost, but the webhook was found by listing: " +
	"it matches what was asked for, and was created after this call began. Do not create it again."

// successResult returns Twilio's JSON as structured content, and as text for
// clients that show only that. Notes follow, a text each.
func (e explainer) successResult(r twilioapi.Result) *mcp.CallToolResult {
	result := &mcp.CallToolResult{
		Content:              []mcp.Content{mcp.NewTextContent(string(r.JSON))},
		RawStructuredContent: r.JSON,
	}
	for _, note := range e.notes(r) {
		result.Content = append(result.Content, mcp.NewTextContent(note))
	}
	meta := map[string]any{}
	if r.Info.Reconciled {
		meta["settled"] = true
	}
	if r.Existing {
		meta["existing"] = true
	}
	if len(meta) > 0 {
		result.Meta = &mcp.Meta{AdditionalFields: meta}
	}
	return result
}

// notes say what a model cannot see in Twilio's JSON.
func (e explainer) notes(r twilioapi.Result) (notes []string) {
	if r.Info.Reconciled {
		notes = append(notes, e.reconciled)
	}
	if r.Existing {
		notes = append(notes, "An identical webhook was already there. Nothing was created, and no past messages are replayed.")
	}
	if len(r.Differs) > 0 {
		notes = append(notes, "Twilio carried out the call, but the webhook differs from what was asked for in "+
			strings.Join(r.Differs, ", ")+". Tell the user, and do not repeat the call.")
	}
	if len(r.Similar) > 0 {
		notes = append(notes, "Created beside webhooks that call the same URL or Flow but differ in other parameters: "+
			strings.Join(r.Similar, ", ")+". Tell the user.")
	}
	return notes
}
