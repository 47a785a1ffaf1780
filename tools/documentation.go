package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

// A documentation defines a tool that reads the documentation. It needs no Twilio
// client.
type documentation[Input any] struct {
	contract    schemas.Contract[Input]
	title       string
	description string
	// answer returns the structured content and the text of a result, or an
	// [argumentError].
	answer func(Input) (content any, text string, err error)
}

func (d documentation[Input]) name() string                      { return string(d.contract) }
func (d documentation[Input]) readOnly() bool                    { return true }
func (d documentation[Input]) explainer(names offered) explainer { return explainer{offered: names} }

func (d documentation[Input]) tool(names offered) Tool {
	input := sync.OnceValue(func() *parameters { return newParameters(d.contract.Input(), false) })
	return Tool{d.definition(), func(ctx context.Context, _ *twilioapi.Client, raw json.RawMessage) (*mcp.CallToolResult, twilioapi.CallInfo) {
		result, err := d.call(ctx, input(), raw)
		if err != nil {
			result = d.explainer(names).errorResult(err)
		}
		return result, twilioapi.CallInfo{}
	}}
}

func (d documentation[Input]) call(ctx context.Context, p *parameters, raw json.RawMessage) (*mcp.CallToolResult, error) {
	arguments, err := decode[Input](ctx, p, raw)
	if err != nil {
		return nil, err
	}
	content, text, err := d.answer(arguments)
	if err != nil {
		return nil, err
	}
	return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent(text)}, RawStructuredContent: compact(content)}, nil
}

func (d documentation[Input]) definition() mcp.Tool {
	return mcp.Tool{
		Name:            d.name(),
		Title:           d.title,
		Description:     d.description,
		RawInputSchema:  d.contract.Input(),
		RawOutputSchema: d.contract.Output(),
		Annotations: mcp.ToolAnnotation{
			ReadOnlyHint:    new(true),
			DestructiveHint: new(false),
			IdempotentHint:  new(true),
			OpenWorldHint:   new(false),
		},
	}
}

// compact returns v as JSON without white space. It must be a type of package
// schemas, all of which can be encoded.
func compact(v any) json.RawMessage {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
