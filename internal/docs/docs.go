// Package docs holds the documentation of the API as Markdown pages, and
// searches them.
//
// A page is either an operation of the webhook resource or a guide. The guides
// in guides/*.md are written by hand. The operations in operations/*.md are
// generated from the published schemas, the error advice and the answers of the
// sandbox: "go test ./internal/docs -update" writes them.
//
// A page refers to another by its name, as in [events](events). The name becomes
// an address when the page is read, because a resource, a Markdown file and a
// web page have different addresses.
package docs

import (
	"embed"
	"path"
	"regexp"
	"strings"
	"sync"
)

// Kind tells what a page describes.
type Kind string

// The kinds of pages.
const (
	Operation Kind = "operation" // one operation of the webhook resource
	Guide     Kind = "guide"     // a topic
)

// Scheme begins the URI of every page.
const Scheme = "twilio-conversations://docs/"

// LastModified is the day on which the pages were last checked against their
// sources, in the format of RFC 3339.
const LastModified = "2026-11-25T00:00:00Z"

// A Page is one page of the documentation.
type Page struct {
	Name        string // unique, such as "create" or "events"
	Kind        Kind
	Title       string
	Description string // one sentence
	URI         string // such as twilio-conversations://docs/guides/events
}

// Path is the address of the page below the documentation, without an
// extension, such as guides/events.
func (p Page) Path() string { return strings.TrimPrefix(p.URI, Scheme) }

// Content returns the page as Markdown in which links to other pages are their
// URIs.
func (p Page) Content() string {
	return p.Markdown(func(to Page) string { return to.URI })
}

// Markdown returns the page as Markdown in which links to other pages are what
// address returns for them.
func (p Page) Markdown(address func(Page) string) string {
	return pageLink().ReplaceAllStringFunc(p.source(), func(link string) string {
		to, ok := Lookup(strings.Trim(link, "]()"))
		if !ok {
			return link // a test keeps this from happening
		}
		return "](" + address(to) + ")"
	})
}

// pageLink matches the target of a link that is a page name. Every other target
// has a slash.
var pageLink = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\]\([a-z-]+\)`) })

//go:embed operations/*.md guides/*.md
var files embed.FS

// order is the order in which pages are listed.
var order = []string{
	"operations/list", "operations/create", "operations/fetch", "operations/update", "operations/delete",
	"operations/list-conversations", "operations/list-participant-conversations", "operations/fetch-conversation", "operations/list-conversation-services",
	"operations/check-conversation-webhooks", "operations/fetch-webhook-configuration", "operations/update-webhook-configuration", "operations/list-address-configurations",
	"guides/targets", "guides/events", "guides/keywords", "guides/replay", "guides/limits",
	"guides/errors", "guides/addressing", "guides/paging", "guides/safe-creates",
	"guides/finding", "guides/levels", "guides/receiving", "guides/troubleshooting", "guides/testing", "guides/hear-a-conversation",
}

// All returns every page: the operations, then the guides.
func All() []Page { return pages() }

var pages = sync.OnceValue(func() []Page {
	var all []Page
	for _, file := range order {
		all = append(all, newPage(file))
	}
	return all
})

// newPage reads the head of a page. Its first line is the title, its third the
// description.
func newPage(file string) Page {
	f, err := files.Open(file + ".md")
	if err != nil {
		panic("docs: " + err.Error()) // the file was built in
	}
	head := make([]byte, 512)
	n, _ := f.Read(head)
	lines := strings.SplitN(string(head[:n]), "\n", 4)
	kind := Guide
	if path.Dir(file) == "operations" {
		kind = Operation
	}
	return Page{
		Name:        path.Base(file),
		Kind:        kind,
		Title:       strings.TrimPrefix(lines[0], "# "),
		Description: lines[2],
		URI:         Scheme + file,
	}
}

// source returns the Markdown of the page, with page names as the targets of
// links.
func (p Page) source() string {
	source, _ := files.ReadFile(p.Path() + ".md") // it was built in
	return string(source)
}

// Lookup returns the page of a name: its name, its title, its path, its URI, the
// address of its web page, or for an operation the name of the tool that performs
// it. Upper and lower case are the same, and a fragment is ignored.
func Lookup(name string) (Page, bool) {
	name = normal(name)
	for _, p := range pages() {
		if name == p.Name || name == p.Path() || name == p.tool() || name == normal(p.Title) {
			return p, true
		}
	}
	return Page{}, false
}

// normal returns a name of a page in the form in which names are compared.
func normal(name string) string {
	name, _, _ = strings.Cut(name, "#")
	if i := strings.LastIndex(name, "/docs/"); i >= 0 { // a URI, or the address of a web page
		name = name[i+len("/docs/"):]
	}
	name = strings.TrimSuffix(strings.ToLower(strings.TrimSpace(name)), ".md")
	return strings.ReplaceAll(name, " ", "-")
}

// tool returns the name of the tool that performs an operation. A guide has only
// its own name.
func (p Page) tool() string {
	switch {
	case p.Kind == Guide:
		return p.Name
	case strings.Contains(p.Name, "-"):
		return strings.ReplaceAll(p.Name, "-", "_")
	case p.Name == "list":
		return "list_conversation_webhooks"
	default:
		return p.Name + "_conversation_webhook"
	}
}
