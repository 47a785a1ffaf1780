package serve

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// checkVersion checks a request against the protocol version that it names. The
// function it returns adds what that version wants in the result of tools/call.
func (s *Server) checkVersion(m *message) (complete func(*mcp.CallToolResult), rpcErr *rpcError) {
	if !mcp.IsModernProtocol(m.version) {
		return func(*mcp.CallToolResult) {}, nil
	}
	if m.capabilities.Kind() != '{' && !isEmptyArray(m.capabilities) {
		return nil, newRPCError(mcp.INVALID_PARAMS, "missing or invalid _meta field "+mcp.MetaKeyClientCapabilities)
	}
	if rpcErr := checkSupported(m.version); rpcErr != nil {
		return nil, rpcErr
	}
	return func(r *mcp.CallToolResult) {
		if !r.NeedsInput() {
			r.SetResultType(mcp.ResultTypeComplete)
		}
		r.EnsureResultMeta().SetServerInfo(s.Implementation())
	}, nil
}

// checkSupported refuses a protocol version that is not supported.
func checkSupported(version string) *rpcError {
	if mcp.IsValidProtocolVersion(version) {
		return nil
	}
	answer := mcp.UnsupportedProtocolVersionError{Version: fmt.Sprintf("%.32s", version), Supported: mcp.ValidProtocolVersions}.JSONRPCError()
	return &answer.Error
}

// checkHeaders compares the headers of a request with its body, as the
// streamable HTTP transport of 2026-07-28 demands. Earlier versions only name
// the protocol version in a header. Notifications and responses have no rules.
func checkHeaders(h http.Header, m *message) *rpcError {
	if m.id == nil {
		return nil
	}
	for _, name := range []string{mcp.HeaderProtocolVersion, mcp.HeaderMethod, mcp.HeaderName} {
		if len(h.Values(name)) > 1 {
			return newRPCError(mcp.HEADER_MISMATCH, name+" is duplicated")
		}
	}
	header := h.Get(mcp.HeaderProtocolVersion)
	if mcp.IsModernProtocol(header) || mcp.IsModernProtocol(m.version) {
		return checkModernHeaders(h, m)
	}
	if header != "" && !mcp.IsValidProtocolVersion(header) && m.method != string(mcp.MethodInitialize) {
		return newRPCError(mcp.INVALID_REQUEST, fmt.Sprintf("%s %.32q is not supported; use one of %s",
			mcp.HeaderProtocolVersion, header, strings.Join(mcp.ValidProtocolVersions, ", ")))
	}
	return nil
}

func checkModernHeaders(h http.Header, m *message) *rpcError {
	header := h.Get(mcp.HeaderProtocolVersion)
	switch {
	case h.Get(mcp.HeaderLastEventID) != "":
		return newRPCError(mcp.HEADER_MISMATCH, mcp.HeaderLastEventID+" is not supported: there are no streams to resume")
	case header == "":
		return newRPCError(mcp.HEADER_MISMATCH, mcp.HeaderProtocolVersion+" is required with "+mcp.MetaKeyProtocolVersion)
	case m.version == "":
		return newRPCError(mcp.INVALID_PARAMS, "missing or invalid _meta field "+mcp.MetaKeyProtocolVersion)
	}
	if rpcErr := compare(mcp.HeaderProtocolVersion, header, mcp.MetaKeyProtocolVersion, m.version); rpcErr != nil {
		return rpcErr
	}
	if rpcErr := checkSupported(m.version); rpcErr != nil {
		return rpcErr
	}
	if rpcErr := compare(mcp.HeaderMethod, h.Get(mcp.HeaderMethod), "method", m.method); rpcErr != nil {
		return rpcErr
	}
	return checkNameHeader(h.Get(mcp.HeaderName), m)
}

// checkNameHeader compares the name that a gateway may have decided by with the
// name that takes effect.
func checkNameHeader(header string, m *message) *rpcError {
	field, name := "params.name", m.name
	switch mcp.MCPMethod(m.method) {
	case mcp.MethodToolsCall, mcp.MethodPromptsGet:
	case mcp.MethodResourcesRead:
		field, name = "params.uri", m.uri
	default:
		return nil
	}
	decoded, ok := mcp.DecodeHeaderValue(header)
	if !ok {
		return newRPCError(mcp.HEADER_MISMATCH, mcp.HeaderName+" is not valid Base64")
	}
	return compare(mcp.HeaderName, decoded, field, text(name))
}

// compare refuses a header that is missing or differs from a field of the body.
func compare(header, value, field, want string) *rpcError {
	switch {
	case value == "":
		return newRPCError(mcp.HEADER_MISMATCH, header+" is required")
	case value != want:
		return newRPCError(mcp.HEADER_MISMATCH, fmt.Sprintf("%s is %.64q, but %s is %.64q", header, value, field, want))
	}
	return nil
}
