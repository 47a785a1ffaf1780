package serve

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
)

// Call carries out one tool call in this process, through the same checks as a
// client's.
func (s *Server) Call(ctx context.Context, tool string, arguments json.RawMessage) (*mcp.CallToolResult, error) {
	name, _ := jsontext.AppendQuote(nil, tool)
	m := message{method: string(mcp.MethodToolsCall), name: name, arguments: jsontext.Value(arguments)}
	result, rpcErr := s.handle(ctx, m, access.Caller{}, "call")
	if rpcErr != nil {
		return nil, errors.New(rpcErr.Message)
	}
	return result.(*mcp.CallToolResult), nil
}
