package serve

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
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
func newEngine(o Options) *server.MCPServer {
	self := o.Implementation()
	engine := server.NewMCPServer(self.Name, self.Version, append(capabilities(o),
		server.WithTitle(self.Title),
		server.WithInstructions(o.Instructions),
		server.WithCacheHints(CacheMilliseconds, mcp.CacheScopePublic),
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
	if len(o.Tools) > 0 {
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

// forward lets mcp-go answer a request. It never passes the client's own id,
// which mcp-go would round.
func (s *Server) forward(ctx context.Context, m message) (any, *rpcError) {
	if len(m.method) > maxMethod {
		return nil, newRPCError(mcp.METHOD_NOT_FOUND, fmt.Sprintf("method %.32q is longer than %d bytes; there is no such method", m.method, maxMethod))
	}
	if err := check(m.arguments); err != nil {
		return nil, newRPCError(mcp.INVALID_REQUEST, `"arguments" is invalid: `+describe(err))
	}
	raw := append(make([]byte, 0, len(m.params)+len(m.method)+64), `{"jsonrpc":"2.0","id":1,"method":`...)
	raw, _ = jsontext.AppendQuote(raw, m.method)
	if m.params != nil {
		raw = append(append(raw, `,"params":`...), m.params...)
	}
	switch answer := s.engine.HandleMessage(ctx, []byte(append(raw, '}'))).(type) {
	case mcp.JSONRPCResponse:
		return s.announce(answer.Result), nil
	case mcp.JSONRPCError:
		return nil, correct(m, answer.Error)
	default:
		panic(fmt.Sprintf("mcp-go answered %T", answer))
	}
}

// correct gives an error of mcp-go the code that MCP demands, and bounds what
// it repeats of the request.
func correct(m message, e rpcError) *rpcError {
	e.Message = fmt.Sprintf("%.300s", e.Message)
	if data, ok := e.Data.(mcp.UnsupportedProtocolVersionData); ok {
		data.Requested = fmt.Sprintf("%.32s", data.Requested)
		e.Data = data
	}
	switch mcp.MCPMethod(m.method) {
	case mcp.MethodResourcesRead:
		if e.Code == mcp.INTERNAL_ERROR || strings.HasSuffix(e.Message, server.ErrResourceNotFound.Error()) {
			return unknownResource(m)
		}
	case mcp.MethodPromptsGet, mcp.MethodCompletionComplete:
		if e.Code == mcp.INTERNAL_ERROR {
			e.Code = mcp.INVALID_PARAMS
		}
	}
	return &e
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
