package serve

import (
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// A reader reads a value at a path, or says what is wrong with it.
type reader func(path string, v jsontext.Value) (any, error)

// A field is a member that is read of an object.
type field struct {
	name     string
	required bool
	read     reader
}

// readParams returns the members of params that mcp-go reads for a method, each
// of the type that MCP gives it. mcp-go gets nothing else, because it describes
// what it cannot decode in terms of Go.
func readParams(m message) (map[string]any, error) {
	params := jsontext.Value(`{}`)
	if m.params != nil {
		params = m.params
	}
	read, err := object(fieldsOf(mcp.MCPMethod(m.method))...)("params", params)
	if err != nil {
		return nil, err
	}
	members := read.(map[string]any)
	if mcp.IsModernProtocol(m.version) {
		members["_meta"] = map[string]any{mcp.MetaKeyProtocolVersion: m.version, mcp.MetaKeyClientCapabilities: struct{}{}}
	}
	return members, nil
}

// fieldsOf returns the members of params that a method reads.
func fieldsOf(method mcp.MCPMethod) []field {
	switch method {
	case mcp.MethodInitialize:
		return []field{{"protocolVersion", false, readText}, {"capabilities", false, object()}, {"clientInfo", false, object()}}
	case mcp.MethodToolsList, mcp.MethodResourcesList, mcp.MethodResourcesTemplatesList, mcp.MethodPromptsList:
		return []field{{"cursor", false, readCursor}}
	case mcp.MethodResourcesRead:
		return []field{{"uri", true, readText}}
	case mcp.MethodPromptsGet:
		return []field{{"name", true, readText}, {"arguments", false, readTexts}}
	case mcp.MethodCompletionComplete:
		return []field{
			{"ref", true, object(field{"type", true, readText}, field{"name", false, readText}, field{"uri", false, readText})},
			{"argument", true, object(field{"name", true, readText}, field{"value", true, readText})},
			{"context", false, object(field{"arguments", false, readTexts})},
		}
	case mcp.MethodSubscriptionsListen:
		return []field{{"notifications", false, object()}}
	default:
		return nil
	}
}

// object reads an object, of which only fields are read. Null is a field that is
// left out.
func object(fields ...field) reader {
	return func(path string, v jsontext.Value) (any, error) {
		members, err := readMembers(path, v)
		if err != nil {
			return nil, err
		}
		read := map[string]any{}
		for _, f := range fields {
			value := jsontext.Value(members[f.name])
			switch {
			case value != nil && value.Kind() != 'n':
				if read[f.name], err = f.read(path+"."+f.name, value); err != nil {
					return nil, err
				}
			case f.required:
				return nil, fmt.Errorf("%s.%s is required", path, f.name)
			}
		}
		return read, nil
	}
}

// readMembers returns the members of an object. Some languages write an empty
// object as an empty array.
func readMembers(path string, v jsontext.Value) (map[string]json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if v.Kind() != '{' && !isEmptyArray(v) {
		return nil, fmt.Errorf("%.200s must be an object", path)
	}
	if v.Kind() == '{' {
		_ = json.Unmarshal(v, &members) // v is valid
	}
	return members, nil
}

func readText(path string, v jsontext.Value) (any, error) {
	if v.Kind() != '"' {
		return nil, fmt.Errorf("%.200s must be a string", path)
	}
	return text(v), nil
}

// readTexts reads an object whose members are strings. Null is a member that is
// left out.
func readTexts(path string, v jsontext.Value) (any, error) {
	members, err := readMembers(path, v)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for name, value := range members {
		if v := jsontext.Value(value); v.Kind() != 'n' {
			read, err := readText(fmt.Sprintf("%s[%q]", path, name), v)
			if err != nil {
				return nil, err
			}
			texts[name] = read.(string)
		}
	}
	return texts, nil
}

// readCursor reads the cursor of a list. All of a list comes in one page.
func readCursor(path string, v jsontext.Value) (any, error) {
	cursor, err := readText(path, v)
	if err == nil && cursor != "" {
		return nil, fmt.Errorf("there is no such page as %s says: the result has one page", path)
	}
	return cursor, err
}

// checkReference refuses a prompt, a template or a resource that a request names
// and that is not offered.
func (s *Server) checkReference(m message, params map[string]any) *rpcError {
	switch mcp.MCPMethod(m.method) {
	case mcp.MethodPromptsGet:
		return s.checkPrompt(params["name"])
	case mcp.MethodCompletionComplete:
		ref := params["ref"].(map[string]any)
		switch ref["type"] {
		case "ref/prompt":
			return s.checkPrompt(ref["name"])
		case "ref/resource":
			return s.checkTemplate(ref["uri"])
		default:
			return newRPCError(mcp.INVALID_PARAMS, `params.ref.type must be "ref/prompt" or "ref/resource"`)
		}
	default:
		return nil
	}
}

func (s *Server) checkPrompt(name any) *rpcError {
	for _, p := range s.Prompts {
		if p.Prompt.Name == name {
			return nil
		}
	}
	return newRPCError(mcp.INVALID_PARAMS, fmt.Sprintf("there is no prompt %.66q; prompts/list has all of them", fmt.Sprint(name)))
}

func (s *Server) checkTemplate(uri any) *rpcError {
	for _, t := range s.ResourceTemplates {
		if t.Template.URITemplate.Raw() == uri {
			return nil
		}
	}
	for _, r := range s.Resources {
		if r.Resource.URI == uri {
			return nil
		}
	}
	return newRPCError(mcp.INVALID_PARAMS, fmt.Sprintf("there is no resource template %.200q; resources/templates/list has all of them", fmt.Sprint(uri)))
}
