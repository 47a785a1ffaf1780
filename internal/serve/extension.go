package serve

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
)

// A Method is a JSON-RPC method of an MCP extension.
type Method struct {
	// Scope lists the OAuth scopes that a caller over HTTP needs, separated by
	// spaces; see [access.Caller.Allows].
	Scope string
	// Call carries out a request. It also returns attributes for the log line of
	// the request. The params are nil or a JSON object.
	Call func(ctx context.Context, caller access.Caller, params json.RawMessage) (map[string]any, []slog.Attr, *mcp.JSONRPCErrorDetails)
}

// callMethod carries out a request for one of Options.Methods, with the limits
// and the log line of a tool call.
func (s *Server) callMethod(ctx context.Context, r *request, method Method) (_ any, rpcErr *rpcError) {
	start := time.Now()
	result, details := map[string]any(nil), []slog.Attr(nil)
	defer func() {
		s.logCall(ctx, r, slog.String("method", r.method), outcome(ctx, result != nil), start, details)
	}()
	if rpcErr := s.checkMessage(&r.message); rpcErr != nil {
		return nil, rpcErr
	}
	if rpcErr := s.acquire(ctx, r); rpcErr != nil {
		return nil, rpcErr
	}
	defer s.release(r)
	result, details, rpcErr = method.Call(ctx, r.caller, json.RawMessage(r.params))
	if rpcErr != nil {
		result = nil
		return nil, rpcErr
	}
	return s.identify(r, result), nil
}
