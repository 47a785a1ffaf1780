package serve

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"
)

// readMeta finds what a request says of itself.
func (m *message) readMeta() {
	for name, value := range members(m.params) {
		if string(name) == "_meta" {
			m.meta = value
		}
	}
	for name, value := range members(m.meta) {
		if string(name) == mcp.MetaKeyProtocolVersion {
			m.version = string(text(value))
		}
	}
}

// revision holds a call against the revision of MCP that it names, and returns
// what marks its result as of that revision.
func (s *Server) revision(m message) (stamp func(*mcp.CallToolResult), fault *mcp.JSONRPCErrorDetails) {
	if m.meta != nil && m.meta[0] != '{' {
		return nil, newFault(mcp.INVALID_PARAMS, "_meta must be an object")
	}
	if !mcp.IsModernProtocol(m.version) {
		return func(*mcp.CallToolResult) {}, nil
	}
	var meta mcp.Meta
	if err := json.Unmarshal(m.meta, &meta); err != nil || meta.ClientCapabilities() == nil {
		return nil, newFault(mcp.INVALID_PARAMS, "missing or invalid _meta field "+mcp.MetaKeyClientCapabilities)
	}
	if fault := unsupported(m.version); fault != nil {
		return nil, fault
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

// checkHeaders holds the headers of a request against its body, as the
// streamable HTTP transport of 2026-07-28 demands; before, only a revision that
// nobody knows is refused.
func checkHeaders(h http.Header, m message) *mcp.JSONRPCErrorDetails {
	header, version := h.Get(mcp.HeaderProtocolVersion), m.version
	if !mcp.IsModernProtocol(header) && !mcp.IsModernProtocol(version) {
		if header != "" && !mcp.IsValidProtocolVersion(header) && m.method != string(mcp.MethodInitialize) {
			return newFault(mcp.INVALID_REQUEST, fmt.Sprintf("%s %.32q is not supported", mcp.HeaderProtocolVersion, header))
		}
		return nil
	}
	switch {
	case h.Get(mcp.HeaderLastEventID) != "":
		return newFault(mcp.HEADER_MISMATCH, mcp.HeaderLastEventID+" has no meaning here: there are no streams to resume")
	case header == "":
		return newFault(mcp.HEADER_MISMATCH, mcp.HeaderProtocolVersion+" is required with "+mcp.MetaKeyProtocolVersion)
	case version == "":
		return newFault(mcp.INVALID_PARAMS, "missing or invalid _meta field "+mcp.MetaKeyProtocolVersion)
	case header != version:
		return newFault(mcp.HEADER_MISMATCH, fmt.Sprintf("%s is %.32q, but %s is %.32q", mcp.HeaderProtocolVersion, header, mcp.MetaKeyProtocolVersion, version))
	}
	if fault := unsupported(version); fault != nil {
		return fault
	}
	if err := mcp.ValidateStandardHeaders(h.Get, version, mcp.MCPMethod(m.method), m.params); err != nil {
		return newFault(mcp.HEADER_MISMATCH, err.Error())
	}
	return nil
}

// statusOf is the HTTP status that 2026-07-28 gives to a JSON-RPC error.
func statusOf(code int) int {
	switch code {
	case mcp.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case mcp.INTERNAL_ERROR:
		return http.StatusOK
	default:
		return http.StatusBadRequest
	}
}
