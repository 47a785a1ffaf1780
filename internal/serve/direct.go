package serve

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
)

// Call carries out one tool call in this process, through the same checks as a
// client's.
func (s *Server) Call(ctx context.Context, tool string, arguments json.RawMessage) (*mcp.CallToolResult, error) {
	params, err := json.Marshal(map[string]any{"name": tool, "arguments": arguments})
	if err != nil {
		return nil, err
	}
	result, fault := s.handle(ctx, message{method: string(mcp.MethodToolsCall), params: params}, access.Caller{}, "call")
	if fault != nil {
		return nil, errors.New(fault.Message)
	}
	return result.(*mcp.CallToolResult), nil
}
