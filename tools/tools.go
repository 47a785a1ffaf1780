// Package tools implements the MCP tools. A call's arguments are validated by the
// published schema, Twilio is asked, and the result is Twilio's own JSON, or an
// error that says what went wrong and what to try next.
package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/twilioapi"
)

// A Tool is an MCP tool.
type Tool struct {
	Definition mcp.Tool
	Scope      string // the OAuth scope that a call needs, or "none"
	View       bool   // whether the result is one webhook or several, which a view can show
	// Call carries out one call. Whatever goes wrong is a tool error in the
	// result.
	Call func(ctx context.Context, twilio *twilioapi.Client, in Request) (*mcp.CallToolResult, twilioapi.CallInfo)
}

// A Request is what a call of a tool has. What is missing is nil.
type Request struct {
	Arguments json.RawMessage
	// Capabilities are those of the client, if it speaks a protocol version with
	// results of type input_required.
	Capabilities json.RawMessage
	// Responses and State answer the question of an earlier result. They are
	// untrusted.
	Responses, State json.RawMessage
}

// ReadOnly reports whether the tool changes nothing.
func (t Tool) ReadOnly() bool { return *t.Definition.Annotations.ReadOnlyHint }

// A definition is a tool before it is known which tools are offered beside it.
type definition interface {
	name() string
	readOnly() bool
	explainer(offered) *explainer
	tool(names offered, s Selection) Tool
}

// toolsets lists every tool, in the order of tools/list.
var toolsets = []struct {
	name  string
	tools []definition
}{
	{"webhooks", []definition{&listConversationWebhooks, &createConversationWebhook}},
	{"manage", []definition{&ensureConversationWebhook, &fetchConversationWebhook, &updateConversationWebhook, &deleteConversationWebhook}},
	{"conversations", []definition{&listConversations, &listParticipantConversations, &fetchConversation, &listConversationServices, &checkConversationWebhooks}},
	{"configuration", []definition{&fetchWebhookConfiguration, &updateWebhookConfiguration, &listAddressConfigurations}},
	{"docs", []definition{&searchDocumentation, &getDocumentation}},
}

// Toolsets returns the names that [Select] accepts.
func Toolsets() (names []string) {
	for _, set := range toolsets {
		names = append(names, set.name)
	}
	return append(names, "all")
}

// A Selection says which tools are wanted.
type Selection struct {
	Toolsets []string // see [Toolsets]
	Tools    []string // exactly these tools instead of the toolsets; empty: those of the toolsets
	Exclude  []string // leaves out these tools
	ReadOnly bool     // leaves out the tools that change something
	Confirm  bool     // asks the user before something is deleted or overwritten, if the client can
	// Within are selections that leave out what they do not select.
	Within []Selection
	Pages  string // base URL of the web pages, which results about the documentation name; "": none
}

// Select returns the tools of a selection, in a fixed order. The descriptions,
// results and errors of a tool mention only tools that are returned with it. An
// unknown name is an error that lists the valid ones.
func Select(s Selection) (selected []Tool, err error) {
	all, err := definitions(s)
	for _, d := range all {
		selected = append(selected, d.tool(namesOf(all), s))
	}
	return selected, err
}

func definitions(s Selection) (selected []definition, err error) {
	if err := checkNames("toolset", s.Toolsets, Toolsets()); err != nil {
		return nil, err
	}
	if err := checkNames("tool", slices.Concat(s.Tools, s.Exclude), allNames()); err != nil {
		return nil, err
	}
	for _, set := range toolsets {
		for _, d := range set.tools {
			wanted := slices.Contains(s.Toolsets, set.name) || slices.Contains(s.Toolsets, "all")
			if len(s.Tools) > 0 {
				wanted = slices.Contains(s.Tools, d.name())
			}
			if wanted && !slices.Contains(s.Exclude, d.name()) && (d.readOnly() || !s.ReadOnly) {
				selected = append(selected, d)
			}
		}
	}
	for _, other := range s.Within {
		allowed, err := definitions(other)
		if err != nil {
			return nil, err
		}
		selected = slices.DeleteFunc(selected, func(d definition) bool { return !slices.Contains(namesOf(allowed), d.name()) })
	}
	return selected, nil
}

func checkNames(kind string, names, valid []string) error {
	for _, name := range names {
		if !slices.Contains(valid, name) {
			return fmt.Errorf("unknown %s %.64q: valid are %s", kind, name, strings.Join(valid, ", "))
		}
	}
	return nil
}

func allNames() (names []string) {
	for _, set := range toolsets {
		for _, d := range set.tools {
			names = append(names, d.name())
		}
	}
	return names
}

func namesOf(definitions []definition) (names offered) {
	for _, d := range definitions {
		names = append(names, d.name())
	}
	return names
}
