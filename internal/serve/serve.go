// Package serve serves MCP tools, resources and prompts over stdio and
// streamable HTTP.
//
// It speaks every protocol version of MCP from 2024-11-05 to 2026-07-28, in the types
// of mcp-go's package mcp. It keeps no state about clients, and answers one request
// at a time, so that no client can see or cancel the requests of another.
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

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/sync/semaphore"

	"twilio-conversations-mcp/internal/access"
)

// A Tool is an MCP tool that a [Server] offers.
type Tool struct {
	Definition mcp.Tool
	// Scope is the OAuth scope that a caller over HTTP needs; see
	// [access.Caller.Allows].
	Scope string
	// Call carries out one call. It also returns attributes for the log line of
	// the call.
	Call func(ctx context.Context, caller access.Caller, in Input) (*mcp.CallToolResult, []slog.Attr)
}

// An Input is what the request for a call has: JSON, or nil for what is missing. Since
// 2026-07-28 there are the capabilities of the client and, if it repeats a call whose
// result asked for input, the responses and the state of that result.
type Input struct{ Arguments, Capabilities, Responses, State json.RawMessage }

// Options configure a [Server].
type Options struct {
	Name         string // of the server, for programs; the default is twilio-conversations-mcp
	Title        string // of the server, for people; the default is Twilio conversation webhooks
	Version      string // of the program
	Instructions string // for the model

	// Everything is listed in this order. What is nil is not offered.
	Tools             []Tool
	Resources         []Resource
	ResourceTemplates []mcp.ResourceTemplate // of URIs of Resources
	Prompts           []Prompt
	// Complete returns the values of an argument of a prompt, given its name, or of a
	// resource template, given its URI, that begin with what was typed.
	Complete   func(reference, argument, typed string) []string
	Extensions map[string]any // MCP extensions and their settings, announced as capabilities

	Methods      map[string]Method // of MCP extensions, by name
	Capabilities map[string]any    // announced besides those of what is offered above

	// Routing is a parameter of tools, a string, that clients of 2026-07-28 have to
	// mirror in a header of HTTP. If it is empty, they mirror none.
	Routing string

	// Narrow returns the options without what a request leaves out. Its errors are of
	// unknown names, and list the valid ones. It may be nil: then requests cannot
	// leave anything out.
	Narrow func(Options, Narrowing) (Options, error)

	Log           *slog.Logger
	Metrics       Metrics
	MaxMessage    int           // bytes of one message
	MaxConcurrent int           // tool calls that run at once
	Rate          float64       // calls that each caller may make a second; 0: any number
	Burst         int           // calls that each caller may make at once before Rate applies; 0: Rate, rounded up
	Grace         time.Duration // how long requests may take to finish after shutdown begins
}

// A Server serves tools, resources and prompts to any number of clients.
type Server struct {
	Options
	routed   *routed
	scope    mcp.CacheScope // of what is listed
	tools    map[string]*Tool
	limits   limits
	callers  *callers
	narrowed *narrowed
	slots    *semaphore.Weighted // one for each tool call that runs
	queue    *semaphore.Weighted // one for each tool call that waits for a slot
	bytes    *semaphore.Weighted // of messages in memory
}

// limits are the limits that no option sets.
type limits struct {
	queueTime time.Duration // how long a tool call waits for a slot
	readTime  time.Duration // how long an HTTP request may take to arrive
	writeTime time.Duration // how long a client may take to read a response
	abortTime time.Duration // how long aborted requests may take to end
}

// New returns a server.
func New(o Options) *Server {
	s := &Server{
		limits:   limits{queueTime: 2 * time.Minute, readTime: maxReadTime, writeTime: time.Minute, abortTime: time.Second},
		callers:  newCallers(o),
		narrowed: &narrowed{servers: map[string]*Server{}},
		slots:    semaphore.NewWeighted(int64(o.MaxConcurrent)),
		queue:    semaphore.NewWeighted(queueFactor * int64(o.MaxConcurrent)),
		bytes:    semaphore.NewWeighted(maxBuffered),
	}
	s.offer(o, mcp.CacheScopePublic)
	return s
}

// offer sets what the server offers, and who may keep the lists of it.
func (s *Server) offer(o Options, scope mcp.CacheScope) {
	s.Options, s.scope, s.tools, s.routed = o, scope, map[string]*Tool{}, newRouted(o)
	for i := range o.Tools {
		s.tools[o.Tools[i].Definition.Name] = &o.Tools[i]
	}
}

// lookup returns the tool of a name in a message, or nil.
func (s *Server) lookup(name jsontext.Value) *Tool {
	if name.Kind() != '"' {
		return nil
	}
	return s.tools[string(unquote(name))]
}

// Tool returns the tool of a name. If there is none, the error lists the names
// of all tools.
func (s *Server) Tool(name string) (*Tool, error) {
	if tool, ok := s.tools[name]; ok {
		return tool, nil
	}
	if len(s.tools) == 0 {
		return nil, fmt.Errorf("there is no tool %.64q; no tools are offered", name)
	}
	names := slices.Sorted(maps.Keys(s.tools))
	last := max(0, len(names)-2)
	list := strings.Join(append(names[:last:last], strings.Join(names[last:], " and ")), ", ")
	return nil, fmt.Errorf("there is no tool %.64q; the tools are %s", name, list)
}

// handle answers a request. It never panics.
func (s *Server) handle(ctx context.Context, r *request) (result any, rpcErr *rpcError) {
	defer s.measure(r, time.Now(), &result, &rpcErr)
	defer func() {
		if p := recover(); p != nil {
			s.Log.Error("panic", "method", r.method, "panic", p, "stack", string(debug.Stack()))
			result, rpcErr = nil, newRPCError(mcp.INTERNAL_ERROR, "internal error; the server's log has the details")
		}
	}()
	switch r.method {
	case string(mcp.MethodToolsCall):
		return s.call(ctx, r)
	default:
		if method, ok := s.Methods[r.method]; ok {
			return s.callMethod(ctx, r, method)
		}
		return s.answer(r)
	}
}
