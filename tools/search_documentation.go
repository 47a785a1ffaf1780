package tools

import (
	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/schemas"
)

const nothingFound = "No page matches. Try an error code, or the name of a parameter or an event; without query, the result is every page."

var searchDocumentation = operation[schemas.SearchDocumentationInput]{
	contract: schemas.SearchDocumentation,
	title:    "Search the documentation",
	description: "Searches the documentation of the webhooks of Twilio conversations: operations, parameters, events, limits, error codes. " +
		"Read a page [with get_documentation|as a resource].",
	hints: documentationHints,
	scope: scopeNone,
	answer: func(in schemas.SearchDocumentationInput, pages string) (*mcp.CallToolResult, error) {
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

func documentationResult(r docs.Result, pages string) schemas.DocumentationResult {
	result := schemas.DocumentationResult{URI: r.Page.URI, Title: r.Page.Title, Type: string(r.Page.Kind), Passage: r.Passage}
	if pages != "" {
		result.URL = pages + "/docs/" + r.Page.Path()
	}
	return result
}
