package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// busy is the fault of a call for which there is no place.
var busy = newFault(mcp.INTERNAL_ERROR, "too many calls wait; nothing was sent, try again later")

// call makes a tool call, and logs it. It goes around mcp-go, which reads a
// message six times, rounds the numbers in its arguments, and refuses some in
// words about Go.
func (s *Server) call(ctx context.Context, m message, caller string) (any, *mcp.JSONRPCErrorDetails) {
	entry := &entry{}
	start := time.Now()
	var tool server.ServerTool
	var result *mcp.CallToolResult
	defer func() {
		attrs := append(make([]slog.Attr, 0, 10),
			slog.String("tool", cmp.Or(tool.Tool.Name, "unknown")),
			slog.String("outcome", outcome(ctx, result)),
			slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
			slog.String("caller", caller))
		s.Log.LogAttrs(ctx, slog.LevelInfo, "call", append(attrs, entry.attrs...)...)
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
	request := mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool.Tool.Name, RawArguments: arguments}}
	result, err = tool.Handler(context.WithValue(ctx, entryKey{}, entry), request)
	if err != nil {
		return nil, newFault(mcp.INTERNAL_ERROR, err.Error())
	}
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

type entryKey struct{}

// An entry gathers what else the log line of a call says.
type entry struct {
	mu    sync.Mutex
	attrs []slog.Attr
}

// Annotate adds to the log line of the call that ctx belongs to. Nothing secret
// and no argument belongs there.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	if e, ok := ctx.Value(entryKey{}).(*entry); ok {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.attrs = append(e.attrs, attrs...)
	}
}
