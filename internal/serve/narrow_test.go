package serve_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

// narrowing offers what requests do not leave out, and counts how often that is
// determined.
func narrowing(built *int) func(*serve.Options) {
	return func(o *serve.Options) {
		o.Narrow = func(o serve.Options, n serve.Narrowing) (serve.Options, error) {
			*built++
			o.Instructions = fmt.Sprintf("%q %q %q %t", n.Toolsets, n.Tools, n.ExcludeTools, n.ReadOnly)
			for _, names := range n.Tools {
				if slices.Contains(names, "nope") {
					return o, fmt.Errorf("unknown tool")
				}
				o.Tools = slices.DeleteFunc(slices.Clone(o.Tools), func(t serve.Tool) bool { return !slices.Contains(names, t.Definition.Name) })
			}
			return o, nil
		}
	}
}

func TestARequestNarrowsByHeaderAndByQuery(t *testing.T) {
	t.Parallel()
	var built int
	s := newFixture(narrowing(&built)).listen(t, serve.HTTPOptions{})
	const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}`
	for _, row := range []struct {
		query  string
		header header
		want   string // instructions; none: the server's own
	}{
		{"", nil, ""},
		{"?other=1", nil, ""},
		{"?toolsets=&tools=,&exclude_tools=%20&read_only=", header{"X-MCP-Toolsets": ", ,"}, ""},
		{"?read_only=false", header{"X-MCP-Readonly": "0"}, ""},
		{"?toolsets=b,A", nil, `[["a" "b"]] [] [] false`},
		{"?toolsets=a&toolsets=b", nil, `[["a" "b"]] [] [] false`},
		{"?toolsets=a", header{"X-MCP-Toolsets": " B ,, b"}, `[["b"] ["a"]] [] [] false`},
		{"?tools=echo", header{"X-MCP-Tools": "hold"}, `[] [["hold"] ["echo"]] [] false`},
		{"?exclude_tools=a", header{"X-MCP-Exclude-Tools": "b"}, `[] [] ["b" "a"] false`},
		{"?read_only=false", header{"X-MCP-Readonly": "TRUE"}, `[] [] [] true`},
		{"?read_only=1", header{"X-MCP-Readonly": "false"}, `[] [] [] true`},
	} {
		for range 3 {
			_, answer := s.do(t, "POST", "/mcp"+row.query, initialize, row.header)
			if row.want == "" {
				row.want = "instructions"
			}
			require.Contains(t, answer, `"instructions":"`+strings.ReplaceAll(row.want, `"`, `\"`)+`"`, row.query)
		}
	}
	require.Equal(t, 5, built, "once for each combination")
}

func TestWhatARequestLeavesOutCannotBeCalled(t *testing.T) {
	t.Parallel()
	var built int
	s := newFixture(narrowing(&built)).listen(t, serve.HTTPOptions{})
	_, answer := s.do(t, "POST", "/mcp?tools=echo", call("1", "echo"), nil)
	require.Contains(t, answer, `"isError":false`)
	for _, header := range []header{nil, {"X-MCP-Tools": "echo,hold"}} {
		_, answer = s.do(t, "POST", "/mcp?tools=echo", call("1", "panic"), header)
		require.Contains(t, answer, `"code":-32602,"message":"there is no tool \"panic\"; the tools are echo"`)
	}
	_, answer = s.do(t, "POST", "/mcp?tools=echo", call("1", "echo"), header{"X-MCP-Tools": "hold"})
	require.Contains(t, answer, `there is no tool \"echo\"; no tools are offered`)
	_, answer = s.do(t, "POST", "/mcp?tools=echo", `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, header{"X-MCP-Tools": "hold"})
	require.JSONEq(t, `{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}`, answer)
}

func TestNarrowedListsArePrivate(t *testing.T) {
	t.Parallel()
	var built int
	s := newFixture(narrowing(&built)).listen(t, serve.HTTPOptions{})
	modern := header{"Mcp-Protocol-Version": newest, "Mcp-Method": "tools/list"}
	list := `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + meta + `}}`
	for query, scope := range map[string]string{"": "public", "?tools=echo": "private", "?read_only=true": "private", "?read_only=false": "public"} {
		_, answer := s.do(t, "POST", "/mcp"+query, list, modern)
		require.Contains(t, answer, `"cacheScope":"`+scope+`"`, query)
	}
}

func TestAnInvalidNarrowingIsRefused(t *testing.T) {
	t.Parallel()
	var built int
	b := newFixture(narrowing(&built))
	s := b.listen(t, serve.HTTPOptions{Docs: newFixture().Server})
	for query, want := range map[string]string{
		"?tools=nope":       "unknown tool",
		"?readonly=true":    `unknown parameter \"readonly\" of the URL: valid are toolsets, tools, exclude_tools and read_only`,
		"?Read-Only=true":   "unknown parameter",
		"?toolset=docs":     "unknown parameter",
		"?read_only=%zz":    "the query of the URL is invalid",
		"?x=1;read_only=1":  "the query of the URL is invalid",
		"?read_only=please": "X-MCP-Readonly and read_only must be true or false, not \\\"please\\\"",
	} {
		res, answer := s.do(t, "POST", "/mcp"+query, call("7", "echo"), nil)
		require.Equal(t, 400, res.StatusCode)
		require.Contains(t, answer, `"id":7,"error":{"code":-32602,"message":"`+want)
	}
	res, _ := s.do(t, "POST", "/mcp", ping, header{"X-MCP-Readonly": "2"})
	require.Equal(t, 400, res.StatusCode)
	res, _ = s.do(t, "POST", "/docs/mcp?tools=nope", ping, nil)
	require.Equal(t, 200, res.StatusCode, "the documentation is not narrowed")
	res, _ = newFixture().listen(t, serve.HTTPOptions{}).do(t, "POST", "/mcp?tools=nope", ping, nil)
	require.Equal(t, 200, res.StatusCode, "nothing can be left out")
}

// Requests that are narrowed share the limits of all.
func TestNarrowedRequestsShareTheLimits(t *testing.T) {
	t.Parallel()
	var built int
	b := newFixture(narrowing(&built), func(o *serve.Options) { o.Rate, o.Burst = 0.001, 100 })
	s := b.listen(t, serve.HTTPOptions{})
	for i := range 100 {
		res, _ := s.do(t, "POST", fmt.Sprintf("/mcp?exclude_tools=x%d", i), call("1", "echo"), nil)
		require.Equal(t, 200, res.StatusCode)
	}
	res, _ := s.do(t, "POST", "/mcp?exclude_tools=another", call("1", "echo"), nil)
	require.Equal(t, 429, res.StatusCode)
}
