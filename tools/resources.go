package tools

import (
	"context"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"twilio-conversations-mcp/internal/docs"
)

const markdownType = "text/markdown"

// audience lists the intended readers of the pages.
var audience = []mcp.Role{mcp.RoleAssistant, mcp.RoleUser}

// priority ranks the kinds of pages for a model.
var priority = map[docs.Kind]float64{docs.Operation: 0.8, docs.Guide: 0.5}

// Resources returns the pages of the documentation.
func Resources() (all []server.ServerResource) {
	for _, p := range docs.All() {
		resource := mcp.NewResource(p.URI, p.Name,
			mcp.WithMIMEType(markdownType),
			mcp.WithResourceDescription(p.Description),
			mcp.WithAnnotations(audience, priority[p.Kind], docs.LastModified))
		resource.Title = p.Title
		all = append(all, server.ServerResource{Resource: resource, Handler: readPage})
	}
	return all
}

// ResourceTemplates returns a template for the pages of each kind.
func ResourceTemplates() (all []server.ServerResourceTemplate) {
	for _, kind := range []docs.Kind{docs.Operation, docs.Guide} {
		template := mcp.NewResourceTemplate(templateURI(kind), string(kind),
			mcp.WithTemplateMIMEType(markdownType),
			mcp.WithTemplateDescription(templateDescriptions[kind]),
			mcp.WithTemplateAnnotations(audience, priority[kind], docs.LastModified))
		all = append(all, server.ServerResourceTemplate{Template: template, Handler: readPage})
	}
	return all
}

var templateDescriptions = map[docs.Kind]string{
	docs.Operation: "An operation of the webhook resource: parameters, result, errors, example.",
	docs.Guide:     "A guide to a topic, such as events or limits.",
}

func templateURI(kind docs.Kind) string {
	return docs.Scheme + string(kind) + "s/{" + string(kind) + "}"
}

// readPage returns the page of a URI.
func readPage(_ context.Context, r mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
	p, ok := docs.Lookup(r.Params.URI)
	if !ok || p.URI != r.Params.URI {
		return nil, server.ErrResourceNotFound
	}
	return []mcp.ResourceContents{mcp.TextResourceContents{URI: p.URI, MIMEType: markdownType, Text: p.Content()}}, nil
}

// Completion completes the arguments of resource templates and prompts.
type Completion struct{}

// CompleteResourceArgument returns the names of pages that begin with what was
// typed. Unknown templates and arguments have none.
func (Completion) CompleteResourceArgument(_ context.Context, uri string, a mcp.CompleteArgument, _ mcp.CompleteContext) (*mcp.Completion, error) {
	var names []string
	for _, p := range docs.All() {
		if uri == templateURI(p.Kind) && a.Name == string(p.Kind) {
			names = append(names, p.Name)
		}
	}
	return complete(names, "", a.Value), nil
}

// complete returns the values that begin with what was typed after a prefix that
// every value gets.
func complete(values []string, prefix, typed string) *mcp.Completion {
	completion := &mcp.Completion{Values: []string{}}
	for _, value := range values {
		if strings.HasPrefix(strings.ToLower(value), strings.ToLower(typed)) {
			completion.Values = append(completion.Values, prefix+value)
		}
	}
	completion.Total = len(completion.Values)
	return completion
}
