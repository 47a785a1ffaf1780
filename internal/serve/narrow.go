package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// A Narrowing is what a request leaves out of what the server offers.
type Narrowing struct {
	// The names of toolsets and of tools that the request wants, a list for each
	// place that names some. A tool must be in each list.
	Toolsets, Tools [][]string
	ExcludeTools    []string
	ReadOnly        bool
}

// maxNarrowed is how many servers that offer less are kept.
const maxNarrowed = 64

// narrowed holds servers that offer less, by what they leave out.
type narrowed struct {
	mu      sync.Mutex
	servers map[string]*Server
}

// A choice is what a request narrows by one header, and by the query parameter of
// the endpoint's URL that does the same.
type choice struct{ header, parameter string }

var (
	toolsetsChoice = choice{"X-Mcp-Toolsets", "toolsets"}
	toolsChoice    = choice{"X-Mcp-Tools", "tools"}
	excludeChoice  = choice{"X-Mcp-Exclude-Tools", "exclude_tools"}
	readOnlyChoice = choice{"X-Mcp-Readonly", "read_only"}
)

// narrow returns the server that answers a request: s, or one that offers what the
// request does not leave out.
func (s *Server) narrow(r *http.Request) (*Server, *rpcError) {
	if s.Narrow == nil || r.URL.RawQuery == "" && !hasAny(r.Header, toolsetsChoice, toolsChoice, excludeChoice, readOnlyChoice) {
		return s, nil
	}
	less := s
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return s, newRPCError(mcp.INVALID_PARAMS, "the query of the URL is invalid; separate parameters by &, and escape their values")
	}
	n, err := readNarrowing(r.Header, query)
	if err == nil && (n.ReadOnly || len(n.Toolsets)+len(n.Tools)+len(n.ExcludeTools) > 0) {
		less, err = s.narrowedBy(n)
	}
	if err != nil {
		return s, newRPCError(mcp.INVALID_PARAMS, err.Error())
	}
	return less, nil
}

func hasAny(h http.Header, choices ...choice) bool {
	return slices.ContainsFunc(choices, func(c choice) bool { return h[c.header] != nil })
}

func readNarrowing(h http.Header, query url.Values) (n Narrowing, err error) {
	for name := range query {
		if isMisspelled(name) {
			return n, fmt.Errorf("unknown parameter %.32q of the URL: valid are toolsets, tools, exclude_tools and read_only", name)
		}
	}
	n.Toolsets, n.Tools = toolsetsChoice.lists(h, query), toolsChoice.lists(h, query)
	n.ExcludeTools = slices.Concat(excludeChoice.lists(h, query)...)
	for _, value := range slices.Concat(readOnlyChoice.lists(h, query)...) {
		readOnly, err := strconv.ParseBool(value)
		if err != nil {
			return n, fmt.Errorf("%s and %s must be true or false, not %.64q", readOnlyChoice.header, readOnlyChoice.parameter, value)
		}
		n.ReadOnly = n.ReadOnly || readOnly
	}
	return n, nil
}

// isMisspelled reports whether a parameter of a URL is nearly one of those above.
// One that has no effect would offer more than was meant.
func isMisspelled(name string) bool {
	switch name {
	case toolsetsChoice.parameter, toolsChoice.parameter, excludeChoice.parameter, readOnlyChoice.parameter:
		return false
	}
	switch strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name)) {
	case "toolset", "toolsets", "tool", "tools", "exclude", "excludetool", "excludetools", "readonly":
		return true
	}
	return false
}

// lists returns the names in the header and in the query, in lower case and sorted.
func (c choice) lists(h http.Header, query url.Values) (lists [][]string) {
	for _, values := range [][]string{h[c.header], query[c.parameter]} {
		names := strings.FieldsFunc(strings.ToLower(strings.Join(values, ",")), func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
		if len(names) > 0 {
			slices.Sort(names)
			lists = append(lists, slices.Compact(names))
		}
	}
	return lists
}

// narrowedBy returns a server that offers less. It shares the limits of s.
func (s *Server) narrowedBy(n Narrowing) (*Server, error) {
	key := fmt.Sprintf("%q %q %q %t", n.Toolsets, n.Tools, n.ExcludeTools, n.ReadOnly)
	s.narrowed.mu.Lock()
	defer s.narrowed.mu.Unlock()
	if server, ok := s.narrowed.servers[key]; ok {
		return server, nil
	}
	options, err := s.Narrow(s.Options, n)
	if err != nil {
		return nil, err
	}
	less := *s
	less.offer(options, mcp.CacheScopePrivate)
	if len(s.narrowed.servers) >= maxNarrowed {
		for key := range s.narrowed.servers {
			delete(s.narrowed.servers, key)
			break
		}
	}
	s.narrowed.servers[key] = &less
	return &less, nil
}
