package serve

import (
	"fmt"

	"github.com/mark3labs/mcp-go/mcp"
)

// A Resource is an MCP resource that a [Server] offers.
type Resource struct {
	Definition mcp.Resource
	Read       func() mcp.TextResourceContents
}

// A Prompt is an MCP prompt that a [Server] offers.
type Prompt struct {
	Definition mcp.Prompt
	// Text returns what the prompt tells a model. Its errors say which argument is
	// invalid.
	Text func(arguments map[string]string) (string, error)
}

func resourceDefinitions(resources []Resource) (all []mcp.Resource) {
	for _, resource := range resources {
		all = append(all, resource.Definition)
	}
	return all
}

func promptDefinitions(prompts []Prompt) (all []mcp.Prompt) {
	for _, prompt := range prompts {
		all = append(all, prompt.Definition)
	}
	return all
}

func (s *Server) readResource(r *request, params map[string]any) (map[string]any, *rpcError) {
	uri := params["uri"].(string)
	for _, resource := range s.Resources {
		if resource.Definition.URI == uri {
			return s.cacheable(r, map[string]any{"contents": []mcp.TextResourceContents{resource.Read()}}), nil
		}
	}
	code := mcp.RESOURCE_NOT_FOUND
	if mcp.IsModernProtocol(r.version) {
		code = mcp.INVALID_PARAMS
	}
	e := newRPCError(code, fmt.Sprintf("there is no resource %.200q; resources/list has all of them", uri))
	e.Data = map[string]string{"uri": fmt.Sprintf("%.200s", uri)} // as MCP demands
	return nil, e
}

func (s *Server) getPrompt(_ *request, params map[string]any) (map[string]any, *rpcError) {
	prompt, rpcErr := s.prompt(params["name"].(string))
	if rpcErr != nil {
		return nil, rpcErr
	}
	arguments, _ := params["arguments"].(map[string]string)
	text, err := prompt.Text(arguments)
	if err != nil {
		return nil, newRPCError(mcp.INVALID_PARAMS, fmt.Sprintf("%.300s", err.Error()))
	}
	messages := []mcp.PromptMessage{mcp.NewPromptMessage(mcp.RoleUser, mcp.NewTextContent(text))}
	return map[string]any{"description": prompt.Definition.Description, "messages": messages}, nil
}

func (s *Server) prompt(name string) (Prompt, *rpcError) {
	for _, prompt := range s.Prompts {
		if prompt.Definition.Name == name {
			return prompt, nil
		}
	}
	return Prompt{}, newRPCError(mcp.INVALID_PARAMS, fmt.Sprintf("there is no prompt %.66q; prompts/list has all of them", name))
}

// completionFields are the members of the params of completion/complete.
func completionFields() []field {
	return []field{
		{"ref", true, object(field{"type", true, readText}, field{"name", false, readText}, field{"uri", false, readText})},
		{"argument", true, object(field{"name", true, readText}, field{"value", true, readText})},
		{"context", false, object(field{"arguments", false, readTexts})},
	}
}

func (s *Server) completeArgument(_ *request, params map[string]any) (map[string]any, *rpcError) {
	reference, rpcErr := s.reference(params["ref"].(map[string]any))
	if rpcErr != nil {
		return nil, rpcErr
	}
	argument := params["argument"].(map[string]any)
	values := s.Complete(reference, argument["name"].(string), argument["value"].(string))
	return map[string]any{"completion": mcp.Completion{Values: append([]string{}, values...), Total: len(values)}}, nil
}

// reference returns the name of the prompt, or the URI of the template or resource,
// that a request names.
func (s *Server) reference(ref map[string]any) (string, *rpcError) {
	name, _ := ref["name"].(string)
	uri, _ := ref["uri"].(string)
	switch ref["type"] {
	case "ref/prompt":
		_, rpcErr := s.prompt(name)
		return name, rpcErr
	case "ref/resource":
		return uri, s.checkTemplate(uri)
	default:
		return "", newRPCError(mcp.INVALID_PARAMS, `params.ref.type must be "ref/prompt" or "ref/resource"`)
	}
}

func (s *Server) checkTemplate(uri string) *rpcError {
	for _, template := range s.ResourceTemplates {
		if template.URITemplate.Raw() == uri {
			return nil
		}
	}
	for _, resource := range s.Resources {
		if resource.Definition.URI == uri {
			return nil
		}
	}
	return newRPCError(mcp.INVALID_PARAMS, fmt.Sprintf("there is no resource template %.200q; resources/templates/list has all of them", uri))
}
