package web

import (
	"encoding/json"
	"strings"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/internal/markup"
)

func (s *site) home() []byte {
	l := layout{
		Title:       siteTitle,
		Description: "An MCP server that lets AI agents manage the webhooks of a Twilio conversation, and the documentation of the API.",
		Root:        "./",
	}
	return l.page(markup.Format(`<h1>%s</h1>
<p class="lead">This is an MCP server that lets AI agents manage the webhooks of a Twilio conversation: the URLs that Twilio calls, and the Studio Flows that it runs, when something happens in that conversation. It also serves the documentation of the API, for agents through MCP and for people here.</p>

<h2 id="add">Add MCP server to your AI tool</h2>
<p>Allow AI tools and language models to use the API, or only to read its documentation, through MCP (streamable HTTP).</p>
<div class="cards">%s
</div>
%s%s
%s
<h2 id="documentation">Documentation</h2>
<h3>Operations</h3>
<dl>%s
</dl>
<h3>Guides</h3>
<dl>%s
</dl>
`, l.Title, markup.Each(s.endpoints(), endpoint.card), s.authorization(), s.clients(), s.tools(),
		markup.Each(pagesOf(docs.Operation), definition), markup.Each(pagesOf(docs.Guide), definition)))
}

// definition is the entry of a page in the list of the start page.
func definition(p docs.Page) markup.HTML {
	return markup.Format(`
<dt><a href="docs/%s">%s</a></dt><dd>%s</dd>`, p.Path(), p.Title, p.Description)
}

// endpoint is one MCP endpoint of the server.
type endpoint struct{ title, purpose, url, entry string }

func (s *site) endpoints() []endpoint {
	return []endpoint{
		{"Webhooks and documentation", "Lists and manages webhooks on Twilio. It uses the Twilio account that the server or the caller has.", s.BaseURL + "/mcp", s.entry("twilio-conversations", "/mcp", s.Authorization)},
		{"Documentation only", "Searches and reads these pages. It needs no Twilio account and changes nothing.", s.BaseURL + "/docs/mcp", s.entry("twilio-conversations-docs", "/docs/mcp", "")},
	}
}

func (e endpoint) card() markup.HTML {
	return markup.Format(`
<section class="card">
<h3>%s</h3>
<p>%s</p>
<h4>MCP server URL</h4>
<pre tabindex="0"><code>%s</code></pre>
<h4>mcp.json</h4>
<pre tabindex="0"><code>%s</code></pre>
</section>`, e.title, e.purpose, e.url, e.entry)
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

func (s *site) authorization() markup.HTML {
	return markup.If(s.Authorization != "", `<p>This server requires the <code>Authorization</code> header for <code>/mcp</code>. Replace the placeholder by your own value, and keep it secret.</p>
`)
}

func (s *site) clients() markup.HTML {
	if s.Clients == nil {
		return ""
	}
	return `<h3>Other AI tools</h3>
` + markup.Each(s.Clients(), s.client)
}

func (s *site) client(c Client) markup.HTML {
	secrets := markup.If(s.Authorization != "" && c.Secrets != "", markup.Format(`<p>%s</p>
`, c.Secrets))
	command := markup.If(c.Config.Command != "", markup.Format(`<p>This command does the same:</p>
<pre tabindex="0"><code>%s</code></pre>
`, c.Config.Command))
	return markup.Format(`<details>
<summary>%s</summary>
<p>%s</p>
<pre tabindex="0"><code>%s</code></pre>
%s%s</details>
`, c.Title, c.where(), c.Config.Entry, secrets, command)
}

// where is the place of the entry, in which names of files stand between grave
// accents.
func (c Client) where() (all markup.HTML) {
	for i, part := range strings.Split(c.File, "`") {
		if i%2 == 1 {
			all += markup.Format("<code>%s</code>", part)
		} else {
			all += markup.Format("%s", part)
		}
	}
	return all
}
