package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
)

type meta struct {
	Page        int     `json:"page"`
	PageSize    int     `json:"page_size"`
	FirstURL    string  `json:"first_page_url"`
	PreviousURL *string `json:"previous_page_url"`
	URL         string  `json:"url"`
	NextURL     *string `json:"next_page_url"`
	Key         string  `json:"key"`
}

// A listing describes a list of resources of one kind.
type listing struct {
	key          string // the member of the response that has the resources
	defaultSize  int
	maxSize      int
	isDescending bool // whether the SIDs descend; otherwise they ascend
}

// An item is a resource in a list.
type item struct {
	sid  string
	show any
}

// page returns the page of a list that a request asks for. A PageSize above the maximum counts as the maximum,
// because the SDKs ask for 50 by default. PageToken selects the page; Page is only repeated in meta.
func (s *Sandbox) page(r *http.Request, l listing, items []item) response {
	size, sizeErr := number(r.Form, "PageSize", l.defaultSize)
	index, indexErr := number(r.Form, "Page", 0)
	token := r.Form.Get("PageToken")
	switch {
	case sizeErr != nil || size < 1:
		return badRequest(20001, "PageSize must be a number from 1 to %d", l.maxSize)
	case indexErr != nil || index < 0 || index > math.MaxInt32:
		return badRequest(20001, "Page must be a number, 0 or more")
	case token != "" && !tokens().MatchString(token):
		return badRequest(21481, "PageToken is not valid, use the page URLs of an earlier response")
	}
	size = min(size, l.maxSize)
	pageURL := func(index int, token string) string { return s.pageURL(r, size, index, token) }
	m := meta{Page: index, PageSize: size, FirstURL: pageURL(0, ""), URL: pageURL(index, token), Key: l.key}
	start, end := l.window(items, token, size)
	shown := []any{}
	for _, i := range items[start:end] {
		shown = append(shown, i.show)
	}
	if 0 < start && start < end {
		m.PreviousURL = new(pageURL(max(index-1, 0), "PB"+items[start].sid))
	}
	if start < end && end < len(items) {
		m.NextURL = new(pageURL(index+1, "PA"+items[end-1].sid))
	}
	return response{status: http.StatusOK, body: map[string]any{"meta": m, l.key: shown}}
}

// pageURL returns the URL of a page: the path as the request has it, and its parameters.
func (s *Sandbox) pageURL(r *http.Request, size, index int, token string) string {
	query := url.Values{}
	for name, values := range r.URL.Query() {
		if name != "PageSize" && name != "Page" && name != "PageToken" {
			query[name] = values
		}
	}
	filters := query.Encode()
	if filters != "" {
		filters += "&"
	}
	if token != "" {
		token = "&PageToken=" + token
	}
	return fmt.Sprintf("%s%s?%sPageSize=%d&Page=%d%s", s.host(r), r.URL.EscapedPath(), filters, size, index, token)
}

// tokens matches page tokens: PA and a SID for the resources after that one, PB for those before it. An index
// would change its meaning when a resource is deleted between two pages; a SID does not.
var tokens = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^P[AB][A-Z]{2}[0-9a-f]{32}$`) })

// window returns the range of items that a token selects.
func (l listing) window(items []item, token string, size int) (start, end int) {
	all := len(items)
	if token == "" {
		return 0, min(size, all)
	}
	before, sid := token[:2] == "PB", token[2:]
	edge := slices.IndexFunc(items, func(i item) bool {
		return i.sid == sid && before || i.sid != sid && (i.sid > sid) != l.isDescending
	})
	if edge < 0 {
		edge = all
	}
	if before {
		return max(edge-size, 0), edge
	}
	return edge, min(edge+size, all)
}

// number returns a numeric parameter.
func number(form url.Values, name string, byDefault int) (int, error) {
	if !form.Has(name) {
		return byDefault, nil
	}
	return strconv.Atoi(form.Get(name))
}
