package web

import (
	"embed"
	"fmt"
	"strings"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/internal/markup"
)

//go:embed assets articles
var files embed.FS

// file returns a file that was built in.
func file(name string) []byte {
	b, err := files.ReadFile(name)
	if err != nil {
		panic("web: " + err.Error()) // tests read every file
	}
	return b
}

// article is a page of the documentation in HTML.
func article(p docs.Page) []byte {
	content := markup.HTML(file("articles/" + p.Path() + ".html"))
	l := layout{Title: p.Title, Description: p.Description, Root: "../../", Current: p}
	return l.page(markup.Format(`<article>
%s</article>
<p class="formats"><a href="%s.md">This page as Markdown</a> · <code>%s</code></p>
`, content, p.Name, p.URI))
}

// search is the answer to the search form.
func search(query string) []byte {
	query = strings.ToValidUTF8(query[:min(len(query), docs.MaxQuery)], "")
	found := docs.Search(query, "")
	title := "All pages"
	if query != "" {
		title = "Results for “" + query + "”"
	}
	l := layout{Title: "Search", Description: "Search the documentation.", Root: "./", Query: query}
	return l.page(markup.Format(`<h1>%s</h1>
<p>%s</p>
<ol class="results">%s
</ol>
`, title, count(found.Total, len(found.Results)), markup.Each(found.Results, result)))
}

// count says how many pages match, and how many of them are shown.
func count(total, shown int) string {
	switch {
	case total == 0:
		return "No page matches. Try other words, an error code, or the name of a parameter."
	case total == 1:
		return "One page matches."
	case total == shown:
		return fmt.Sprintf("%d pages.", total)
	case shown == 1:
		return fmt.Sprintf("%d pages match; this is the best one.", total)
	default:
		return fmt.Sprintf("%d pages match; these are the best %d.", total, shown)
	}
}

func result(r docs.Result) markup.HTML {
	return markup.Format(`
<li><h2><a href="docs/%s">%s</a></h2>
<p>%s</p></li>`, r.Page.Path(), r.Page.Title, r.Passage)
}

func missing(root string) []byte {
	l := layout{Title: "Page not found", Description: "There is no page at this address.", Root: root}
	return l.page(markup.Format(`<h1>%s</h1>
<p>There is no page at this address. Search the documentation, choose a page from the list, or begin at the <a href="%s">start page</a>.</p>
`, l.Title, root))
}

// llms is the index of the pages for language models, see https://llmstxt.org.
func (s *site) llms() []byte {
	var b strings.Builder
	root := ""
	if s.Address != "" {
		root = s.Address + "/"
	}
	b.WriteString("# Twilio Conversations webhooks\n\n> The API for webhooks that belong to one conversation of Twilio Conversations, and an MCP server for it.\n")
	for _, part := range []struct {
		title string
		kind  docs.Kind
	}{{"Operations", docs.Operation}, {"Guides", docs.Guide}} {
		fmt.Fprintf(&b, "\n## %s\n\n", part.title)
		for _, p := range pagesOf(part.kind) {
			fmt.Fprintf(&b, "- [%s](%sdocs/%s.md): %s\n", p.Title, root, p.Path(), p.Description)
		}
	}
	fmt.Fprintf(&b, "\n## MCP servers\n\n- [Webhooks and documentation](%s/mcp): streamable HTTP\n- [Documentation only](%s/docs/mcp): streamable HTTP, no credentials\n", s.BaseURL, s.BaseURL)
	return []byte(b.String())
}
