// Package serve is how the tools are reached: MCP over stdio and over
// streamable HTTP, the guards in front, and the one log line a call.
//
// mcp-go is the protocol engine: it knows every revision from 2024-11-05 to
// 2026-07-28. The transports are our own, and give it one request at a time, so
// no client can see or stop another's.
package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Options are the limits of a [Server].
type Options struct {
	Version       string // of this program
	Log           *slog.Logger
	MaxMessage    int           // bytes of one message
	MaxConcurrent int           // calls under way at once
	Grace         time.Duration // how long calls under way may take to end once the server ends
}

// A Server offers tools to any number of clients. It keeps nothing about them.
type Server struct {
	Options
	mcp    *server.MCPServer
	places chan struct{} // one for each call to Twilio
	queue  chan struct{} // one for each call over HTTP, waiting ones too
}

// New returns a server of the tools. The instructions are for the model.
func New(instructions string, tools []server.ServerTool, o Options) *Server {
	s := &Server{
		Options: o,
		mcp: server.NewMCPServer("twilio-conversations-mcp", o.Version,
			server.WithTitle("Twilio conversation webhooks"),
			server.WithInstructions(instructions),
			// The tools never change. Were that not said, clients would wait for
			// news of them on streams that hold up the end of the process.
			server.WithToolCapabilities(false),
			server.WithToolHandlerMiddleware(withArguments),
		),
		places: make(chan struct{}, o.MaxConcurrent),
		queue:  make(chan struct{}, queueLength*o.MaxConcurrent),
	}
	s.mcp.AddTools(tools...)
	return s
}

// Tool returns what is offered under a name, or an error that names all there
// are.
func (s *Server) Tool(name string) (mcp.Tool, error) {
	if tool := s.mcp.GetTool(name); tool != nil {
		return tool.Tool, nil
	}
	names := slices.Sorted(maps.Keys(s.mcp.ListTools()))
	return mcp.Tool{}, fmt.Errorf("there is no tool %.64q; the tools are %s", name, strings.Join(names, " and "))
}

// handle answers a request.
func (s *Server) handle(ctx context.Context, m message) (any, *mcp.JSONRPCErrorDetails) {
	switch m.method {
	case string(mcp.MethodToolsCall):
		return s.call(ctx, m)
	case string(mcp.MethodSubscriptionsListen):
		return s.subscribe(ctx, m)
	default:
		return s.forward(ctx, m)
	}
}

// subscribe answers who wants news of a server that has none: at once.
func (s *Server) subscribe(ctx context.Context, m message) (any, *mcp.JSONRPCErrorDetails) {
	session := server.NewInProcessSession("", nil) // mcp-go insists on one
	result, fault := s.forward(s.mcp.WithContext(ctx, session), m)
	if r, ok := result.(mcp.SubscriptionsListenResult); ok {
		r.Meta.SetSubscriptionID(m.id)
	}
	return result, fault
}

// forward lets mcp-go answer, whatever happens. It never sees the client's own
// id, which it would round, nor any notification, with which it would let
// clients stop each other's calls.
func (s *Server) forward(ctx context.Context, m message) (result any, fault *mcp.JSONRPCErrorDetails) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("panic", "method", m.method, "panic", p, "stack", string(debug.Stack()))
			result, fault = nil, newFault(mcp.INTERNAL_ERROR, "internal error; the server's log has the details")
		}
	}()
	raw, err := json.Marshal(map[string]any{"jsonrpc": mcp.JSONRPC_VERSION, "id": 1, "method": m.method, "params": m.params})
	if err != nil {
		panic(err) // the parts were read as JSON
	}
	switch answer := s.mcp.HandleMessage(ctx, raw).(type) {
	case mcp.JSONRPCResponse:
		return answer.Result, nil
	case mcp.JSONRPCError:
		return nil, &answer.Error
	default:
		panic(fmt.Sprintf("mcp-go answered %T", answer))
	}
}

// call waits for a place, makes a tool call, and logs it. The arguments go
// around mcp-go, which would round their numbers and refuse some of them in
// words about Go.
func (s *Server) call(ctx context.Context, m message) (any, *mcp.JSONRPCErrorDetails) {
	var params struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments,omitempty"`
		Meta      json.RawMessage `json:"_meta,omitempty"`
	}
	if err := json.Unmarshal(m.params, &params); err != nil {
		return nil, newFault(mcp.INVALID_PARAMS, "params must be an object with the name of a tool, a string, and its arguments, an object")
	}
	if _, err := s.Tool(params.Name); err != nil {
		return nil, newFault(mcp.INVALID_PARAMS, err.Error())
	}
	select {
	case s.places <- struct{}{}:
		defer func() { <-s.places }()
	case <-ctx.Done():
		return nil, newFault(mcp.INTERNAL_ERROR, "cancelled before anything was sent")
	}
	ctx = context.WithValue(ctx, argumentsKey{}, params.Arguments)
	params.Arguments = nil
	var err error
	if m.params, err = json.Marshal(params); err != nil {
		panic(err) // the parts were read as JSON
	}
	entry := &entry{}
	start := time.Now()
	result, fault := s.forward(context.WithValue(ctx, entryKey{}, entry), m)
	caller, _ := ctx.Value(addressKey{}).(string)
	attrs := []slog.Attr{
		slog.String("tool", params.Name),
		slog.String("outcome", outcome(ctx, result, fault)),
		slog.Float64("ms", float64(time.Since(start).Microseconds())/1000),
		slog.String("caller", cmp.Or(caller, "stdio")),
	}
	s.Log.LogAttrs(ctx, slog.LevelInfo, "call", append(attrs, entry.attrs...)...)
	return result, fault
}

func outcome(ctx context.Context, result any, fault *mcp.JSONRPCErrorDetails) string {
	text := "ok"
	if r, ok := result.(*mcp.CallToolResult); fault != nil || !ok || r.IsError {
		text = "error"
	}
	if ctx.Err() != nil {
		text += ", cancelled"
	}
	return text
}

type argumentsKey struct{}

// withArguments hands a tool its arguments as they came.
func withArguments(next server.ToolHandlerFunc) server.ToolHandlerFunc {
	return func(ctx context.Context, req mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		req.Params.RawArguments, _ = ctx.Value(argumentsKey{}).(json.RawMessage)
		return next(ctx, req)
	}
}

type addressKey struct{}

// withCaller notes where a call comes from, for its log line.
func withCaller(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
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
