package serve_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

func TestACallIsCheckedAgainstItsProtocolVersionAsOtherRequestsAre(t *testing.T) {
	t.Parallel()
	const version, capabilities, info = `"io.modelcontextprotocol/protocolVersion":`, `"io.modelcontextprotocol/clientCapabilities":`, `"io.modelcontextprotocol/clientInfo":{"name":"x","version":"1"}`
	for name, meta := range map[string]string{
		"legacy":                `{}`,
		"a token":               `{"progressToken":7}`,
		"legacy version":        `{` + version + `"2025-06-18"}`,
		"modern":                `{` + version + `"2026-07-28",` + capabilities + `{},` + info + `}`,
		"escaped":               `{"io.modelcontextprotocol\/protocolVersion":"2026-07-\u00328",` + capabilities + `{},` + info + `}`,
		"no capabilities":       `{` + version + `"2026-07-28",` + info + `}`,
		"capabilities a string": `{` + version + `"2026-07-28",` + capabilities + `"all"}`,
		"unknown, bare":         `{` + version + `"2099-01-01"}`,
		"unknown":               `{` + version + `"2099-01-01",` + capabilities + `{}}`,
		"a version of yore":     `{` + version + `"1999-01-01"}`,
		"version a number":      `{` + version + `20260728}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFixture().start(t)
			ask := func(method, params string) (result, fault map[string]any) {
				s.send(`{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":{"_meta":` + meta + params + `}}`)
				var answer struct{ Result, Error map[string]any }
				require.NoError(t, json.Unmarshal([]byte(s.answer()), &answer))
				return answer.Result, answer.Error
			}
			called, callFault := ask("tools/call", `,"name":"echo","arguments":{}`)
			listed, listFault := ask("tools/list", "")
			require.Equal(t, listFault, callFault)
			require.Equal(t, listed["resultType"], called["resultType"])
			require.Equal(t, listed["_meta"], called["_meta"])
		})
	}
}

func TestHeadersMustMatchTheBody(t *testing.T) {
	t.Parallel()
	s := newFixture().listen(t, serve.HTTPOptions{})
	callEcho := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{},` + meta + `}}`
	full := header{"Mcp-Protocol-Version": newest, "Mcp-Method": "tools/call", "Mcp-Name": "echo"}
	with := func(name, value string) header {
		h := header{}
		for k, v := range full {
			h[k] = v
		}
		h[name] = value
		return h
	}
	for _, row := range []struct {
		name, body string
		header     header
		status     int
		want       string
	}{
		{"matching headers", callEcho, full, 200, `"resultType":"complete"`},
		{"no version", callEcho, with("Mcp-Protocol-Version", ""), 400, `"code":-32020`},
		{"an older version", callEcho, with("Mcp-Protocol-Version", "2025-11-25"), 400, `"code":-32020`},
		{"no method", callEcho, with("Mcp-Method", ""), 400, `"code":-32020`},
		{"another method", callEcho, with("Mcp-Method", "tools/list"), 400, `"code":-32020`},
		{"no name", callEcho, with("Mcp-Name", ""), 400, `"code":-32020`},
		{"another name", callEcho, with("Mcp-Name", "hold"), 400, `"code":-32020`},
		{"Last-Event-ID", callEcho, with("Last-Event-ID", "7"), 400, `"code":-32020`},
		{"no version in the body", call("1", "echo"), full, 400, `"code":-32602`},
		{"no capabilities", strings.Replace(callEcho, `,"io.modelcontextprotocol/clientCapabilities":{}`, "", 1), full, 400, `"code":-32602`},
		{"a newer version", strings.Replace(callEcho, newest, "2099-01-01", 1), with("Mcp-Protocol-Version", "2099-01-01"), 400, `"supported":["2026-07-28"`},
		{"an unknown tool", strings.Replace(callEcho, "echo", "nope", 1), with("Mcp-Name", "nope"), 400, `"code":-32602`},
		{"an unknown method", `{"jsonrpc":"2.0","id":1,"method":"nope","params":{` + meta + `}}`, header{"Mcp-Protocol-Version": newest, "Mcp-Method": "nope"}, 404, `"code":-32601`},
		{"a method that is gone", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{` + meta + `}}`, header{"Mcp-Protocol-Version": newest, "Mcp-Method": "ping"}, 404, `"code":-32601`},
		{"discover", `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{` + meta + `}}`, header{"Mcp-Protocol-Version": newest, "Mcp-Method": "server/discover"}, 200, `"supportedVersions":["2026-07-28"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			res, body := s.do(t, "POST", "/mcp", row.body, row.header)
			require.Equal(t, row.status, res.StatusCode, body)
			require.Contains(t, body, row.want)
			require.Contains(t, body, `"id":1`)
		})
	}
}

func TestASubscriptionCompletesAtOnce(t *testing.T) {
	t.Parallel()
	listen := `{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + meta + `}}`
	const ack = `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"s"},"notifications":{}}}`
	res, body := newFixture().listen(t, serve.HTTPOptions{}).do(t, "POST", "/mcp", listen,
		header{"Mcp-Protocol-Version": newest, "Mcp-Method": "subscriptions/listen"})
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	require.Regexp(t, `(?s)^data: `+regexp.QuoteMeta(ack)+`\n\ndata: \{"jsonrpc":"2.0","id":"s","result":.*\}\n\n$`, body)

	s := newFixture().start(t)
	s.send(listen)
	require.Equal(t, ack, s.answer())
	require.Contains(t, s.answer(), `"io.modelcontextprotocol/subscriptionId":"s"`)
}
