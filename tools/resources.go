package tools

import (
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/docs"
)

const markdownType = "text/markdown"

// A Resource is an MCP resource, and how it is read.
type Resource struct {
	Definition mcp.Resource
	Read       func() mcp.TextResourceContents
}

// audience lists the intended readers of the pages.
var audience = []mcp.Role{mcp.RoleAssistant, mcp.RoleUser}

// priority ranks the kinds of pages for a model.
var priority = map[docs.Kind]float64{docs.Operation: 0.8, docs.Guide: 0.5}

// Resources returns the pages of the documentation.
func Resources() (all []Resource) {
	for _, p := range docs.All() {
		definition := mcp.NewResource(p.URI, p.Name,
			mcp.WithMIMEType(markdownType),
			mcp.WithResourceDescription(p.Description),
			mcp.WithAnnotations(audience, priority[p.Kind], docs.LastModified))
		definition.Title = p.Title
		all = append(all, Resource{definition, func() mcp.TextResourceContents {
			return mcp.TextResourceContents{URI: p.URI, MIMEType: markdownType, Text: p.Content()}
		}})
	}
	return all
}

// ResourceTemplates returns a template for the pages of each kind.
func ResourceTemplates() (all []mcp.ResourceTemplate) {
	for _, kind := range []docs.Kind{docs.Operation, docs.Guide} {
		all = append(all, mcp.NewResourceTemplate(templateURI(kind), string(kind),
			mcp.WithTemplateMIMEType(markdownType),
			mcp.WithTemplateDescription(templateDescriptions[kind]),
			mcp.WithTemplateAnnotations(audience, priority[kind], docs.LastModified)))
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

// Complete returns the values of an argument that begin with what was typed. The
// reference is the name of a prompt, or the URI of a template or a resource. Arguments
// that take any value have none.
func Complete(reference, argument, typed string) []string {
	if values := completePrompt(reference, argument, typed); values != nil {
		return values
	}
	var names []string
	for _, p := range docs.All() {
		if reference == templateURI(p.Kind) && argument == string(p.Kind) {
			names = append(names, p.Name)
		}
	}
	return complete(names, "", typed)
}

// complete returns the values that begin with what was typed after a prefix that
// every value gets.
func complete(values []string, prefix, typed string) (completed []string) {
	for _, value := range values {
		if strings.HasPrefix(strings.ToLower(value), strings.ToLower(typed)) {
			completed = append(completed, prefix+value)
		}
	}
	return completed
}
