// Package web serves the documentation as web pages: the pages of package docs
// in HTML and in Markdown, a search, llms.txt, and a start page that shows how
// to add the server to an AI tool.
//
// Everything it serves is public and the same for everyone. Links are relative,
// so that the pages work below any path prefix that a proxy removes. No address
// comes from a request.
//
// The HTML in articles/ is made of the Markdown of package docs: "go test
// ./internal/web -update" writes it.
package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/clients"
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
	Tools []mcp.Tool
	// Clients returns the AI tools with a configuration of their own. It may be nil.
	Clients func() []Client
}

// A Client is an AI tool, with what adds the server to it.
type Client struct {
	clients.Client
	Config clients.Config
}

// New returns the handler of the pages. It answers every path, with 404 for one
// that it does not know.
func New(o Options) http.Handler { return &site{o} }

// site serves the pages.
type site struct{ Options }

const (
	htmlType     = "text/html; charset=utf-8"
	markdownType = "text/markdown; charset=utf-8"
	textType     = "text/plain; charset=utf-8"
)

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setSecurityHeaders(w.Header())
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	switch path := r.URL.Path; path {
	case "/":
		serve(w, r, htmlType, s.home())
	case "/search":
		serve(w, r, htmlType, search(r.URL.Query().Get("q")))
	case "/llms.txt":
		serve(w, r, textType, s.llms())
	case "/style.css":
		serve(w, r, "text/css; charset=utf-8", file("assets"+path))
	case "/copy.js":
		serve(w, r, "text/javascript; charset=utf-8", file("assets"+path))
	case "/icon.svg":
		serve(w, r, "image/svg+xml", file("assets"+path))
	default:
		s.serveArticle(w, r)
	}
}

// serveArticle serves a page of the documentation.
func (s *site) serveArticle(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept") // beside Origin, by which access is decided
	path, inMarkdown := strings.CutSuffix(r.URL.Path, ".md")
	inMarkdown = inMarkdown || prefersMarkdown(r.Header.Get("Accept"))
	for _, p := range docs.All() {
		switch {
		case path != "/docs/"+p.Path():
		case inMarkdown:
			serve(w, r, markdownType, []byte(p.Markdown(func(to docs.Page) string { return "../" + to.Path() + ".md" })))
			return
		default:
			serve(w, r, htmlType, article(p))
			return
		}
	}
	s.notFound(w, r)
}

// serve answers GET and HEAD, with 304 if the client has the content already.
func serve(w http.ResponseWriter, r *http.Request, contentType string, content []byte) {
	sum := sha256.Sum256(content)
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("ETag", `"`+base64.RawURLEncoding.EncodeToString(sum[:12])+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
}

// setSecurityHeaders allows the pages what they use: the style sheet, the script
// and the icon of this server, and the search form.
func setSecurityHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}

// prefersMarkdown reports whether an Accept header names Markdown and does not
// rate HTML higher.
func prefersMarkdown(accept string) bool {
	markdown, html := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality, err := strconv.ParseFloat(parameters["q"], 64)
		if err != nil {
			quality = 1
		}
		switch mediaType {
		case "text/markdown":
			markdown = quality
		case "text/html":
			html = quality
		}
	}
	return markdown > 0 && markdown >= html
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
		_, _ = w.Write(missing("./" + strings.Repeat("../", max(depth, 0))))
	}
}

// maxDepth is how many levels below the start page an unknown address may be to
// get a page. Its links are relative, so their length grows with the depth.
const maxDepth = 10
