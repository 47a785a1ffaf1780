// Package tools is what happens when a model calls a tool: its arguments are
// checked against the published schema, Twilio is asked, and Twilio's own JSON,
// or a few words about what went wrong, go back.
package tools

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

// Instructions is what the server says of itself. Many clients drop it, so
// nothing that a model needs stands only here.
const Instructions = "Lists and creates the webhooks of a Twilio conversation."

// A Tool is an MCP tool.
type Tool struct {
	Definition mcp.Tool
	// Call carries out one call. Whatever goes wrong is a tool error in the
	// result.
	Call func(ctx context.Context, twilio *twilioapi.Client, arguments json.RawMessage) (*mcp.CallToolResult, twilioapi.CallInfo)
}

// ReadOnly reports whether the tool changes nothing.
func (t Tool) ReadOnly() bool { return *t.Definition.Annotations.ReadOnlyHint }

// All returns every tool.
func All() []Tool {
	return []Tool{
		listConversationWebhooks(),
		createConversationWebhook(),
	}
}

// ReadOnly returns those of the tools that change nothing.
func ReadOnly(all []Tool) []Tool {
	return slices.DeleteFunc(all, func(t Tool) bool { return !t.ReadOnly() })
}

// define makes a tool of a contract, of what is told about it, and of a handler
// that has never heard of MCP.
func define[Input any](
	contract schemas.Contract[Input],
	about mcp.Tool,
	handle func(context.Context, *twilioapi.Client, Input) (twilioapi.Result, error),
) Tool {
	about.Name = string(contract)
	about.RawInputSchema, about.RawOutputSchema = contract.Input(), contract.Output()
	input := sync.OnceValue(func() *checker { return newChecker(contract.Input()) })
	return Tool{about, func(ctx context.Context, twilio *twilioapi.Client, raw json.RawMessage) (*mcp.CallToolResult, twilioapi.CallInfo) {
		arguments, err := decode[Input](input(), raw)
		if err != nil {
			return failed(err, about), twilioapi.CallInfo{}
		}
		result, err := handle(ctx, twilio, arguments)
		if err != nil {
			return failed(err, about), result.Info
		}
		return succeeded(result), result.Info
	}}
}

// succeeded passes Twilio's JSON through, as structured content and as text for
// clients that show only that.
func succeeded(r twilioapi.Result) *mcp.CallToolResult {
	result := &mcp.CallToolResult{
		Content:              []mcp.Content{mcp.NewTextContent(string(r.JSON))},
		RawStructuredContent: r.JSON,
	}
	if r.Info.Reconciled {
		result.Content = append(result.Content, mcp.NewTextContent(settledNote))
		result.Meta = &mcp.Meta{AdditionalFields: map[string]any{"settled": true}}
	}
	return result
}
