package serve

import (
	"cmp"
	"fmt"
	"maps"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	// CacheMilliseconds is how long clients may cache what never changes.
	CacheMilliseconds = 3600000
	maxMethod         = 64 // bytes of a method name; the longest one of MCP has 37
)

// A method answers the requests for a method of MCP. The params are those of its
// fields that a request has.
type method struct {
	fields []field
	answer func(r *request, params map[string]any) (map[string]any, *rpcError)
}

// methodOf returns the method of a request. It returns false if the protocol version
// has no such method, or the server does not offer what it is for.
func (s *Server) methodOf(r *request) (method, bool) {
	modern := mcp.IsModernProtocol(r.version)
	switch mcp.MCPMethod(r.method) {
	case mcp.MethodInitialize:
		return method{[]field{{"protocolVersion", false, readText}, {"capabilities", false, object()}, {"clientInfo", false, object()}}, s.initialize}, !modern
	case mcp.MethodPing:
		return method{nil, ping}, !modern
	case mcp.MethodServerDiscover:
		return method{nil, s.discover}, modern
	case mcp.MethodSubscriptionsListen:
		return method{[]field{{"notifications", false, object()}}, listen}, modern
	case mcp.MethodToolsList:
		return s.list("tools", s.definitions(r)), s.Tools != nil
	case mcp.MethodResourcesList:
		return s.list("resources", resourceDefinitions(s.Resources)), s.Resources != nil
	case mcp.MethodResourcesTemplatesList:
		return s.list("resourceTemplates", append([]mcp.ResourceTemplate{}, s.ResourceTemplates...)), s.Resources != nil
	case mcp.MethodResourcesRead:
		return method{[]field{{"uri", true, readText}}, s.readResource}, s.Resources != nil
	case mcp.MethodPromptsList:
		return s.list("prompts", promptDefinitions(s.Prompts)), s.Prompts != nil
	case mcp.MethodPromptsGet:
		return method{[]field{{"name", true, readText}, {"arguments", false, readTexts}}, s.getPrompt}, s.Prompts != nil
	case mcp.MethodCompletionComplete:
		return method{completionFields(), s.completeArgument}, s.Complete != nil
	default:
		return method{}, false
	}
}

// answer answers a request for a method of MCP other than tools/call.
func (s *Server) answer(r *request) (any, *rpcError) {
	if len(r.method) > maxMethod {
		return nil, newRPCError(mcp.METHOD_NOT_FOUND, fmt.Sprintf("method %.32q is longer than %d bytes; there is no such method", r.method, maxMethod))
	}
	if rpcErr := s.checkMessage(&r.message); rpcErr != nil {
		return nil, rpcErr
	}
	m, ok := s.methodOf(r)
	if !ok {
		return nil, unknownMethod(&r.message)
	}
	params, err := readParams(r.params, m.fields)
	if err != nil {
		return nil, newRPCError(mcp.INVALID_PARAMS, err.Error())
	}
	result, rpcErr := m.answer(r, params)
	if rpcErr != nil {
		return nil, rpcErr
	}
	return s.identify(r, result), nil
}

// checkMessage checks what the parser leaves to the methods that read it.
func (s *Server) checkMessage(m *message) *rpcError {
	if err := check(m.arguments); err != nil {
		return newRPCError(mcp.INVALID_REQUEST, `"arguments" is invalid: `+describe(err))
	}
	_, rpcErr := s.checkVersion(m)
	return rpcErr
}

func unknownMethod(m *message) *rpcError {
	message := fmt.Sprintf("there is no method %q", m.method)
	switch method := mcp.MCPMethod(m.method); {
	case mcp.IsModernProtocol(m.version):
		message += " in protocol version " + m.version
	case method == mcp.MethodServerDiscover, method == mcp.MethodSubscriptionsListen:
		message += " before protocol version " + mcp.ProtocolVersion20260728 + "; a request of that version names it in _meta"
	}
	return newRPCError(mcp.METHOD_NOT_FOUND, message)
}

// identify adds to a result what 2026-07-28 wants in each.
func (s *Server) identify(r *request, result map[string]any) map[string]any {
	if mcp.IsModernProtocol(r.version) {
		meta := map[string]any{mcp.MetaKeyServerInfo: s.Implementation()}
		if given, ok := result["_meta"].(map[string]any); ok {
			maps.Copy(meta, given)
		}
		result["resultType"], result["_meta"] = mcp.ResultTypeComplete, meta
	}
	return result
}

// cacheable adds to a result what 2026-07-28 wants in those that clients may
// cache.
func (s *Server) cacheable(r *request, result map[string]any) map[string]any {
	if mcp.IsModernProtocol(r.version) {
		result["ttlMs"], result["cacheScope"] = CacheMilliseconds, s.scope
	}
	return result
}

// list returns the method that lists items, all of them on one page.
func (s *Server) list(name string, items any) method {
	return method{[]field{{"cursor", false, readCursor}}, func(r *request, _ map[string]any) (map[string]any, *rpcError) {
		return s.cacheable(r, map[string]any{name: items}), nil
	}}
}

// Implementation describes the server to clients.
func (o Options) Implementation() mcp.Implementation {
	return mcp.Implementation{
		Name:    cmp.Or(o.Name, "twilio-conversations-mcp"),
		Title:   cmp.Or(o.Title, "Twilio conversation webhooks"),
		Version: o.Version,
	}
}

func (s *Server) initialize(_ *request, params map[string]any) (map[string]any, *rpcError) {
	asked, _ := params["protocolVersion"].(string)
	return s.announce(map[string]any{"protocolVersion": mcp.NegotiateLegacyVersion(asked), "serverInfo": s.Implementation()}), nil
}

func (s *Server) discover(r *request, _ map[string]any) (map[string]any, *rpcError) {
	return s.cacheable(r, s.announce(map[string]any{"supportedVersions": mcp.ValidProtocolVersions})), nil
}

// announce adds the capabilities of the server and its instructions to a result.
// Nothing that it lists ever changes: otherwise clients would hold streams open to
// be notified of changes.
func (s *Server) announce(result map[string]any) map[string]any {
	capabilities := maps.Clone(s.Capabilities)
	if capabilities == nil {
		capabilities = map[string]any{}
	}
	for name, offered := range map[string]bool{"tools": s.Tools != nil, "resources": s.Resources != nil, "prompts": s.Prompts != nil, "completions": s.Complete != nil} {
		if offered {
			capabilities[name] = struct{}{}
		}
	}
	if len(s.Extensions) > 0 {
		capabilities["extensions"] = s.Extensions
	}
	result["capabilities"] = capabilities
	if s.Instructions != "" {
		result["instructions"] = s.Instructions
	}
	return result
}

func ping(*request, map[string]any) (map[string]any, *rpcError) { return map[string]any{}, nil }

// listen completes a subscription at once: this server sends no notifications.
func listen(r *request, _ map[string]any) (map[string]any, *rpcError) {
	return map[string]any{"_meta": map[string]any{mcp.MetaKeySubscriptionID: r.id}}, nil
}
