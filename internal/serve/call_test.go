package serve_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

func TestAPanicIsLoggedWithItsStackAndHiddenFromTheClient(t *testing.T) {
	t.Parallel()
	b := newFixture()
	s := b.start(t)
	s.send(call("1", "panic"))
	require.NotContains(t, s.answer(), "hunter2")
	require.Contains(t, b.log.String(), "hunter2")
	require.Contains(t, b.log.String(), "helpers_test.go")
	require.Contains(t, b.log.String(), "tool=panic outcome=error")
}

func TestACallIsLoggedWithoutItsArguments(t *testing.T) {
	t.Parallel()
	b := newFixture()
	s := b.start(t)
	s.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"secret":"hunter2"}}}`)
	s.answer()
	require.Regexp(t, `msg=call tool=echo outcome=ok ms=[\d.]+ caller=stdio\n$`, b.log.String())
	require.Equal(t, 1, strings.Count(b.log.String(), "\n"))
	require.NotContains(t, b.log.String(), "hunter2")
}

func TestAToolGetsTheCredentialsOfItsCaller(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) {
		o.Tools = []serve.Tool{tool("whoami", func(_ context.Context, caller access.Caller, _ json.RawMessage) *mcp.CallToolResult {
			return mcp.NewToolResultText(caller.Username + "/" + caller.Password)
		})}
	})
	at := b.listen(t, serve.HTTPOptions{Access: policy(t, access.Options{CallerCredentials: true})})
	for _, authorization := range []string{"", "Bearer x", "Basic x", "Basic OnNlY3JldA==", "Basic U0s6"} {
		res, _ := at.do(t, "POST", "/mcp", call("1", "whoami"), header{"Authorization": authorization})
		require.Equal(t, 401, res.StatusCode)
		require.Contains(t, res.Header.Get("WWW-Authenticate"), "Basic")
	}
	var all sync.WaitGroup
	for i := range 100 {
		all.Go(func() {
			req, err := http.NewRequestWithContext(t.Context(), "POST", at.url+"/mcp", strings.NewReader(call("1", "whoami")))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			req.SetBasicAuth(fmt.Sprintf("SK%d", i), fmt.Sprintf("secret%d", i))
			res, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			if want := fmt.Sprintf(`"SK%d/secret%d"`, i, i); err != nil || !strings.Contains(string(body), want) {
				t.Errorf("%s instead of %s: %v", body, want, err)
			}
		})
	}
	all.Wait()
}

// The log line of a call has the id of the trace that it belongs to.
func TestACallIsLoggedWithItsTraceID(t *testing.T) {
	t.Parallel()
	const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for traceparent, logged := range map[string]bool{
		"00-" + trace + "-" + parent + "-01":                             true,
		"01-" + trace + "-" + parent + "-01":                             true,
		"01-" + trace + "-" + parent + "-01-more":                        true,
		"00-" + trace + "-" + parent + "-01-more":                        false,
		"ff-" + trace + "-" + parent + "-01":                             false,
		"0-" + trace + "-" + parent + "-01":                              false,
		"00-" + strings.ToUpper(trace) + "-" + parent + "-01":            false,
		"00-" + strings.Repeat("0", 32) + "-" + parent + "-01":           false,
		"00-" + trace + "-" + strings.Repeat("0", 16) + "-01":            false,
		"00-" + trace + "-" + parent:                                     false,
		"00-" + trace[1:] + "\\n-" + parent + "-01":                      false,
		"01-" + trace + "-" + parent + "-01-" + strings.Repeat("x", 600): false,
		"": false,
	} {
		b := newFixture()
		s := b.start(t)
		s.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"traceparent":"` + traceparent + `"}}}`)
		require.Contains(t, s.answer(), `"result"`)
		require.Equal(t, logged, strings.Contains(b.log.String(), " trace_id="+trace), traceparent)
		require.Equal(t, logged, strings.Contains(b.log.String(), "trace_id"), traceparent)
	}
}

// A call in the same process goes through the same checks, returns all content,
// and takes arguments of any length.
func TestCallAnswersOneCallDirectly(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) {
		o.MaxMessage = 100
		o.Tools = append(o.Tools, tool("notes", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult {
			return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent("one"), mcp.NewTextContent("two")}}
		}))
	})
	result, err := b.Call(t.Context(), "notes", nil)
	require.NoError(t, err)
	require.Len(t, result.Content, 2)

	long := json.RawMessage(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`)
	result, err = b.Call(t.Context(), "echo", long)
	require.NoError(t, err)
	require.Equal(t, string(long), result.Content[0].(mcp.TextContent).Text)
	require.Contains(t, b.log.String(), "tool=echo outcome=ok")

	_, err = b.Call(t.Context(), `no"pe`, nil)
	require.EqualError(t, err, `there is no tool "no\"pe"; the tools are echo, hold, nan, notes and panic`)
	_, err = b.Call(t.Context(), "panic", nil)
	require.ErrorContains(t, err, "internal error")
}
