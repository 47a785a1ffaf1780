// Package serve is how the tools are reached: MCP over stdio and over
// streamable HTTP, the guards in front, and the one log line a call.
//
// mcp-go is the protocol engine: it knows every revision from 2024-11-05 to
// 2026-07-28. The transports are our own, and give it one request at a time, so
// no client can see or stop another's. Tool calls, which are nearly all there is
// to do, go around it.
package serve

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"twilio-conversations-mcp/internal/access"
)

const (
	programName  = "twilio-conversations-mcp"
	programTitle = "Twilio conversation webhooks"
)

// A Tool is an MCP tool that a [Server] offers.
type Tool struct {
	Definition mcp.Tool
	// Call carries out one call, and returns what to add to its log line.
	Call func(ctx context.Context, caller access.Caller, arguments json.RawMessage) (*mcp.CallToolResult, []slog.Attr)
}

// Options configure a [Server].
type Options struct {
	Instructions  string // for the model
	Tools         []Tool
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
	tools  map[string]Tool
	places chan struct{} // one for each call to Twilio
	queue  chan struct{} // one for each call, waiting ones too
	held   *budget       // for messages
}

const (
	queueLength = 64              // calls that are under way or wait, for each that may be under way
	queueTime   = 2 * time.Minute // for which a call waits at most
	heldLength  = 16              // messages of the greatest length that are held at once
	lastWords   = time.Second     // for what was given up to end and be logged
)

// New returns a server.
func New(o Options) *Server {
	s := &Server{
		Options: o,
		mcp: server.NewMCPServer(programName, o.Version,
			server.WithTitle(programTitle),
			server.WithInstructions(o.Instructions),
			// The tools never change. Were that not said, clients would wait for
			// news of them on streams that hold up the end of the process.
			server.WithToolCapabilities(false),
		),
		tools:  map[string]Tool{},
		places: make(chan struct{}, o.MaxConcurrent),
		queue:  make(chan struct{}, queueLength*o.MaxConcurrent),
		held:   newBudget(heldLength * o.MaxMessage),
	}
	for _, tool := range o.Tools {
		s.mcp.AddTool(tool.Definition, nil) // the server carries out calls itself
		s.tools[tool.Definition.Name] = tool
	}
	return s
}

// Tool returns what is offered under a name, or an error that names all there
// are.
func (s *Server) Tool(name string) (Tool, error) {
	if tool, ok := s.tools[name]; ok {
		return tool, nil
	}
	names := slices.Sorted(maps.Keys(s.tools))
	return Tool{}, fmt.Errorf("there is no tool %.64q; the tools are %s", name, strings.Join(names, " and "))
}

// tooLong is the fault of a message beyond the limit.
func (s *Server) tooLong() *mcp.JSONRPCErrorDetails {
	return newFault(mcp.INVALID_REQUEST, fmt.Sprintf("the message is longer than %d bytes", s.MaxMessage))
}

// handle answers a request, whatever happens.
func (s *Server) handle(ctx context.Context, m message, caller access.Caller, client string) (result any, fault *mcp.JSONRPCErrorDetails) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("panic", "method", m.method, "panic", p, "stack", string(debug.Stack()))
			result, fault = nil, newFault(mcp.INTERNAL_ERROR, "internal error; the server's log has the details")
		}
	}()
	switch m.method {
	case string(mcp.MethodToolsCall):
		return s.call(ctx, m, caller, client)
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

// forward lets mcp-go answer. It never sees the client's own id, which it would
// round, nor any notification, with which it would let clients stop each other's
// calls.
func (s *Server) forward(ctx context.Context, m message) (any, *mcp.JSONRPCErrorDetails) {
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
