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

// The headers of a request that narrow, in canonical form. The query of the endpoint's
// URL has a parameter for each.
const (
	toolsetsHeader = "X-Mcp-Toolsets"
	toolsHeader    = "X-Mcp-Tools"
	excludeHeader  = "X-Mcp-Exclude-Tools"
	readOnlyHeader = "X-Mcp-Readonly"
)

// narrow returns the server that answers a request: s, or one that offers what the
// request does not leave out.
func (s *Server) narrow(r *http.Request) (*Server, *rpcError) {
	h := r.Header
	if s.Narrow == nil || r.URL.RawQuery == "" && h[toolsetsHeader] == nil && h[toolsHeader] == nil && h[excludeHeader] == nil && h[readOnlyHeader] == nil {
		return s, nil
	}
	less := s
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return s, newRPCError(mcp.INVALID_PARAMS, "the query of the URL is invalid; separate parameters by &, and escape their values")
	}
	n, err := readNarrowing(h, query)
	if err == nil && (n.ReadOnly || len(n.Toolsets)+len(n.Tools)+len(n.ExcludeTools) > 0) {
		less, err = s.narrowedBy(n)
	}
	if err != nil {
		return s, newRPCError(mcp.INVALID_PARAMS, err.Error())
	}
	return less, nil
}

func readNarrowing(h http.Header, query url.Values) (n Narrowing, err error) {
	for name := range query {
		if isMisspelled(name) {
			return n, fmt.Errorf("unknown parameter %.32q of the URL: valid are toolsets, tools, exclude_tools and read_only", name)
		}
	}
	n.Toolsets, n.Tools = lists(h[toolsetsHeader], query["toolsets"]), lists(h[toolsHeader], query["tools"])
	n.ExcludeTools = slices.Concat(lists(h[excludeHeader], query["exclude_tools"])...)
	for _, value := range slices.Concat(lists(h[readOnlyHeader], query["read_only"])...) {
		readOnly, err := strconv.ParseBool(value)
		if err != nil {
			return n, fmt.Errorf("X-MCP-Readonly and read_only must be true or false, not %.64q", value)
		}
		n.ReadOnly = n.ReadOnly || readOnly
	}
	return n, nil
}

// isMisspelled reports whether a parameter of a URL is nearly one that narrows.
// One that has no effect would offer more than was meant.
func isMisspelled(name string) bool {
	switch name {
	case "toolsets", "tools", "exclude_tools", "read_only":
		return false
	}
	switch strings.NewReplacer("_", "", "-", "").Replace(strings.ToLower(name)) {
	case "toolset", "toolsets", "tool", "tools", "exclude", "excludetool", "excludetools", "readonly":
		return true
	}
	return false
}

// lists returns the names in each place that has some, in lower case and sorted.
func lists(places ...[]string) (lists [][]string) {
	for _, values := range places {
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
