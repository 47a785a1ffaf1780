package tools

import (
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/schemas"
)

// WithPages returns the tools, of which search_documentation adds the URLs of web
// pages below a base URL to its results.
func WithPages(all []Tool, base string) []Tool {
	all = slices.Clone(all)
	for i, t := range all {
		if search := searchDocumentation(base); t.Definition.Name == search.name() {
			all[i] = search.tool(nil)
		}
	}
	return all
}

const nothingFound = "No page matches. Try an error code, or the name of a parameter or an event; without query, the result is every page."

// searchDocumentation returns the definition of the tool of that name. Its results
// have the URLs of web pages unless the base URL of these is empty.
func searchDocumentation(pages string) operation[schemas.SearchDocumentationInput] {
	return operation[schemas.SearchDocumentationInput]{
		contract: schemas.SearchDocumentation,
		title:    "Search the documentation",
		description: "Searches the documentation of the webhooks of Twilio conversations: operations, parameters, events, limits, error codes. " +
			"Read a page with get_documentation.",
		hints: readsDocumentation,
		answer: func(in schemas.SearchDocumentationInput) (*mcp.CallToolResult, error) {
			found := docs.Search(in.Query, docs.Kind(in.Type))
			out := schemas.SearchDocumentationOutput{Total: found.Total, Results: []schemas.DocumentationResult{}}
			for _, r := range found.Results {
				out.Results = append(out.Results, documentationResult(r, pages))
			}
			texts := []string{string(compact(out))}
			if out.Total == 0 {
				texts = append(texts, nothingFound)
			}
			return answered(out, texts...), nil
		},
	}
}

func documentationResult(r docs.Result, pages string) schemas.DocumentationResult {
	result := schemas.DocumentationResult{URI: r.Page.URI, Title: r.Page.Title, Type: string(r.Page.Kind), Passage: r.Passage}
	if pages != "" {
		result.URL = pages + "/docs/" + r.Page.Path()
	}
	return result
}
