package serve_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

var messages = []string{
	ping,
	call("1", "echo"),
	call(`"a\u0000"`, "nope"),
	call("9007199254740993", "panic"),
	`{"jsonrpc":"2.0","id":1e400,"method":"tools/call","params":{"name":"echo","arguments":{"a":1e400}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
	`{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{"notifications":{}}}`,
	`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
	`{"jsonrpc":"2.0","id":7,"result":{}}`,
	`{"jsonrpc":"2.0","id":[],"method":"ping"}`,
	"[" + ping + "]", "", "\r", "\xff\x00", "null", `"`, `{"id":`,
}

// Each line on standard input is answered at most once, by a line of JSON-RPC,
// and the server returns at the end of the input.
func FuzzStdio(f *testing.F) {
	for _, m := range messages {
		f.Add([]byte(m))
		f.Add([]byte(ping + "\n" + m + "\n" + ping))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		b := newFixture(func(o *serve.Options) { o.MaxMessage = 512 })
		close(b.release)
		var out bytes.Buffer
		require.NoError(t, b.Stdio(t.Context(), bytes.NewReader(in), &out))
		answers := 0
		for line := range bytes.Lines(out.Bytes()) {
			isAnswer(t, line)
			if !bytes.Contains(line, []byte(`"method"`)) { // an acknowledgement comes before its answer
				answers++
			}
		}
		require.LessOrEqual(t, answers, bytes.Count(in, []byte("\n"))+1)
	})
}

// Each message is answered by JSON-RPC, or accepted without an answer, with and
// without the headers of 2026-07-28.
func FuzzHTTP(f *testing.F) {
	for _, m := range messages {
		f.Add(false, m)
		f.Add(true, m)
	}
	b := newFixture()
	close(b.release)
	httpFixture := b.listen(f, serve.HTTPOptions{})
	f.Fuzz(func(t *testing.T, modern bool, body string) {
		h := header{}
		if modern {
			h["Mcp-Protocol-Version"] = "2026-07-28"
		}
		res, answer := httpFixture.do(t, "POST", "/mcp", body, h)
		switch {
		case res.StatusCode == http.StatusAccepted:
			require.Empty(t, answer)
		case res.Header.Get("Content-Type") == "text/event-stream":
			for line := range strings.Lines(answer) {
				if data, ok := strings.CutPrefix(line, "data: "); ok {
					isAnswer(t, []byte(data))
				}
			}
		default:
			require.Contains(t, []int{200, 400, 404}, res.StatusCode)
			isAnswer(t, []byte(answer))
		}
	})
}

func isAnswer(t *testing.T, line []byte) {
	t.Helper()
	var answer map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(line, &answer), "%q", line)
	require.Equal(t, `"2.0"`, string(answer["jsonrpc"]))
	if answer["method"] == nil {
		require.NotEmpty(t, answer["id"])
		require.NotEqual(t, answer["result"] == nil, answer["error"] == nil, "%s", line)
	}
}
