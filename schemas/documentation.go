package schemas

// SearchDocumentation is the contract of the tool of that name.
const SearchDocumentation Contract[SearchDocumentationInput] = "search_documentation"

// SearchDocumentationInput says what to look for.
type SearchDocumentationInput struct {
	// A question, an error code, or the name of a parameter or an event; at most
	// 400 characters. Left out: every page.
	Query string `json:"query,omitempty" jsonschema:"maxLength=400"`

	// operation or guide: only pages of this type.
	Type string `json:"type,omitempty" jsonschema:"enum=operation,enum=guide"`
}

// SearchDocumentationOutput lists pages.
type SearchDocumentationOutput struct {
	// The number of pages that match.
	Total int `json:"total"`

	// The best of them, at most ten.
	Results []DocumentationResult `json:"results"`
}

// DocumentationResult is a page that a search found.
type DocumentationResult struct {
	// The URI of the page, by which it is read.
	URI string `json:"uri"`

	// The title of the page.
	Title string `json:"title"`

	// operation or guide.
	Type string `json:"type"`

	// The passage that matches best.
	Passage string `json:"passage"`

	// The page for people, if the server has web pages.
	URL string `json:"url,omitempty"`
}

// GetDocumentation is the contract of the tool of that name.
const GetDocumentation Contract[GetDocumentationInput] = "get_documentation"

// GetDocumentationInput names pages.
type GetDocumentationInput struct {
	// 1 to 10 pages, by URI or name, such as events.
	URIs []string `json:"uris" jsonschema:"required,minItems=1,maxItems=10"`
}

// GetDocumentationOutput has the pages, and the names that are no pages.
type GetDocumentationOutput struct {
	// The pages, in the order of the request.
	Pages []DocumentationPage `json:"pages"`

	// What was asked for and does not exist.
	Missing []string `json:"missing"`
}

// DocumentationPage is a page of the documentation.
type DocumentationPage struct {
	// The URI of the page.
	URI string `json:"uri"`

	// The title of the page.
	Title string `json:"title"`

	// operation or guide.
	Type string `json:"type"`

	// The page in Markdown.
	Content string `json:"content"`
}
