package program

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
)

// A narrowedRequest narrows what it is offered in up to two places.
type narrowedRequest struct {
	header, query map[string]string // by kind
}

var narrowingHeaders = map[string]string{
	"toolsets": "X-MCP-Toolsets", "tools": "X-MCP-Tools", "exclude_tools": "X-MCP-Exclude-Tools", "read_only": "X-MCP-Readonly",
}

// randomNarrowing returns a request with valid names in any form.
func randomNarrowing(r *rand.Rand, toolNames []string) narrowedRequest {
	list := func(names []string) string {
		var chosen []string
		for range r.IntN(4) {
			name := names[r.IntN(len(names))]
			if r.IntN(4) == 0 {
				name = strings.ToUpper(name)
			}
			chosen = append(chosen, name)
		}
		return strings.Join(chosen, []string{",", ", ", ",,"}[r.IntN(3)])
	}
	n := narrowedRequest{map[string]string{}, map[string]string{}}
	for _, place := range []map[string]string{n.header, n.query} {
		for kind, value := range map[string]string{
			"toolsets": list(tools.Toolsets()), "tools": list(toolNames), "exclude_tools": list(toolNames),
			"read_only": []string{"", "true", "false", "1", "0"}[r.IntN(5)],
		} {
			if r.IntN(3) == 0 {
				place[kind] = value
			}
		}
	}
	return n
}

// wants reports whether a place does not leave out a tool.
func wants(place map[string]string, name, toolset string, readOnly bool) bool {
	names := func(kind string) []string {
		return strings.FieldsFunc(strings.ToLower(place[kind]), func(r rune) bool { return r == ',' || r == ' ' })
	}
	sets, exactly := names("toolsets"), names("tools")
	return (len(sets) == 0 || slices.Contains(sets, toolset) || slices.Contains(sets, "all")) &&
		(len(exactly) == 0 || slices.Contains(exactly, name)) &&
		!slices.Contains(names("exclude_tools"), name) &&
		(readOnly || place["read_only"] != "true" && place["read_only"] != "1")
}

func (n narrowedRequest) send(t *testing.T, base, body string) string {
	t.Helper()
	query := url.Values{}
	for kind, value := range n.query {
		query.Set(kind, value)
	}
	_, answer := post(t, base, body, func(r *http.Request) {
		for kind, value := range n.header {
			r.Header.Set(narrowingHeaders[kind], value)
		}
		r.URL.RawQuery = query.Encode()
	})
	return answer
}

