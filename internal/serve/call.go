package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
)

// busy is the fault of a call for which there is no place.
var busy = newFault(mcp.INTERNAL_ERROR, "too many calls wait; nothing was sent, try again later")

// call carries out a tool call and logs it. It bypasses mcp-go, which parses a
// message six times, rounds the numbers in its arguments, and describes invalid
// arguments in terms of Go.
func (s *Server) call(ctx context.Context, m message, caller access.Caller, client string) (any, *mcp.JSONRPCErrorDetails) {
	start := time.Now()
	var tool Tool
	var result *mcp.CallToolResult
	var details []slog.Attr
	defer func() {
		attrs := append(make([]slog.Attr, 0, 10),
			slog.String("tool", cmp.Or(tool.Definition.Name, "unknown")),
			slog.String("outcome", outcome(ctx, result)),
			slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
			slog.String("caller", client))
		s.Log.LogAttrs(ctx, slog.LevelInfo, "call", append(attrs, details...)...)
	}()

	name, arguments := target(m)
	if name == nil {
		return nil, newFault(mcp.INVALID_PARAMS, "params must be an object with the name of a tool, a string, and its arguments, an object")
	}
	stamp, fault := s.revision(m)
	if fault != nil {
		return nil, fault
	}
	tool, err := s.Tool(string(name))
	if err != nil {
		return nil, newFault(mcp.INVALID_PARAMS, err.Error())
	}
	leave, fault := s.enter(ctx)
	if fault != nil {
		return nil, fault
	}
	defer leave()
	result, details = tool.Call(ctx, caller, arguments)
	stamp(result)
	return result, nil
}

// target is the name of the tool that a call is for, nil if there is none, and
// its arguments.
func target(m message) (name []byte, arguments json.RawMessage) {
	for key, value := range members(m.params) {
		switch string(key) {
		case "name":
			name = text(value)
		case "arguments":
			arguments = value
		}
	}
	return name, arguments
}

// enter waits for a place among the calls to Twilio, until ctx is done. Where
// too many wait, or one waited too long, it is busy.
func (s *Server) enter(ctx context.Context) (leave func(), fault *mcp.JSONRPCErrorDetails) {
	select {
	case s.queue <- struct{}{}:
	default:
		return nil, busy
	}
	leave = func() { <-s.places; <-s.queue }
	select {
	case s.places <- struct{}{}:
		return leave, nil
	default:
	}
	limit := time.NewTimer(queueTime)
	defer limit.Stop()
	select {
	case s.places <- struct{}{}:
		return leave, nil
	case <-limit.C:
		fault = busy
	case <-ctx.Done():
		fault = newFault(mcp.INTERNAL_ERROR, "cancelled before anything was sent")
	}
	<-s.queue
	return nil, fault
}

// outcome is how a call ended; one without a result failed or panicked.
func outcome(ctx context.Context, result *mcp.CallToolResult) string {
	text := "ok"
	if result == nil || result.IsError {
		text = "error"
	}
	if ctx.Err() != nil {
		text += ", cancelled"
	}
	return text
}
