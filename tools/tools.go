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
	"github.com/mark3labs/mcp-go/server"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

// Instructions is what the server says of itself. Many clients drop it, so
// nothing that a model needs stands only here.
const Instructions = "Lists and creates the webhooks of a Twilio conversation."

// All returns every tool, calling Twilio through the client.
func All(twilio *twilioapi.Client) []server.ServerTool {
	return []server.ServerTool{
		listConversationWebhooks(twilio),
		createConversationWebhook(twilio),
	}
}

// ReadOnly returns those of the tools that change nothing.
func ReadOnly(all []server.ServerTool) []server.ServerTool {
	return slices.DeleteFunc(all, func(t server.ServerTool) bool { return !*t.Tool.Annotations.ReadOnlyHint })
}

// An answer is what Twilio wrote, and what has to be said about it.
type answer struct {
	webhooks json.RawMessage
	settled  bool // found by listing, because the create's own answer was lost
}

// define makes a tool of a contract, of what is told about it, and of a handler
// that has never heard of MCP.
func define[Input any](
	contract schemas.Contract[Input],
	about mcp.Tool,
	handle func(context.Context, Input) (answer, error),
) server.ServerTool {
	about.Name = string(contract)
	about.RawInputSchema, about.RawOutputSchema = contract.Input(), contract.Output()
	input := sync.OnceValue(func() *checker { return newChecker(contract.Input()) })
	return server.ServerTool{Tool: about, Handler: func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		arguments, err := decode[Input](input(), req.Params.RawArguments)
		if err != nil {
			return failed(err, about), nil
		}
		answer, err := handle(ctx, arguments)
		if err != nil {
			return failed(err, about), nil
		}
		return succeeded(answer), nil
	}}
}

// succeeded passes Twilio's JSON through, as structured content and as text for
// clients that show only that.
func succeeded(a answer) *mcp.CallToolResult {
	result := &mcp.CallToolResult{
		Content:              []mcp.Content{mcp.NewTextContent(string(a.webhooks))},
		RawStructuredContent: a.webhooks,
	}
	if a.settled {
		result.Content = append(result.Content, mcp.NewTextContent(settledNote))
		result.Meta = &mcp.Meta{AdditionalFields: map[string]any{"settled": true}}
	}
	return result
}
