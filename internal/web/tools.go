package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/internal/markup"
)

type parameter struct {
	Name, Type, Description string
	Required                bool
}

func (s *site) tools() markup.HTML {
	return markup.If(len(s.Tools) > 0, `<h2 id="tools">Tools</h2>
`+markup.Each(s.Tools, tool))
}

func tool(t mcp.Tool) markup.HTML {
	effect := "writes"
	if *t.Annotations.ReadOnlyHint {
		effect = "read-only"
	}
	path := operationPath(t.Name)
	return markup.Format(`<section class="tool">
<h3 id="%[1]s"><code>%[1]s</code> <span class="badge">%[2]s</span></h3>
<p>%[3]s</p>
%[4]s%[5]s</section>
`, t.Name, effect, t.Description, parameterTable(t.Name, parameters(t.RawInputSchema)), markup.If(path != "", markup.Format(`<p><a href="docs/%s">Example, result and errors</a></p>
`, path)))
}

func parameterTable(tool string, all []parameter) markup.HTML {
	return markup.If(len(all) > 0, markup.Format(`<div class="scroll" role="region" tabindex="0" aria-label="Parameters of %[1]s"><table>
<caption>Parameters of %[1]s</caption>
<thead><tr><th scope="col">Parameter</th><th scope="col">Type</th><th scope="col">Meaning</th></tr></thead>
<tbody>%[2]s
</tbody>
</table></div>
`, tool, markup.Each(all, parameter.row)))
}

func (p parameter) row() markup.HTML {
	return markup.Format(`
<tr><td><code>%s</code>%s</td><td data-label="Type">%s</td><td data-label="Meaning">%s</td></tr>`,
		p.Name, markup.If(p.Required, ` <span class="required">required</span>`), p.Type, p.Description)
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
