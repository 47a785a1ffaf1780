package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// call carries out a tool call and logs it.
func (s *Server) call(ctx context.Context, r *request) (any, *rpcError) {
	start := time.Now()
	var tool *Tool
	var result *mcp.CallToolResult
	var details []slog.Attr
	defer func() {
		s.logCall(ctx, r, toolName(tool), outcome(ctx, result != nil && !result.IsError), start, details)
	}()

	if r.name.Kind() != '"' {
		return nil, newRPCError(mcp.INVALID_PARAMS, "params must be an object with the name of a tool, a string, and its arguments, an object")
	}
	complete, rpcErr := s.checkVersion(&r.message)
	if rpcErr != nil {
		return nil, rpcErr
	}
	tool = s.lookup(r.name)
	if tool == nil {
		_, err := s.Tool(text(r.name))
		return nil, newRPCError(mcp.INVALID_PARAMS, err.Error())
	}
	if rpcErr := s.acquire(ctx, r); rpcErr != nil {
		if result = rateResult(r, rpcErr); result == nil {
			return nil, rpcErr
		}
		complete(result)
		return result, nil
	}
	defer s.release(r)
	result, details = tool.Call(ctx, r.caller, r.input())
	complete(result)
	return result, nil
}

// input returns what a tool gets of a call.
func (m *message) input() Input {
	in := Input{Arguments: json.RawMessage(m.arguments)}
	if mcp.IsModernProtocol(m.version) {
		in.Capabilities, in.Responses, in.State = json.RawMessage(m.capabilities), json.RawMessage(m.responses), json.RawMessage(m.state)
	}
	return in
}

// Call carries out one call in this process, through the same checks as a call
// by a client. The length of the arguments is not limited. The error is of the
// call itself; an error of the tool is a result.
func (s *Server) Call(ctx context.Context, tool string, arguments json.RawMessage) (*mcp.CallToolResult, error) {
	name, _ := jsontext.AppendQuote(nil, tool)
	m := message{method: string(mcp.MethodToolsCall), name: name, arguments: jsontext.Value(arguments)}
	result, rpcErr := s.handle(ctx, &request{message: m, client: "call"})
	if rpcErr != nil {
		return nil, errors.New(rpcErr.Message)
	}
	return result.(*mcp.CallToolResult), nil
}

// toolName returns the attribute of the log line that names the tool, which may be nil.
func toolName(t *Tool) slog.Attr {
	if t == nil {
		return slog.String("tool", "unknown")
	}
	return slog.String("tool", t.Definition.Name)
}

// logCall writes the log line of a call of what the attribute names.
func (s *Server) logCall(ctx context.Context, r *request, called slog.Attr, outcome string, start time.Time, details []slog.Attr) {
	attrs := append(make([]slog.Attr, 0, 12),
		called,
		slog.String("outcome", outcome),
		slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
		slog.String("caller", cmp.Or(r.caller.Name, r.client)))
	if id, ok := traceID(r.traceparent); ok {
		attrs = append(attrs, slog.String("trace_id", id))
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "call", append(attrs, details...)...)
}

// outcome returns how a call ended. A call that is not ok has an error as its result,
// or none because it was refused, was cancelled before it started, or panicked.
func outcome(ctx context.Context, ok bool) string {
	text := "ok"
	if !ok {
		text = "error"
	}
	if ctx.Err() != nil {
		text += ", cancelled"
	}
	return text
}
