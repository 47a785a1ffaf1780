package serve_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// withMethods adds a method that returns its params, and one that fails.
func withMethods(o *serve.Options) {
	o.Capabilities = map[string]any{"events": struct{}{}}
	o.Extensions = map[string]any{"io.modelcontextprotocol/events": struct{}{}}
	o.Methods = map[string]serve.Method{
		"events/echo": {Scope: "webhooks:write messages:read", Call: func(_ context.Context, caller access.Caller, params json.RawMessage) (map[string]any, []slog.Attr, *mcp.JSONRPCErrorDetails) {
			return map[string]any{"params": params, "principal": caller.Principal}, []slog.Attr{slog.Int("status", 200)}, nil
		}},
		"events/fail": {Call: func(context.Context, access.Caller, json.RawMessage) (map[string]any, []slog.Attr, *mcp.JSONRPCErrorDetails) {
			return nil, nil, &mcp.JSONRPCErrorDetails{Code: -32011, Message: "no such event", Data: map[string]string{"kind": "event"}}
		}},
		"events/panic": {Call: func(context.Context, access.Caller, json.RawMessage) (map[string]any, []slog.Attr, *mcp.JSONRPCErrorDetails) {
			panic("hunter2")
		}},
	}
}

func request(method, params string) string {
	return `{"jsonrpc":"2.0","id":"m","method":"` + method + `","params":` + params + `}`
}

func TestAMethodOfAnExtensionIsCalledAndLogged(t *testing.T) {
	t.Parallel()
	b := newFixture(withMethods)
	s := b.start(t)
	s.send(request("events/echo", `{"name":"x","arguments":{"a":1.50}}`))
	require.JSONEq(t, `{"jsonrpc":"2.0","id":"m","result":{"principal":"","params":{"name":"x","arguments":{"a":1.50}}}}`, s.answer())
	require.Contains(t, b.log.String(), `msg=call method=events/echo outcome=ok`)
	require.Regexp(t, `caller=stdio status=200\n$`, b.log.String())

	s.send(request("events/fail", `{}`))
	require.JSONEq(t, `{"jsonrpc":"2.0","id":"m","error":{"code":-32011,"message":"no such event","data":{"kind":"event"}}}`, s.answer())
	require.Contains(t, b.log.String(), `msg=call method=events/fail outcome=error`)

	s.send(request("events/panic", `{}`))
	require.NotContains(t, s.answer(), "hunter2")
	require.Contains(t, b.log.String(), "hunter2")

	s.send(request("events/other", `{}`))
	require.Contains(t, s.answer(), `"code":-32601`)
}

func TestAMethodOfAnExtensionRefusesInvalidArguments(t *testing.T) {
	t.Parallel()
	s := newFixture(withMethods).start(t)
	for _, params := range []string{`{"arguments":{"a":1,"a":2}}`, `{"arguments":"\ud800"}`, `{"arguments":"` + strings.Repeat("x", 65<<10) + `"}`} {
		s.send(request("events/echo", params))
		require.Contains(t, s.answer(), `\"arguments\" is invalid`)
	}
}

func TestAMethodOfAnExtensionFollowsTheNewestVersion(t *testing.T) {
	t.Parallel()
	s := newFixture(withMethods).start(t)
	s.send(request("events/echo", `{`+meta+`}`))
	var got struct {
		Result struct {
			ResultType string
			Meta       map[string]any `json:"_meta"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(s.answer()), &got))
	require.Equal(t, "complete", got.Result.ResultType)
	require.Contains(t, got.Result.Meta, "io.modelcontextprotocol/serverInfo")
	s.send(request("events/echo", `{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}`))
	require.Contains(t, s.answer(), "clientCapabilities")
}

// A method waits for a slot as a tool call does.
func TestAMethodOfAnExtensionCountsAsAConcurrentCall(t *testing.T) {
	t.Parallel()
	b := newFixture(withMethods, func(o *serve.Options) { o.MaxConcurrent = 1 })
	s := b.start(t)
	s.send(call("1", "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.send(request("events/echo", `{}`), cancelled(`"m"`), ping)
	require.Contains(t, s.answer(), `"id":"p"`)
	close(b.release)
	require.Contains(t, s.answer(), "released")
	require.NotContains(t, b.log.String(), "method=events/echo outcome=ok")
}

func TestCapabilitiesOfExtensionsAreAnnouncedInBothEras(t *testing.T) {
	t.Parallel()
	for _, offered := range []bool{true, false} {
		b := newFixture()
		if offered {
			b = newFixture(withMethods)
		}
		s := b.start(t)
		for _, m := range []string{
			request("initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}`),
			request("server/discover", `{`+meta+`}`),
		} {
			s.send(m)
			var got struct {
				Result struct {
					Capabilities map[string]json.RawMessage
					ServerInfo   json.RawMessage
					Meta         map[string]any `json:"_meta"`
				}
			}
			text := s.answer()
			require.NoError(t, json.Unmarshal([]byte(text), &got))
			require.Contains(t, got.Result.Capabilities, "tools", text)
			if offered {
				require.JSONEq(t, `{}`, string(got.Result.Capabilities["events"]))
				require.Contains(t, string(got.Result.Capabilities["extensions"]), "io.modelcontextprotocol/events")
			} else {
				require.NotContains(t, text, "events")
			}
		}
	}
}

func TestAMethodOfAnExtensionNeedsAllItsScopes(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	b := newFixture(withMethods)
	s := b.listen(t, serve.HTTPOptions{Access: policy(t, access.Options{Issuer: i.url, PublicURL: "http://127.0.0.1"})})
	for scope, status := range map[string]int{
		"": 403, "webhooks:write": 403, "messages:read": 403, "webhooks:read messages:read": 403, "messages:read webhooks:write": 200,
	} {
		res, body := s.do(t, "POST", "/mcp", request("events/echo", `{}`), header{"Authorization": "Bearer " + i.token(t, "http://127.0.0.1/mcp", scope)})
		require.Equal(t, status, res.StatusCode, scope)
		if status == 200 {
			require.Contains(t, body, `"principal":"subject ada"`)
			continue
		}
		require.Regexp(t, `scope="([^"]* )?webhooks:write messages:read"`, res.Header.Get("WWW-Authenticate"))
	}
	require.Contains(t, b.log.String(), `msg=call method=events/echo outcome=refused`)
}

func TestRequestsBelowEventsReachTheirHandlerOnlyIfThereIsOne(t *testing.T) {
	t.Parallel()
	events := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for status, o := range map[int]serve.HTTPOptions{404: {}, http.StatusTeapot: {Events: events}} {
		s := newFixture().listen(t, o)
		res, _ := s.do(t, "POST", "/events/token", "", nil)
		require.Equal(t, status, res.StatusCode)
		res, _ = s.do(t, "POST", "/events", "", nil)
		require.Equal(t, 404, res.StatusCode)
		res, _ = s.do(t, "POST", "/events/token", "", header{"Host": "evil.example"})
		require.Equal(t, 403, res.StatusCode)
	}
}
