package program

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

// selection returns the tools that the operator offers.
func (p *program) selection(pages string) tools.Selection {
	return tools.Selection{Toolsets: p.cfg.Toolsets, Tools: p.cfg.Tools, Exclude: p.cfg.ExcludeTools, ReadOnly: p.cfg.ReadOnly, Confirm: p.cfg.Confirm, Pages: pages}
}

// nameFlag names the flag that makes a selection invalid.
func nameFlag(s tools.Selection, err error) error {
	flag := "--exclude-tools"
	if _, err := tools.Select(tools.Selection{Toolsets: s.Toolsets}); err != nil {
		flag = "--toolsets"
	} else if _, err := tools.Select(tools.Selection{Tools: s.Tools}); err != nil {
		flag = "--tools"
	}
	return fmt.Errorf("%s: %w", flag, err)
}

// narrow returns a function that leaves out what a request does not want of a
// selection.
func (p *program) narrow(selection tools.Selection, twilio *twilioapi.Client) func(serve.Options, serve.Narrowing) (serve.Options, error) {
	return func(o serve.Options, n serve.Narrowing) (serve.Options, error) {
		narrowed := selection
		narrowed.Within = []tools.Selection{{Toolsets: []string{"all"}, Exclude: n.ExcludeTools, ReadOnly: n.ReadOnly}}
		for _, names := range n.Toolsets {
			narrowed.Within = append(narrowed.Within, tools.Selection{Toolsets: names})
		}
		for _, names := range n.Tools {
			narrowed.Within = append(narrowed.Within, tools.Selection{Tools: names})
		}
		offered, err := tools.Select(narrowed)
		if err != nil {
			return o, err
		}
		o.Tools, o.Prompts, o.Instructions = servedTools(offered, twilio), servedPrompts(offered), p.instructions(offered)
		if n.ReadOnly {
			o.Methods = maps.Clone(o.Methods)
			maps.DeleteFunc(o.Methods, func(_ string, m serve.Method) bool { return strings.Contains(m.Scope, access.ScopeWrite) })
		}
		return o, nil
	}
}

func (p *program) instructions(offered []tools.Tool) string {
	text := tools.Instructions(offered)
	if p.cfg.Sandbox {
		text += " " + sandbox.Guide
	}
	return text
}

// narrowingQuery returns the query of an endpoint's URL that narrows what a request
// is offered as the settings narrow what a server offers.
func narrowingQuery(c *config.Config) (string, error) {
	selection := (&program{cfg: c}).selection("")
	if _, err := tools.Select(selection); err != nil {
		return "", nameFlag(selection, err)
	}
	var parameters []string
	for name, names := range map[string][]string{"toolsets": c.Toolsets, "tools": c.Tools, "exclude_tools": c.ExcludeTools} {
		if len(names) > 0 {
			parameters = append(parameters, name+"="+strings.Join(names, ","))
		}
	}
	if c.ReadOnly {
		parameters = append(parameters, "read_only=true")
	}
	if len(parameters) == 0 {
		return "", nil
	}
	slices.Sort(parameters)
	return "?" + strings.Join(parameters, "&"), nil
}
