// Package web serves the documentation as web pages: the pages of package docs
// in HTML and in Markdown, a search, llms.txt, and a start page that shows how
// to add the server to an AI tool.
//
// Everything it serves is public and the same for everyone. Links are relative,
// so that the pages work below any path prefix that a proxy removes. No address
// comes from a request.
package web

import (
	"encoding/json"
	"html/template"
	"net/http"
	"strings"

	"twilio-conversations-mcp/internal/docs"
)

// Options are what the pages show of the server.
type Options struct {
	// BaseURL is what clients put in front of /mcp and /docs/mcp: scheme, host
	// and possibly a path prefix, without a slash at the end.
	BaseURL string
	// Address is the BaseURL if it can be reached as it is, or empty if a part of
	// it is a placeholder. Links in llms.txt begin with it.
	Address string
	// Authorization is a placeholder for the Authorization header that /mcp
	// requires, such as "Bearer YOUR_TOKEN". If it is empty, none is shown.
	Authorization string
	// Tools are the tools that /mcp offers.
	Tools []Tool
	// Clients are the AI tools with a configuration of their own.
	Clients []Client
}

// A Tool is a tool of the server as the start page shows it.
type Tool struct {
	Name        string
	Title       string
	Description string
	ReadOnly    bool
	Input       json.RawMessage // JSON Schema of an object
}

// A Client is an AI tool with the entry for its configuration.
type Client struct {
	Name    string
	File    string // where the entry goes, in Markdown
	Secrets string // how a secret gets there, a sentence or two
	Entry   string
	Command string // a shell command that does the same, or empty
}

// Where is where the entry goes, in HTML.
func (c Client) Where() template.HTML { return render(c.File) }

// New returns the handler of the pages. It answers every path, with 404 for one
// that it does not know. A page is rendered when it is first asked for.
func New(o Options) http.Handler {
	s := &site{Options: o, documents: map[string]*document{}}
	s.add("/", htmlType, s.home)
	s.add("/llms.txt", textType, s.llms)
	for file, contentType := range assets {
		s.add("/"+file, contentType, func() []byte { return asset(file) })
	}
	for _, p := range docs.All() {
		s.add("/docs/"+p.Path(), htmlType, func() []byte { return s.page(p) })
		s.add("/docs/"+p.Path()+".md", markdownType, func() []byte { return []byte(markdown(p)) })
	}
	return s
}

// markdown is a page as a file: its links lead to other files.
func markdown(p docs.Page) string {
	return p.Markdown(func(to docs.Page) string { return "../" + to.Path() + ".md" })
}

// site serves the pages.
type site struct {
	Options
	documents map[string]*document // by path
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	if r.URL.Path == "/search" {
		newDocument(htmlType, func() []byte { return s.search(r.URL.Query().Get("q")) }).serve(w, r)
		return
	}
	address := r.URL.Path
	_, inMarkdown := s.documents[address+".md"]
	if inMarkdown && prefersMarkdown(r.Header.Get("Accept")) {
		address += ".md"
	}
	d, found := s.documents[address]
	if inMarkdown || !found {
		w.Header().Add("Vary", "Accept") // beside Origin, by which access is decided
	}
	if !found {
		s.notFound(w, r)
		return
	}
	d.serve(w, r)
}

// setSecurityHeaders allows the pages what they use: the style sheet, the script
// and the icon of this server, and the search form.
func setSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// notFound answers with a page if a browser asks, else with a line of text.
func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	depth := strings.Count(r.URL.EscapedPath(), "/") - 1
	if depth > maxDepth || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, "not found; the documentation begins at / and llms.txt lists its pages", http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", htmlType)
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodGet {
		_, _ = w.Write(s.missing("./" + strings.Repeat("../", max(depth, 0))))
	}
}

// maxDepth is how many levels below the start page an unknown address may be to
// get a page. Its links are relative, so their length grows with the depth.
const maxDepth = 10
