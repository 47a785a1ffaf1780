package tools

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/schemas"
)

var getDocumentation = operation[schemas.GetDocumentationInput]{
	contract: schemas.GetDocumentation,
	title:    "Read the documentation",
	description: "Returns whole pages of this server's documentation of Twilio's conversation webhooks, in Markdown, by the URIs that [search_documentation|resources/list] and findings name. " +
		"It calls nothing of Twilio.",
	hints: documentationHints,
	scope: scopeNone,
	answer: func(in schemas.GetDocumentationInput, _ string) (*mcp.CallToolResult, error) {
		out := schemas.GetDocumentationOutput{Pages: []schemas.DocumentationPage{}, Missing: []string{}}
		var texts []string
		for _, name := range in.URIs {
			p, ok := docs.Lookup(name)
			switch {
			case !ok:
				out.Missing = append(out.Missing, clip(name, 100))
			case !slices.ContainsFunc(out.Pages, func(known schemas.DocumentationPage) bool { return known.URI == p.URI }):
				out.Pages = append(out.Pages, schemas.DocumentationPage{URI: p.URI, Title: p.Title, Type: string(p.Kind), Content: p.Content()})
				texts = append(texts, p.Content())
			}
		}
		if len(out.Pages) == 0 {
			return nil, argumentError{fmt.Sprintf("There is no page %s. The pages are %s.", quote(in.URIs[0]), pageNames())}
		}
		if len(out.Missing) > 0 {
			texts = append(texts, fmt.Sprintf("There is no page %s. The pages are %s.", strings.Join(out.Missing, ", "), pageNames()))
		}
		return answered(out, strings.Join(texts, "\n\n---\n\n")), nil
	},
}

// pageNames lists the names of all pages.
func pageNames() string {
	var names []string
	for _, p := range docs.All() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}
