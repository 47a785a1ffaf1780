package program

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
)

// listAnswer is Twilio's answer of the documented size.
func listAnswer(b testing.TB) []byte {
	b.Helper()
	stdout, _, err := runProgram(b, environment(), "", "call", "--sandbox", "list_conversation_webhooks", `{"ConversationSid":"`+documented+`"}`)
	require.NoError(b, err)
	var compact bytes.Buffer
	require.NoError(b, json.Compact(&compact, []byte(stdout)))
	return compact.Bytes()
}

// rawUpstream answers every request at once with a list, followed by more bytes,
// and allocates nothing.
func rawUpstream(b testing.TB, answer, more []byte) (url string) {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	b.Cleanup(func() { _ = ln.Close() })
	answer = append(fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(answer)), answer...)
	answer = append(answer, more...)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewReader(conn); ; {
					line, err := lines.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) == 2 { // the end of the headers
						_, _ = conn.Write(answer)
					}
				}
			}()
		}
	}()
	return "http://" + ln.Addr().String()
}

// openPolicy admits requests to loopback without credentials.
func openPolicy(t testing.TB) *access.Policy {
	t.Helper()
	policy, err := access.New(access.Options{})
	require.NoError(t, err)
	return policy
}

const listCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"` + documented + `"}}}`

func benchServer(b testing.TB) *serve.Server {
	b.Helper()
	credentials, err := sandboxCredentials()
	require.NoError(b, err)
	client, err := twilioapi.New(twilioapi.Config{
		BaseURL: rawUpstream(b, listAnswer(b), nil), Credentials: func() (twilioapi.Credentials, error) { return credentials, nil },
	})
	require.NoError(b, err)
	offered, err := tools.Select(tools.Selection{Toolsets: []string{"webhooks"}})
	require.NoError(b, err)
	return serve.New(serve.Options{
		Tools: servedTools(offered, client), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), MaxMessage: 1 << 20, MaxConcurrent: 128,
	})
}

// BenchmarkCallOverHTTP is a whole tools/call: request, validation, Twilio's
// answer, log line, answer. What it allocates is the server's own.
func BenchmarkCallOverHTTP(b *testing.B) {
	server := benchServer(b)
	ln, err := serve.Listen("127.0.0.1:0", false)
	require.NoError(b, err)
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- server.HTTP(ctx, ln, serve.HTTPOptions{Access: openPolicy(b)}) }()
	defer func() { cancel(); <-ended }()

	conn, err := net.Dial("tcp", ln.Addr().String())
	require.NoError(b, err)
	defer conn.Close()
	request := fmt.Appendf(nil, "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", ln.Addr(), len(listCall), listCall)
	answers := bufio.NewReader(conn)
	buffer := make([]byte, 64<<10)
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
				for _, digit := range bytes.TrimSpace(value) {
					length = length*10 + int(digit-'0')
				}
			}
			if len(line) == 2 {
				break
			}
		}
		if _, err := io.ReadFull(answers, buffer[:length]); err != nil || length < 1000 {
			b.Fatal(length, err)
		}
	}
}

// BenchmarkCallOverStdio is the same over two pipes.
func BenchmarkCallOverStdio(b *testing.B) {
	in, requests := io.Pipe()
	answers, out := io.Pipe()
	ended := make(chan error, 1)
	server := benchServer(b)
	go func() { ended <- server.Stdio(b.Context(), in, out) }()
	lines := bufio.NewReaderSize(answers, 64<<10)
	request := []byte(listCall + "\n")
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

// BenchmarkStart is a start over stdio up to the answer of initialize, without the
// initialization of packages.
func BenchmarkStart(b *testing.B) {
	const request = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	b.ReportAllocs()
	for b.Loop() {
		stdout, _, err := runProgram(b, environment(), request)
		require.NoError(b, err)
		require.Contains(b, stdout, `"protocolVersion"`)
	}
}
