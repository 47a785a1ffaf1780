package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// Whatever clients send, the labels come from small sets.
func TestMetrics(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var seen []string
	note := func(format string, values ...any) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprintf(format, values...))
	}
	taken := func() (all []string) {
		mu.Lock()
		defer mu.Unlock()
		all, seen = seen, nil
		return all
	}
	b := newFixture(func(o *serve.Options) {
		o.MaxMessage = 10_000
		o.Metrics = serve.Metrics{
			OperationDone: func(method, tool, errorType, transport, version string, seconds float64) {
				note("%s|%s|%s|%s|%s|%t", method, tool, errorType, transport, version, seconds >= 0)
			},
			InFlight: func(delta int) { note("in flight %d", delta) },
			Queued:   func(delta int) { note("queued %d", delta) },
			Refused:  func(reason string) { note("refused %s", reason) },
		}
		o.Tools = append(o.Tools, tool("fail", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult {
			return mcp.NewToolResultError("no")
		}))
	})
	s := b.listen(t, serve.HTTPOptions{})
	modern := func(name string) string {
		return strings.Replace(call("1", name), `"arguments":{}`, `"arguments":{},`+meta, 1)
	}
	headers := func(name string) header {
		return header{"Mcp-Protocol-Version": newest, "Mcp-Method": "tools/call", "Mcp-Name": name}
	}
	for _, row := range []struct {
		name, body string
		header     header
		want       []string
	}{
		{"a ping", ping, nil, []string{"ping|||tcp||true"}},
		{"with a version", ping, header{"Mcp-Protocol-Version": "2025-06-18"}, []string{"ping|||tcp|2025-06-18|true"}},
		{"an unknown method", strings.Replace(ping, "ping", "x-ping", 1), nil, []string{"other||-32601|tcp||true"}},
		{"a call", modern("echo"), headers("echo"), []string{"in flight 1", "in flight -1", "tools/call|echo||tcp|2026-07-28|true"}},
		{"a tool error", call("1", "fail"), nil, []string{"in flight 1", "in flight -1", "tools/call|fail|tool_error|tcp||true"}},
		{"a panic", call("1", "panic"), nil, []string{"in flight 1", "in flight -1", "tools/call|panic|-32603|tcp||true"}},
		{"an unknown tool", call("1", "x-y"), nil, []string{"tools/call|other|-32602|tcp||true"}},
		{"a long message", longCall("1", 10_001), nil, []string{"refused message_too_long"}},
		{"another host", ping, header{"Host": "evil.example"}, []string{"refused access"}},
		{"a notification", cancelled("1"), nil, nil},
		{"an unknown version", strings.Replace(call("1", "echo"), `"arguments":{}`, `"_meta":{"io.modelcontextprotocol/protocolVersion":"1999-01-01"}`, 1), nil,
			[]string{"in flight 1", "in flight -1", "tools/call|echo||tcp|other|true"}},
	} {
		s.do(t, "POST", "/mcp", row.body, row.header)
		require.Equal(t, row.want, taken(), row.name)
	}
	s.do(t, "OPTIONS", "/mcp", "", header{"Origin": "http://localhost", "Access-Control-Request-Method": "POST"})
	require.Empty(t, taken(), "a preflight request is not refused")

	c := b.start(t)
	c.send(ping)
	c.answer()
	require.Equal(t, []string{"ping|||pipe||true"}, taken())
}

// An invented method is no label, whatever the error is that it meets.
func TestAnInventedMethodIsNoLabel(t *testing.T) {
	t.Parallel()
	const refused = "refused before it is measured"
	seen := make(chan string, 10)
	taken := func() string { // a request is measured before it is answered
		select {
		case labels := <-seen:
			return labels
		default:
			return refused
		}
	}
	b := newFixture(func(o *serve.Options) {
		o.Metrics.OperationDone = func(method, tool, errorType, _, version string, _ float64) {
			seen <- method + "|" + tool + "|" + errorType + "|" + version
		}
	})
	overHTTP, overStdio := b.listen(t, serve.HTTPOptions{}), b.start(t)
	modern := func(capabilities string) string {
		return `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"` + capabilities + `}}`
	}
	headers := func(method string) header {
		return header{"Mcp-Protocol-Version": newest, "Mcp-Method": method}
	}
	for name, row := range map[string]struct {
		method, params string
		modern         bool
		want           string
	}{
		"not found":             {"invented", `{}`, false, "other||-32601|"},
		"no parameters":         {"invented", `null`, false, "other||-32601|"},
		"duplicate members":     {"invented", `{"arguments":{"a":1,"a":2}}`, false, "other||-32600|"},
		"not UTF-8":             {"invented", "{\"arguments\":{\"a\":\"\xff\"}}", false, "other||-32600|"},
		"no capabilities":       {"invented", modern(``), true, "other||-32602|2026-07-28"},
		"bad capabilities":      {"invented", modern(`,"io.modelcontextprotocol/clientCapabilities":1`), true, "other||-32602|2026-07-28"},
		"not found, modern":     {"invented", modern(`,"io.modelcontextprotocol/clientCapabilities":{}`), true, "other||-32601|2026-07-28"},
		"a version of nobody's": {"invented", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2099-01-01","io.modelcontextprotocol/clientCapabilities":{}}}`, false, "other||-32022|other"},
		"a long name":           {strings.Repeat("x", 2000), `{}`, false, "other||-32601|"},
		"another case":          {"Tools/List", `{}`, false, "other||-32601|"},
		"tools/call and more":   {"tools/call ", `{"name":"echo"}`, false, "other||-32601|"},
		"a prompt":              {"prompts/invented", `{"name":"x"}`, false, "other||-32601|"},
		"a notification":        {"notifications/invented", `{}`, false, "other||-32601|"},
		"a request to clients":  {"sampling/createMessage", `{}`, false, "other||-32601|"},
	} {
		message := `{"jsonrpc":"2.0","id":1,"method":"` + row.method + `","params":` + row.params + `}`
		var h header
		if row.modern {
			h = headers(row.method)
		}
		overHTTP.do(t, "POST", "/mcp", message, h)
		require.Contains(t, []string{row.want, refused}, taken(), name)
		overStdio.send(message)
		overStdio.answer()
		require.Equal(t, row.want, taken(), name)
	}
}

func TestMetricsOfTheQueue(t *testing.T) {
	t.Parallel()
	var queued, inFlight, refused atomic.Int32
	b := newFixture(func(o *serve.Options) {
		o.MaxConcurrent = 1
		o.Metrics = serve.Metrics{
			InFlight: func(delta int) { inFlight.Add(int32(delta)) },
			Queued:   func(delta int) { queued.Add(int32(delta)) },
			Refused: func(reason string) {
				if reason == "queue_full" {
					refused.Add(1)
				}
			},
		}
	})
	s := b.start(t)
	for i := range 66 {
		s.send(call(fmt.Sprint(i), "hold"))
	}
	require.Contains(t, s.answer(), "too many queued calls")
	await(t, func() bool { return queued.Load() == 64 && inFlight.Load() == 1 && refused.Load() == 1 })
	close(b.release)
	for range 65 {
		s.answer()
	}
	await(t, func() bool { return queued.Load() == 0 && inFlight.Load() == 0 })
}