// Ten thousand requests, each narrowed at random, list what no place leaves out of
// what the operator offers, and nothing else; what is not listed cannot be called.
func TestNarrowedRequestsAreNeverWider(t *testing.T) {
	t.Parallel()
	word := regexp.MustCompile(`[a-z]+(_[a-z]+)+`)
	sets, readOnly := map[string]string{}, map[string]bool{}
	var names []string
	for _, set := range tools.Toolsets()[:len(tools.Toolsets())-1] {
		offered, err := tools.Select(tools.Selection{Toolsets: []string{set}})
		require.NoError(t, err)
		for _, tool := range offered {
			name := tool.Definition.Name
			names, sets[name], readOnly[name] = append(names, name), set, tool.ReadOnly()
		}
	}
	for _, operator := range []map[string]string{
		{"toolsets": "all"}, {"toolsets": "webhooks"}, {"toolsets": "manage,docs", "exclude_tools": "get_documentation"}, {"toolsets": "all", "read_only": "true"},
	} {
		var args []string
		for kind, value := range operator {
			args = append(args, "--"+strings.ReplaceAll(kind, "_", "-")+"="+value)
		}
		base, _, end := serving(t, environment(), append(args, "--sandbox", "--http=127.0.0.1:0", "--docs=false")...)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 2500 {
			n := randomNarrowing(random, names)
			var want []string
			for _, name := range names {
				if wants(operator, name, sets[name], readOnly[name]) && wants(n.header, name, sets[name], readOnly[name]) && wants(n.query, name, sets[name], readOnly[name]) {
					want = append(want, name)
				}
			}
			var list struct {
				Result struct {
					Tools []struct{ Name, Description string }
				}
			}
			answer := n.send(t, base, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
			require.NoError(t, json.Unmarshal([]byte(answer), &list), answer)
			var got []string
			for _, tool := range list.Result.Tools {
				got = append(got, tool.Name)
				for _, mentioned := range word.FindAllString(tool.Description, -1) {
					require.True(t, sets[mentioned] == "" || slices.Contains(want, mentioned), "%s mentions %s", tool.Name, mentioned)
				}
			}
			require.Equal(t, want, got, "operator %v, request %+v", operator, n)
			name := names[i%len(names)]
			answer = n.send(t, base, fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":{"wrong":1}}}`, name))
			require.Equal(t, !slices.Contains(want, name), strings.Contains(answer, "there is no tool"), "%s: %s", name, answer)
		}
		require.NoError(t, end())
	}
}

// Events are subscribed to by creating webhooks.
func TestAReadOnlyRequestCannotSubscribe(t *testing.T) {
	t.Parallel()
	p := &program{cfg: &config.Config{}, lookup: environment(), log: slog.New(slog.DiscardHandler)}
	p.cfg.Toolsets, p.cfg.Sandbox, p.cfg.HTTP, p.cfg.PublicURL = []string{"all"}, true, "127.0.0.1:0", "https://mcp.example.com"
	p.cfg.MaxConcurrent, p.lookup = 1, environment("MCP_EVENTS_KEY", strings.Repeat("k", 32))
	server, stop, err := p.newServer("")
	require.NoError(t, err)
	defer stop()
	methods := func(readOnly bool) (names []string) {
		narrowed, err := server.Narrow(server.Options, serve.Narrowing{ReadOnly: readOnly})
		require.NoError(t, err)
		for name := range narrowed.Methods {
			names = append(names, name)
		}
		return names
	}
	require.Contains(t, methods(false), "events/subscribe")
	require.NotContains(t, methods(true), "events/subscribe")
	require.NotContains(t, methods(true), "events/unsubscribe")
	require.Contains(t, methods(true), "events/poll")
	require.Contains(t, server.Methods, "events/subscribe", "of other requests")
}

func TestAnUnknownNameIsRefusedWithTheValidOnes(t *testing.T) {
	t.Parallel()
	base, _, end := serving(t, environment(), "--sandbox", "--http=127.0.0.1:0", "--docs=false")
	for query, want := range map[string]string{
		"toolsets=nope":         `unknown toolset \"nope\": valid are webhooks, manage, `,
		"tools=nope":            `unknown tool \"nope\": valid are list_conversation_webhooks, create_`,
		"exclude_tools=a,b":     `unknown tool \"a\": valid are`,
		"toolsets=all&tools=ok": `unknown tool \"ok\"`,
	} {
		status, answer := post(t, base, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`, func(r *http.Request) { r.URL.RawQuery = query })
		require.Equal(t, 400, status)
		require.Contains(t, answer, want)
	}
	require.NoError(t, end())
}

func TestAnEntryNarrowsWhatTheServerOffers(t *testing.T) {
	t.Parallel()
	for want, args := range map[string][]string{
		`"url": "https://mcp.example/mcp"`:                                                          nil,
		`"url": "https://mcp.example/mcp?read_only=true&toolsets=webhooks,manage"`:                  {"--read-only", "--toolsets=webhooks,manage"},
		`"url": "https://mcp.example/mcp?exclude_tools=get_documentation&tools=fetch_conversation"`: {"--tools=fetch_conversation", "--exclude-tools=get_documentation"},
	} {
		stdout, _, err := runProgram(t, environment(), "", append(args, "config", "cursor", "--url=https://mcp.example/mcp")...)
		require.NoError(t, err)
		require.Contains(t, stdout, want)
	}
	_, _, err := runProgram(t, environment(), "", "config", "cursor", "--url=https://mcp.example/mcp", "--tools=a&b")
	require.ErrorContains(t, err, `--tools: unknown tool "a&b": valid are list_conversation_webhooks, `)
}
