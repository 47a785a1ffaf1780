package serve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// routed holds, in a copy of tools/list, the schemas that ask clients to mirror a
// parameter into a header, by which a balancer can choose a copy of the server
// (SEP-2243).
type routed struct {
	parameter string
	tools     []mcp.Tool
	names     []string // of the tools that have the parameter
}

// newRouted returns nil if no parameter is mirrored.
func newRouted(o Options) *routed {
	if o.Routing == "" {
		return nil
	}
	r := &routed{parameter: o.Routing}
	for _, tool := range definitions(o.Tools) {
		schema := jsontext.Value(bytes.Clone(tool.RawInputSchema))
		property := []byte(`"` + o.Routing + `":{`)
		if schema.Compact() == nil && bytes.Contains(schema, property) {
			r.names = append(r.names, tool.Name)
			annotation := `"x-mcp-header":"` + o.Routing + `",`
			tool.RawInputSchema = json.RawMessage(bytes.Replace(schema, property, append(property, annotation...), 1))
		}
		r.tools = append(r.tools, tool)
	}
	return r
}

// definitions returns the definitions of all tools, with the annotated schemas if
// the client understands them.
func (s *Server) definitions(r *request) []mcp.Tool {
	if s.routed != nil && r.transport == "tcp" && mcp.IsModernProtocol(r.version) {
		return s.routed.tools
	}
	return definitions(s.Tools)
}

func definitions(tools []Tool) []mcp.Tool {
	all := []mcp.Tool{}
	for _, tool := range tools {
		all = append(all, tool.Definition)
	}
	return all
}

// check compares the header of a call with the argument that it mirrors.
func (r *routed) check(h http.Header, m *message) *rpcError {
	if r == nil || m.method != string(mcp.MethodToolsCall) || !mcp.IsModernProtocol(m.version) || !slices.Contains(r.names, text(m.name)) {
		return nil
	}
	name, argument := mcp.HeaderParamPrefix+r.parameter, r.argument(m)
	values := h.Values(name)
	field := "params.arguments." + r.parameter
	switch {
	case len(values) > 1:
		return newRPCError(mcp.HEADER_MISMATCH, name+" is duplicated")
	case argument == nil && len(values) == 0:
		return nil
	case argument == nil:
		return newRPCError(mcp.HEADER_MISMATCH, name+" is given, but "+field+" is not")
	case len(values) == 0:
		return newRPCError(mcp.HEADER_MISMATCH, name+" is required: it has the value of "+field)
	}
	value, ok := mcp.DecodeHeaderValue(values[0])
	if !ok {
		return newRPCError(mcp.HEADER_MISMATCH, name+" is not valid Base64")
	}
	want := string(argument)
	if argument.Kind() == '"' {
		want = text(argument)
	}
	if value != want {
		return newRPCError(mcp.HEADER_MISMATCH, fmt.Sprintf("%s is %.64q, but %s is %.64q", name, value, field, want))
	}
	return nil
}

// argument returns the argument that is mirrored, or nil if it is not given. The
// tool refuses one that is given twice.
func (r *routed) argument(m *message) jsontext.Value {
	var arguments map[string]json.RawMessage
	if json.Unmarshal(m.arguments, &arguments) != nil {
		return nil // the tool refuses what is not an object
	}
	if value := jsontext.Value(arguments[r.parameter]); value.Kind() != 'n' {
		return value
	}
	return nil
}
