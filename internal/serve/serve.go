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

const (
	programName  = "twilio-conversations-mcp"
	programTitle = "Twilio conversation webhooks"
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
	tools  map[string]server.ServerTool
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

// busy is the fault of a call for which there is no place.
var busy = newFault(mcp.INTERNAL_ERROR, "too many calls wait; nothing was sent, try again later")

// New returns a server of the tools. The instructions are for the model.
func New(instructions string, tools []server.ServerTool, o Options) *Server {
	s := &Server{
		Options: o,
		mcp: server.NewMCPServer(programName, o.Version,
			server.WithTitle(programTitle),
			server.WithInstructions(instructions),
			// The tools never change. Were that not said, clients would wait for
			// news of them on streams that hold up the end of the process.
			server.WithToolCapabilities(false),
		),
		tools:  map[string]server.ServerTool{},
		places: make(chan struct{}, o.MaxConcurrent),
		queue:  make(chan struct{}, queueLength*o.MaxConcurrent),
		held:   newBudget(heldLength * o.MaxMessage),
	}
	s.mcp.AddTools(tools...)
	for _, tool := range tools {
		s.tools[tool.Tool.Name] = tool
	}
	return s
}

// Tool returns what is offered under a name, or an error that names all there
// are.
func (s *Server) Tool(name string) (server.ServerTool, error) {
	if tool, ok := s.tools[name]; ok {
		return tool, nil
	}
	names := slices.Sorted(maps.Keys(s.tools))
	return server.ServerTool{}, fmt.Errorf("there is no tool %.64q; the tools are %s", name, strings.Join(names, " and "))
}

// handle answers a request, whatever happens.
func (s *Server) handle(ctx context.Context, m message, caller string) (result any, fault *mcp.JSONRPCErrorDetails) {
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("panic", "method", m.method, "panic", p, "stack", string(debug.Stack()))
			result, fault = nil, newFault(mcp.INTERNAL_ERROR, "internal error; the server's log has the details")
		}
	}()
	switch m.method {
	case string(mcp.MethodToolsCall):
		return s.call(ctx, m, caller)
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

	var name, arguments json.RawMessage
	for key, value := range members(m.params) {
		switch string(key) {
		case "name":
			name = value
		case "arguments":
			arguments = value
		}
	}
	if len(name) == 0 || name[0] != '"' {
		return nil, newFault(mcp.INVALID_PARAMS, "params must be an object with the name of a tool, a string, and its arguments, an object")
	}
	stamp, fault := s.revision(m)
	if fault != nil {
		return nil, fault
	}
	tool, err := s.Tool(string(text(name)))
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

// revision holds a call against the revision of MCP that it names, and returns
// what marks its result as of that revision.
func (s *Server) revision(m message) (stamp func(*mcp.CallToolResult), fault *mcp.JSONRPCErrorDetails) {
	fields, version := m.meta()
	if fields != nil && fields[0] != '{' {
		return nil, newFault(mcp.INVALID_PARAMS, "_meta must be an object")
	}
	if !mcp.IsModernProtocol(version) {
		return func(*mcp.CallToolResult) {}, nil
	}
	if fault := unsupported(version); fault != nil {
		return nil, fault
	}
	var meta mcp.Meta
	if err := json.Unmarshal(fields, &meta); err != nil || meta.ClientCapabilities() == nil {
		return nil, newFault(mcp.INVALID_PARAMS, "missing or invalid _meta field "+mcp.MetaKeyClientCapabilities)
	}
	return func(r *mcp.CallToolResult) {
		r.SetResultType(mcp.ResultTypeComplete)
		r.EnsureResultMeta().SetServerInfo(mcp.Implementation{Name: programName, Title: programTitle, Version: s.Version})
	}, nil
}

// unsupported is the fault of a revision that nobody here knows.
func unsupported(version string) *mcp.JSONRPCErrorDetails {
	if mcp.IsValidProtocolVersion(version) {
		return nil
	}
	answer := mcp.UnsupportedProtocolVersionError{Version: version, Supported: mcp.ValidProtocolVersions}.JSONRPCError()
	return &answer.Error
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
