package program

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"
)

// legacy are the protocol versions in which a session begins with initialize.
// Since 2026-07-28 each request carries its version.
var legacy = []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}

const modern = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// An exchange is one request and what its response must contain.
type exchange struct{ name, method, params, want string }

// session returns the exchanges that work over every transport.
func session() (all []exchange) {
	for _, version := range legacy {
		all = append(all, exchange{"initialize " + version, "initialize",
			`{"protocolVersion":"` + version + `","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`, `"protocolVersion":"` + version + `"`})
	}
	const list = `{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"` + documented + `"}`
	const create = `{"name":"create_conversation_webhook","arguments":{"ConversationSid":"empty room","Target":"trigger","Configuration.Url":"https://example.com","Configuration.Triggers":["help"]}`
	return append(all,
		exchange{"an unknown version", "initialize", `{"protocolVersion":"1999-01-01","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`, `"protocolVersion":"2025-11-25"`},
		exchange{"discover", "server/discover", `{` + modern + `}`, `"2026-07-28"`},
		exchange{"ping", "ping", `{}`, `"result":{}`},
		exchange{"tools", "tools/list", `{}`, `"name":"create_conversation_webhook"`},
		exchange{"tools, modern", "tools/list", `{` + modern + `}`, `"resultType":"complete"`},
		exchange{"list", "tools/call", list + `}`, `"structuredContent":{"meta":{`},
		exchange{"list, modern", "tools/call", list + `,` + modern + `}`, `"structuredContent":{"meta":{`},
		exchange{"create", "tools/call", create + `}`, `"structuredContent":{"account_sid":"AC`},
		exchange{"create, modern", "tools/call", create + `,` + modern + `}`, `"structuredContent":{"account_sid":"AC`},
		exchange{"refused", "tools/call", `{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"nope"}}`, `"code":20404`},
		exchange{"bad arguments", "tools/call", `{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"x","PageSize":9}}`, `"PageSize must be at most 5, not 9."`},
		exchange{"no such tool", "tools/call", `{"name":"nope","arguments":{}}`, `"code":-32602`},
	)
}

func TestASessionOverStdio(t *testing.T) {
	t.Parallel()
	stdin, client := io.Pipe()
	out := output{lines: make(chan string, 1)}
	var logged output
	done := make(chan error, 1)
	go func() { done <- Run(t.Context(), []string{"--sandbox"}, environment(), stdin, &out, &logged) }()
	for i, x := range session() {
		_, err := fmt.Fprintf(client, `{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}`+"\n", i, x.method, x.params)
		require.NoError(t, err)
		answer := <-out.lines
		require.Contains(t, answer, fmt.Sprintf(`"id":%d`, i), x.name)
		require.Contains(t, answer, strings.Trim(x.want, `"`), x.name)
	}
	require.NoError(t, client.Close())
	require.NoError(t, <-done, "the end of the input is the end of the program")
	require.Regexp(t, `msg=call tool=create_conversation_webhook outcome=ok`, logged.String())
	require.NotContains(t, logged.String(), documented, "arguments are not logged")
	require.NotContains(t, logged.String(), "empty room", "arguments are not logged")
}

func TestEveryRequestReadBeforeTheEndIsAnswered(t *testing.T) {
	t.Parallel()
	var requests strings.Builder
	for i := range 60 {
		fmt.Fprintf(&requests, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"%s"}}}`+"\n", i, documented)
	}
	stdout, _, err := runProgram(t, environment(), strings.TrimSuffix(requests.String(), "\n"), "--sandbox")
	require.NoError(t, err)
	lines := bufio.NewScanner(strings.NewReader(stdout))
	answered := map[int]bool{}
	for lines.Scan() {
		var answer struct {
			ID     int
			Result mcp.CallToolResult
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &answer))
		require.False(t, answer.Result.IsError)
		answered[answer.ID] = true
	}
	require.Len(t, answered, 60)
}

func TestASessionOverHTTP(t *testing.T) {
	t.Parallel()
	url, _, end := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0")
	for i, x := range session() {
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/mcp",
			strings.NewReader(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}`, i, x.method, x.params)))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if strings.Contains(x.params, modern) {
			req.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			req.Header.Set("Mcp-Method", x.method)
			if name := regexp.MustCompile(`"name":"(\w+)"`).FindStringSubmatch(x.params); name != nil {
				req.Header.Set("Mcp-Name", name[1])
			}
		}
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "application/json", res.Header.Get("Content-Type"), x.name)
		require.Empty(t, res.Header.Get("Mcp-Session-Id"), x.name)
		require.Contains(t, string(answer), fmt.Sprintf(`"id":%d`, i), x.name)
		require.Contains(t, string(answer), strings.Trim(x.want, `"`), x.name)
	}
	res, err := http.Get(url + "/healthz")
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	require.NoError(t, res.Body.Close())
	require.NoError(t, end())
}

func TestReadOnlyOffersNoToolThatWrites(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment("MCP_READ_ONLY", "true"), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"create_conversation_webhook","arguments":{}}}`, "--sandbox")
	require.NoError(t, err)
	require.NotContains(t, stdout, `"name":"create_conversation_webhook"`)
	require.Contains(t, stdout, `"name":"list_conversation_webhooks"`)
	require.Contains(t, stdout, `"id":2,"error":{"code":-32602,"message":"there is no tool`)
	_, _, err = runProgram(t, environment("MCP_READ_ONLY", "yes please"), "", "--sandbox")
	require.ErrorContains(t, err, "MCP_READ_ONLY: --read-only")
}

// A create that was sent is not stopped by a cancellation: its outcome is logged,
// and no response is sent.
func TestACancelledCreateIsFinished(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	twilio := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid":"WH0123456789abcdef0123456789abcdef"}`)
	})}
	go func() { _ = twilio.Serve(ln) }()
	defer twilio.Close()
	stdin, client := io.Pipe()
	out, logged := output{lines: make(chan string, 10)}, output{}
	done := make(chan error, 1)
	go func() {
		done <- Run(t.Context(), nil, environment("TWILIO_BASE_URL", "http://"+ln.Addr().String(), "TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "x"), stdin, &out, &logged)
	}()
	_, err = io.WriteString(client, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_conversation_webhook","arguments":{"ConversationSid":"x","Target":"studio"}}}`+"\n")
	require.NoError(t, err)
	<-began
	_, err = io.WriteString(client, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`+"\n"+`{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n")
	require.NoError(t, err)
	require.Contains(t, <-out.lines, `"id":2`, "the cancellation has been read")
	require.NoError(t, client.Close())
	close(release)
	require.NoError(t, <-done)
	require.NotContains(t, out.String(), `"id":1`)
	require.Contains(t, logged.String(), `tool=create_conversation_webhook outcome="ok, cancelled"`)
	require.Contains(t, logged.String(), "status=201")
}
