package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/docs"
)

// toolView is a tool as the start page shows it.
type toolView struct {
	mcp.Tool
	ReadOnly   bool
	Page       string // path of the page of its operation, or empty
	Parameters []parameter
}

type parameter struct {
	Name, Type, Description string
	Required                bool
}

func (s *site) toolViews() []toolView {
	var views []toolView
	for _, t := range s.Tools {
		views = append(views, toolView{t, *t.Annotations.ReadOnlyHint, operationPath(t.Name), parameters(t.RawInputSchema)})
	}
	return views
}

// operationPath returns the path of the page that describes a tool.
func operationPath(tool string) string {
	if p, ok := docs.Lookup(tool); ok {
		return p.Path()
	}
	return ""
}

// parameters reads the properties of a JSON Schema in their order. The schemas
// are part of the program; one that cannot be read shows no parameters.
func parameters(input json.RawMessage) []parameter {
	var schema struct {
		Properties json.RawMessage `json:"properties"`
		Required   []string        `json:"required"`
	}
	if json.Unmarshal(input, &schema) != nil || schema.Properties == nil {
		return nil
	}
	var all []parameter
	d := json.NewDecoder(bytes.NewReader(schema.Properties))
	_, _ = d.Token()
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return all
		}
		var property struct {
			Type, Description string
			Enum              []string
		}
		if d.Decode(&property) != nil {
			return all
		}
		if property.Enum != nil {
			property.Type = strings.Join(property.Enum, ", ")
		}
		all = append(all, parameter{fmt.Sprint(name), property.Type, property.Description, slices.Contains(schema.Required, fmt.Sprint(name))})
	}
	return all
}
