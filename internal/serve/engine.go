package serve

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

const (
	// CacheMilliseconds is how long clients may cache what never changes.
	CacheMilliseconds = 3600000
	maxMethod         = 64 // bytes of a method name; the longest one of MCP has 37
)

// Implementation describes the server to clients.
func (o Options) Implementation() mcp.Implementation {
	return mcp.Implementation{
		Name:    cmp.Or(o.Name, "twilio-conversations-mcp"),
		Title:   cmp.Or(o.Title, "Twilio conversation webhooks"),
		Version: o.Version,
	}
}

// newEngine returns the mcp-go server that answers everything but tool calls. A
// filter gives it the tools to list: mcp-go would sort them by name, and read the
// schema of each.
// It is told that nothing that it lists ever changes. Otherwise clients would
// hold streams open to be notified of changes.
func newEngine(o Options, scope mcp.CacheScope) *server.MCPServer {
	self := o.Implementation()
	engine := server.NewMCPServer(self.Name, self.Version, append(capabilities(o),
		server.WithTitle(self.Title),
		server.WithInstructions(o.Instructions),
		server.WithCacheHints(CacheMilliseconds, scope),
		server.WithToolFilter(func(context.Context, []mcp.Tool) []mcp.Tool { return definitions(o.Tools) }),
	)...)
	// Without these conditions mcp-go would announce what is not offered.
	if len(o.Resources) > 0 {
		engine.AddResources(o.Resources...)
	}
	if len(o.ResourceTemplates) > 0 {
		engine.AddResourceTemplates(o.ResourceTemplates...)
	}
	if len(o.Prompts) > 0 {
		engine.AddPrompts(o.Prompts...)
	}
	return engine
}

// capabilities returns the mcp-go options that announce what is offered.
func capabilities(o Options) (options []server.ServerOption) {
	if o.Tools != nil {
		options = append(options, server.WithToolCapabilities(false))
	}
	if len(o.Resources)+len(o.ResourceTemplates) > 0 {
		options = append(options, server.WithResourceCapabilities(false, false))
	}
	if len(o.Prompts) > 0 {
		options = append(options, server.WithPromptCapabilities(false))
	}
	if o.ResourceCompletion != nil {
		options = append(options, server.WithCompletions(), server.WithResourceCompletionProvider(o.ResourceCompletion))
	}
	if o.PromptCompletion != nil {
		options = append(options, server.WithCompletions(), server.WithPromptCompletionProvider(o.PromptCompletion))
	}
	if len(o.Extensions) > 0 {
		options = append(options, server.WithExtensions(o.Extensions))
	}
	return options
}

// definitions returns the definitions of tools, in their order.
func definitions(tools []Tool) (all []mcp.Tool) {
	for _, tool := range tools {
		all = append(all, tool.Definition)
	}
	return all
}

// forward lets mcp-go answer a request. It passes no id of the client, which
// mcp-go would round, and only those members of params that mcp-go can decode.
func (s *Server) forward(ctx context.Context, m message) (any, *rpcError) {
	if len(m.method) > maxMethod {
		return nil, newRPCError(mcp.METHOD_NOT_FOUND, fmt.Sprintf("method %.32q is longer than %d bytes; there is no such method", m.method, maxMethod))
	}
	if err := check(m.arguments); err != nil {
		return nil, newRPCError(mcp.INVALID_REQUEST, `"arguments" is invalid: `+describe(err))
	}
	if _, rpcErr := s.checkVersion(m); rpcErr != nil {
		return nil, rpcErr
	}
	params, err := readParams(m)
	if err != nil {
		return nil, newRPCError(mcp.INVALID_PARAMS, err.Error())
	}
	if rpcErr := s.checkReference(m, params); rpcErr != nil {
		return nil, rpcErr
	}
	raw, _ := json.Marshal(map[string]any{"jsonrpc": mcp.JSONRPC_VERSION, "id": 1, "method": m.method, "params": params})
	switch answer := s.engine.HandleMessage(ctx, raw).(type) {
	case mcp.JSONRPCResponse:
		return s.announce(answer.Result), nil
	case mcp.JSONRPCError:
		return nil, s.correct(m, answer.Error)
	default:
		panic(fmt.Sprintf("mcp-go answered %T", answer))
	}
}

// correct returns an error for one of mcp-go, with the code that MCP demands and
// in the terms of MCP.
func (s *Server) correct(m message, e rpcError) *rpcError {
	method := mcp.MCPMethod(m.method)
	switch {
	case e.Code == mcp.METHOD_NOT_FOUND:
		return unknownMethod(m)
	case method == mcp.MethodResourcesRead:
		return unknownResource(m)
	case e.Code == mcp.INTERNAL_ERROR && (method == mcp.MethodPromptsGet || method == mcp.MethodCompletionComplete):
		return newRPCError(mcp.INVALID_PARAMS, fmt.Sprintf("%.300s", e.Message)) // of Options.Prompts or a completion provider
	default:
		panic(fmt.Sprintf("mcp-go refused a request: %d %s", e.Code, e.Message))
	}
}

func unknownMethod(m message) *rpcError {
	message := fmt.Sprintf("there is no method %q", m.method)
	switch method := mcp.MCPMethod(m.method); {
	case mcp.IsModernProtocol(m.version):
		message += " in protocol version " + m.version
	case method == mcp.MethodServerDiscover, method == mcp.MethodSubscriptionsListen:
		message += " before protocol version " + mcp.ProtocolVersion20260728 + "; a request of that version names it in _meta"
	}
	return newRPCError(mcp.METHOD_NOT_FOUND, message)
}

func unknownResource(m message) *rpcError {
	code := mcp.RESOURCE_NOT_FOUND
	if mcp.IsModernProtocol(m.version) {
		code = mcp.INVALID_PARAMS
	}
	e := newRPCError(code, fmt.Sprintf("there is no resource %.200q; resources/list has all of them", text(m.uri)))
	e.Data = map[string]string{"uri": fmt.Sprintf("%.200s", text(m.uri))} // as MCP demands
	return e
}

// subscribe completes a subscription at once: this server sends no
// notifications.
func (s *Server) subscribe(ctx context.Context, m message) (any, *rpcError) {
	session := server.NewInProcessSession("", nil) // mcp-go requires one
	result, rpcErr := s.forward(s.engine.WithContext(ctx, session), m)
	if r, ok := result.(mcp.SubscriptionsListenResult); ok {
		r.Meta.SetSubscriptionID(m.id)
	}
	return result, rpcErr
}
