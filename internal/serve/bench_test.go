package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// instantTool returns a result of about 1.8 kB at once, so that what a call
// allocates is the server's own.
func instantTool() serve.Tool {
	text := `{"webhooks":["` + strings.Repeat("x", 1760) + `"],"meta":{"page":0}}`
	raw := json.RawMessage(text)
	return tool("instant", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult {
		return &mcp.CallToolResult{Content: []mcp.Content{mcp.NewTextContent(text)}, RawStructuredContent: raw}
	})
}

const instantCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"instant","arguments":{"ConversationSid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}}`

// BenchmarkCallOverHTTP is one tools/call over one connection.
func BenchmarkCallOverHTTP(b *testing.B) {
	s := newFixture(func(o *serve.Options) {
		o.Log, o.Tools = slog.New(slog.NewTextHandler(io.Discard, nil)), []serve.Tool{instantTool()}
	}).listen(b, serve.HTTPOptions{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(b, err)
	defer conn.Close()
	request := fmt.Appendf(nil, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(instantCall), instantCall)
	answers, body := bufio.NewReader(conn), make([]byte, 64<<10)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		length := 0
		for {
			line, err := answers.ReadSlice('\n')
			if err != nil {
				b.Fatal(err)
			}
			if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
				length, _ = strconv.Atoi(string(bytes.TrimSpace(value)))
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := io.ReadFull(answers, body[:length]); err != nil || length < 1000 {
			b.Fatal(length, err)
		}
	}
}

// BenchmarkCallOverStdio is one tools/call over two pipes.
func BenchmarkCallOverStdio(b *testing.B) {
	in, requests := io.Pipe()
	answers, out := io.Pipe()
	f := newFixture(func(o *serve.Options) {
		o.Log, o.Tools = slog.New(slog.NewTextHandler(io.Discard, nil)), []serve.Tool{instantTool()}
	})
	ended := make(chan error, 1)
	go func() { ended <- f.Stdio(b.Context(), in, out) }()
	lines, request := bufio.NewReaderSize(answers, 64<<10), []byte(instantCall+"\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := requests.Write(request); err != nil {
			b.Fatal(err)
		}
		if line, err := lines.ReadSlice('\n'); err != nil || len(line) < 1000 {
			b.Fatal(len(line), err)
		}
	}
	_ = requests.Close()
	require.NoError(b, <-ended)
}
