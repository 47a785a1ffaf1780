package serve

import (
	"strconv"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// Metrics are called as things happen, by several goroutines at once. Each
// function may be nil. All strings come from small sets, whatever clients send.
type Metrics struct {
	// OperationDone is called after each request. The method is "other" if MCP
	// does not define it, and the tool if the server does not offer it; the tool
	// is empty unless the method is tools/call. The error type is empty, "tool_error" or the code of
	// a JSON-RPC error. The transport is "pipe" for stdio and "tcp" for HTTP. The
	// protocol version is empty if the request does not name it, and "other" if
	// it is not supported.
	OperationDone func(method, tool, errorType, transport, protocolVersion string, seconds float64)
	// InFlight is called with 1 when a tool starts to run and with -1 when it
	// ends; Queued, when a tool call begins and ends to wait for that.
	InFlight, Queued func(delta int)
	// Refused is called when a request is refused: "queue_full",
	// "queue_timeout", "rate", "memory", "message_too_long", "body_timeout", "access" or
	// "scope".
	Refused func(reason string)
}

func (m Metrics) inFlight(delta int) {
	if m.InFlight != nil {
		m.InFlight(delta)
	}
}

func (m Metrics) queued(delta int) {
	if m.Queued != nil {
		m.Queued(delta)
	}
}

func (m Metrics) refused(reason string) {
	if m.Refused != nil {
		m.Refused(reason)
	}
}

// measure reports a request that is done.
func (s *Server) measure(r *request, start time.Time, result *any, rpcErr **rpcError) {
	if s.Metrics.OperationDone == nil {
		return
	}
	method, tool, errorType := s.methodLabel(r.method), "", ""
	if e := *rpcErr; e != nil {
		errorType = strconv.Itoa(e.Code)
	}
	if method == string(mcp.MethodToolsCall) {
		tool = "other"
		if t := s.lookup(r.name); t != nil {
			tool = t.Definition.Name
		}
	}
	if called, ok := (*result).(*mcp.CallToolResult); ok && called.IsError {
		errorType = "tool_error"
	}
	s.Metrics.OperationDone(method, tool, errorType, r.transport, r.protocolVersion(), time.Since(start).Seconds())
}

// methodLabel returns a method that MCP or an extension that is offered defines as
// it is, and "other" for any other.
func (s *Server) methodLabel(method string) string {
	if _, ok := s.Methods[method]; ok {
		return method
	}
	switch mcp.MCPMethod(method) {
	case mcp.MethodInitialize, mcp.MethodPing, mcp.MethodServerDiscover,
		mcp.MethodToolsList, mcp.MethodToolsCall,
		mcp.MethodResourcesList, mcp.MethodResourcesTemplatesList, mcp.MethodResourcesRead,
		mcp.MethodResourcesSubscribe, mcp.MethodResourcesUnsubscribe, mcp.MethodSubscriptionsListen,
		mcp.MethodPromptsList, mcp.MethodPromptsGet, mcp.MethodCompletionComplete, mcp.MethodSetLogLevel,
		mcp.MethodTasksGet, mcp.MethodTasksList, mcp.MethodTasksResult, mcp.MethodTasksCancel:
		return method
	default:
		return "other"
	}
}

// protocolVersion returns the version that a request names in its body, or else in
// its header.
func (r *request) protocolVersion() string {
	version := r.version
	if version == "" {
		version = r.header
	}
	if version != "" && !mcp.IsValidProtocolVersion(version) {
		return "other"
	}
	return version
}
