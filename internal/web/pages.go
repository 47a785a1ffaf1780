package web

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"sync"

	"twilio-conversations-mcp/internal/docs"
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

var templates = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(files, "assets/*.html"))
})

// view is what the templates show.
type view struct {
	Title       string
	Description string
	Root        string    // relative address of the start page
	Current     docs.Page // the page that is shown, if one is
	Query       string
	Data        any
}

// Pages returns the pages of a kind, for the navigation.
func (view) Pages(kind docs.Kind) []docs.Page {
	return slices.DeleteFunc(slices.Clone(docs.All()), func(p docs.Page) bool { return p.Kind != kind })
}

func execute(name string, v view) []byte {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, v); err != nil {
		panic("web: " + err.Error()) // tests render every page
	}
	return b.Bytes()
}

// article is a page of the documentation in HTML.
func (s *site) article(p docs.Page) []byte {
	html := template.HTML(file("articles/" + p.Path() + ".html"))
	return execute("page.html", view{Title: p.Title, Description: p.Description, Root: "../../", Current: p, Data: html})
}

// search is the answer to the search form.
func (s *site) search(query string) []byte {
	query = strings.ToValidUTF8(query[:min(len(query), docs.MaxQuery)], "")
	return execute("search.html", view{Title: "Search", Description: "Search the documentation.", Root: "./", Query: query, Data: docs.Search(query, "")})
}

func (s *site) missing(root string) []byte {
	return execute("missing.html", view{Title: "Page not found", Description: "There is no page at this address.", Root: root})
}

// endpoint is one MCP endpoint of the server.
type endpoint struct {
	Title, Purpose, URL, Entry string
}

func (s *site) home() []byte {
	return execute("home.html", view{
		Title:       "Twilio Conversations webhooks",
		Description: "An MCP server that lets AI agents manage the webhooks of a Twilio conversation, and the documentation of the API.",
		Root:        "./",
		Data: map[string]any{
			"Endpoints": []endpoint{
				{"Webhooks and documentation", "Lists and manages webhooks on Twilio. It uses the Twilio account that the server or the caller has.", s.BaseURL + "/mcp", s.entry("twilio-conversations", "/mcp", s.Authorization)},
				{"Documentation only", "Searches and reads these pages. It needs no Twilio account and changes nothing.", s.BaseURL + "/docs/mcp", s.entry("twilio-conversations-docs", "/docs/mcp", "")},
			},
			"Authorization": s.Authorization,
			"Tools":         s.toolViews(),
			"Clients":       s.Clients,
		},
	})
}

// entry is the content of an mcp.json file with one server.
func (s *site) entry(name, path, authorization string) string {
	type server struct {
		Type    string            `json:"type"`
		URL     string            `json:"url"`
		Headers map[string]string `json:"headers,omitempty"`
	}
	entry := server{Type: "http", URL: s.BaseURL + path}
	if authorization != "" {
		entry.Headers = map[string]string{"Authorization": authorization}
	}
	indented, _ := json.MarshalIndent(map[string]any{"mcpServers": map[string]server{name: entry}}, "", "  ") // strings can be encoded
	return string(indented)
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
		for _, p := range (view{}).Pages(part.kind) {
			fmt.Fprintf(&b, "- [%s](%sdocs/%s.md): %s\n", p.Title, root, p.Path(), p.Description)
		}
	}
	fmt.Fprintf(&b, "\n## MCP servers\n\n- [Webhooks and documentation](%s/mcp): streamable HTTP\n- [Documentation only](%s/docs/mcp): streamable HTTP, no credentials\n", s.BaseURL, s.BaseURL)
	return []byte(b.String())
}

// Where returns the place of the entry in HTML.
func (c Client) Where() template.HTML {
	var b strings.Builder
	for i, part := range strings.Split(template.HTMLEscapeString(c.File), "`") {
		if i%2 == 1 {
			part = "<code>" + part + "</code>"
		}
		b.WriteString(part)
	}
	return template.HTML(b.String())
}
