package serve_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// A bench is a server with tools that tests can hold still.
type bench struct {
	*serve.Server
	started  atomic.Int32  // calls of hold that began
	release  chan struct{} // lets calls of hold end
	canceled atomic.Int32  // calls of hold whose context was done first
	log      *logBuffer
}

type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// A handler carries out a call of a tool in tests.
type handler func(ctx context.Context, caller access.Caller, arguments json.RawMessage) *mcp.CallToolResult

func tool(name string, handle handler) serve.Tool {
	return serve.Tool{
		Definition: mcp.Tool{Name: name, RawInputSchema: json.RawMessage(`{"type":"object"}`)},
		Call: func(ctx context.Context, caller access.Caller, arguments json.RawMessage) (*mcp.CallToolResult, []slog.Attr) {
			return handle(ctx, caller, arguments), nil
		},
	}
}

func newBench(change ...func(*serve.Options)) *bench {
	b := &bench{release: make(chan struct{}), log: &logBuffer{}}
	o := serve.Options{
		Instructions: "instructions", Version: "1", Log: slog.New(slog.NewTextHandler(b.log, nil)),
		MaxMessage: 1 << 20, MaxConcurrent: 32, Grace: 10 * time.Second,
		Tools: []serve.Tool{
			tool("echo", func(_ context.Context, _ access.Caller, arguments json.RawMessage) *mcp.CallToolResult {
				return mcp.NewToolResultText(string(arguments))
			}),
			tool("hold", func(ctx context.Context, _ access.Caller, _ json.RawMessage) *mcp.CallToolResult {
				b.started.Add(1)
				select {
				case <-b.release:
					return mcp.NewToolResultText("released")
				case <-ctx.Done():
					b.canceled.Add(1)
					return mcp.NewToolResultError(ctx.Err().Error())
				}
			}),
			tool("panic", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult { panic("hunter2") }),
			tool("nan", func(context.Context, access.Caller, json.RawMessage) *mcp.CallToolResult {
				return mcp.NewToolResultStructured(math.NaN(), "x")
			}),
		},
	}
	for _, c := range change {
		c(&o)
	}
	b.Server = serve.New(o)
	return b
}

// A session is the client's side of a stdio server.
type session struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	done chan error
	end  context.CancelFunc
}

func (b *bench) start(t *testing.T) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	in, client := io.Pipe()
	answers, out := io.Pipe()
	s := &session{t: t, in: client, out: bufio.NewReader(answers), done: make(chan error, 1), end: cancel}
	go func() { s.done <- b.Stdio(ctx, in, out); _ = out.Close() }()
	t.Cleanup(func() { cancel(); _ = client.Close(); _ = answers.Close() })
	return s
}

func (s *session) send(lines ...string) {
	s.t.Helper()
	for _, line := range lines {
		_, err := io.WriteString(s.in, line+"\n")
		require.NoError(s.t, err)
	}
}

func (s *session) answer() string {
	s.t.Helper()
	line, err := s.out.ReadString('\n')
	require.NoError(s.t, err)
	return strings.TrimSuffix(line, "\n")
}

func call(id, name string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + name + `","arguments":{}}}`
}

// longCall is a call of hold, so many bytes long.
func longCall(id string, length int) string {
	m := call(id, "hold")
	return m[:len(m)-3] + `"x":"` + strings.Repeat("x", length-len(m)-6) + `"}}}`
}

const ping = `{"jsonrpc":"2.0","id":"p","method":"ping"}`

// await waits until something is so; it is a matter of the scheduler only.
func await(t *testing.T, is func() bool) {
	t.Helper()
	require.Eventually(t, is, 10*time.Second, time.Millisecond)
}

func TestMessagesAndWhatAnswersThem(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, message, want string }{
		{"a number", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, `{"jsonrpc":"2.0","id":9007199254740993,"result":{}}`},
		{"a fraction", `{"jsonrpc":"2.0","id":1.50,"method":"ping"}`, `{"jsonrpc":"2.0","id":1.50,"result":{}}`},
		{"a negative", `{"jsonrpc":"2.0","id":-0,"method":"ping"}`, `{"jsonrpc":"2.0","id":-0,"result":{}}`},
		{"a string", `{"jsonrpc":"2.0","id":"a\u0062<&","method":"ping"}`, `{"jsonrpc":"2.0","id":"a\u0062<&","result":{}}`},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"id must be a string or a number"}}`},
		{"id true", `{"jsonrpc":"2.0","id":true,"method":"ping"}`, `"id":null,"error":{"code":-32600`},
		{"id object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, `"id":null,"error":{"code":-32600`},
		{"id list", `{"jsonrpc":"2.0","id":[1],"method":"ping"}`, `"id":null,"error":{"code":-32600`},
		{"junk", `junk`, `"id":null,"error":{"code":-32700`},
		{"half", `{"jsonrpc":"2.0","id":1`, `"id":null,"error":{"code":-32700`},
		{"blank", ``, `"id":null,"error":{"code":-32700`},
		{"spaces", `   `, `"id":null,"error":{"code":-32700`},
		{"two", ping + ping, `"id":null,"error":{"code":-32700`},
		{"a batch", `[` + ping + `]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not supported; send one message at a time"}}`},
		{"no object", `5`, `"id":null,"error":{"code":-32600`},
		{"null", `null`, `"id":null,"error":{"code":-32600`},
		{"no version", `{"id":1,"method":"ping"}`, `"id":1,"error":{"code":-32600`},
		{"version 1", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, `"id":1,"error":{"code":-32600`},
		{"no method", `{"jsonrpc":"2.0","id":1}`, `"id":1,"error":{"code":-32600,"message":"method is missing"`},
		{"empty method", `{"jsonrpc":"2.0","id":1,"method":""}`, `"id":1,"error":{"code":-32600`},
		{"method a number", `{"jsonrpc":"2.0","id":1,"method":5}`, `"id":1,"error":{"code":-32600`},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, `"id":1,"error":{"code":-32601`},
		{"with a CR", ping + "\r", `{"jsonrpc":"2.0","id":"p","result":{}}`},
		{"params a list", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`, `"id":1,"error":{"code":-32602,"message":"params must be an object`},
		{"no params", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, `"id":1,"error":{"code":-32602`},
		{"unknown tool", call("1", "nope"), `"id":1,"error":{"code":-32602,"message":"there is no tool \"nope\"; the tools are echo and hold and nan and panic"}`},
		{"arguments as they came", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":1e400,"a":9007199254740993}}}`, `"text":"{\"a\":1e400,\"a\":9007199254740993}"`},
		{"a panic", call("1", "panic"), `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error; the server's log has the details"}}`},
		{"no JSON", call("1", "nan"), `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the result could not be written as JSON"}}`},
		{"too long", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 1<<20) + `"}`, `"id":null,"error":{"code":-32600,"message":"the message is longer than 1048576 bytes"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newBench().start(t)
			s.send(row.message)
			require.Contains(t, s.answer(), row.want)
			s.send(ping)
			require.Equal(t, `{"jsonrpc":"2.0","id":"p","result":{}}`, s.answer(), "the next request is served")
		})
	}
}

func TestWhatIsNoRequestIsNotAnswered(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	in := strings.Join([]string{
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"p"}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`,
		`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"hold"}}`,
		`{"jsonrpc":"2.0","id":98,"error":{"code":1,"message":"x"}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}`,
		`{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}`,
		`{"jsonrpc":"2.0","id":99,"result":{}}`,
		ping}, "\n")
	require.NoError(t, newBench().Stdio(t.Context(), strings.NewReader(in), &out))
	require.Equal(t, `{"jsonrpc":"2.0","id":"p","result":{}}`+"\n", out.String(), "the only answer")
}

func TestAPanicIsLoggedWithItsStackAndNotTold(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.start(t)
	s.send(call("1", "panic"))
	require.NotContains(t, s.answer(), "hunter2")
	require.Contains(t, b.log.String(), "hunter2")
	require.Contains(t, b.log.String(), "stdio_test.go")
	require.Contains(t, b.log.String(), "tool=panic outcome=error")
}

func TestEverythingReadBeforeTheEndIsAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) { o.MaxConcurrent = 3 })
	s := b.start(t)
	go func() {
		for i := range 60 {
			s.send(call(fmt.Sprint(i), "hold"))
		}
		_, err := io.WriteString(s.in, strings.TrimSpace(ping)) // no newline
		require.NoError(t, err)
		require.NoError(t, s.in.Close())
	}()
	require.Contains(t, s.answer(), `"id":"p"`, "waiting calls hold up nothing")
	close(b.release)
	for range 60 {
		require.Contains(t, s.answer(), "released")
	}
	require.NoError(t, <-s.done)
}

func TestSlowCallsHoldUpNothing(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.start(t)
	for i := range 300 {
		s.send(call(fmt.Sprint(i), "hold"))
	}
	s.send(ping, `{"jsonrpc":"2.0","id":"l","method":"tools/list"}`)
	two := s.answer() + s.answer()
	require.Contains(t, two, `"id":"p"`)
	require.Contains(t, two, `"id":"l"`)
	await(t, func() bool { return b.started.Load() == 32 })
	close(b.release)
	for range 300 {
		require.Contains(t, s.answer(), "released")
	}
	require.EqualValues(t, 300, b.started.Load())
}

func cancelled(id string) string {
	return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`
}

func TestACancelledCallStopsAndIsNotAnswered(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) { o.MaxConcurrent = 1 })
	s := b.start(t)
	s.send(call("9007199254740993", "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.send(call(`"waits"`, "hold"), cancelled("9007199254740992"), cancelled(`"waits"`))
	require.Never(t, func() bool { return b.canceled.Load() > 0 }, 20*time.Millisecond, time.Millisecond, "another id is another call")
	s.send(cancelled("9007199254740993"))
	await(t, func() bool { return b.canceled.Load() == 1 })
	s.send(ping)
	require.Equal(t, `{"jsonrpc":"2.0","id":"p","result":{}}`, s.answer(), "the only answer")
	require.NoError(t, s.in.Close())
	require.NoError(t, <-s.done)
	require.EqualValues(t, 1, b.started.Load(), "the waiting call was never made")
	require.Contains(t, b.log.String(), `outcome="error, cancelled"`)
}

func TestTheEndIsGracefulWithinTheGrace(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.start(t)
	s.send(call("1", "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.end()
	close(b.release)
	require.Contains(t, s.answer(), "released")
	require.NoError(t, <-s.done)

	stuck := newBench(func(o *serve.Options) { o.Grace = 10 * time.Millisecond })
	s = stuck.start(t)
	s.send(call("1", "hold"))
	await(t, func() bool { return stuck.started.Load() == 1 })
	s.end()
	require.Contains(t, s.answer(), `"id":1,"error":{"code":-32603,"message":"the server ended first; whether the call was carried out is unknown`)
	_, err := s.out.ReadByte()
	require.ErrorIs(t, err, io.EOF, "that is the only answer")
	require.NoError(t, <-s.done, "a stuck call does not hold up the end")
	require.Contains(t, stuck.log.String(), `msg="ending with calls under way" calls=1`)
	require.Contains(t, stuck.log.String(), `tool=hold outcome="error, cancelled"`)
}

func TestAnIdIsTheSameHoweverItIsWritten(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.start(t)
	s.send(call(`"\u00e9\/"`, "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.send(cancelled(`"é/"`))
	await(t, func() bool { return b.canceled.Load() == 1 })
	s.send(`{"jsonrpc":"2.0","id":5,"method":"notifications/cancelled","params":{"requestId":1}}`)
	require.Contains(t, s.answer(), `"id":5,"error":{"code":-32601`, "with an id it is a request, and none that is known")
}

func TestCallsForWhichThereIsNoRoomAreSentAway(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) { o.MaxConcurrent = 1 })
	s := b.start(t)
	for i := range 65 {
		s.send(call(fmt.Sprint(i), "hold"))
	}
	for range 500 { // each of which waits for nothing
		require.Contains(t, s.answer(), `,"error":{"code":-32603,"message":"too many calls wait; nothing was sent`)
		s.send(call("99", "hold"))
	}
	require.Contains(t, s.answer(), "too many calls wait")
	s.send(ping)
	require.Contains(t, s.answer(), `"id":"p"`, "what is no call is answered")
	for i := range 65 {
		s.send(cancelled(fmt.Sprint(i)))
	}
	await(t, func() bool { return b.canceled.Load() >= 1 })
	close(b.release)
}

func TestMessagesTakeNoMoreMemoryThanTheyMay(t *testing.T) {
	t.Parallel()
	b := newBench(func(o *serve.Options) { o.MaxMessage = 1000 })
	s := b.start(t)
	long := func(id string) string { return longCall(id, 1000) }
	require.Len(t, long("10"), 1000, "as long as a message may be, but for the newline")
	for i := range 12 { // three quarters of sixteen
		s.send(long(fmt.Sprint(10 + i)))
	}
	s.send(long("30"))
	require.Contains(t, s.answer(), `"id":30,"error":{"code":-32603,"message":"too many calls wait`)
	s.send(ping)
	require.Contains(t, s.answer(), `"id":"p"`)
	close(b.release)
	for range 12 {
		require.Contains(t, s.answer(), "released")
	}
	s.send(long("31"))
	require.Contains(t, s.answer(), "released", "there is room again")
}

func TestAClientThatIsGoneDoesNotStopItsCalls(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.start(t)
	s.send(call("1", "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	go func() { _, _ = io.Copy(io.Discard, s.out) }()
	answers, out := io.Pipe()
	require.NoError(t, answers.Close())
	done := make(chan error, 1)
	in, requests := io.Pipe()
	go func() { done <- b.Stdio(t.Context(), in, out) }()
	_, err := io.WriteString(requests, call("2", "hold")+"\n"+ping+"\n")
	require.NoError(t, err)
	await(t, func() bool { return b.started.Load() == 2 })
	close(b.release)
	require.EqualError(t, <-done, "writing standard output: io: read/write on closed pipe")
	require.Zero(t, b.canceled.Load())
	require.Contains(t, b.log.String(), "tool=hold outcome=ok")
}

func TestALongLineDoesNotTakeMemory(t *testing.T) {
	var before, after runtime.MemStats
	s := newBench(func(o *serve.Options) { o.MaxMessage = 64 << 10 }).start(t)
	s.send(ping)
	s.answer()
	runtime.ReadMemStats(&before)
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	for range 200 {
		_, err := s.in.Write(chunk)
		require.NoError(t, err)
	}
	s.send("")
	require.Contains(t, s.answer(), "longer than 65536 bytes")
	runtime.ReadMemStats(&after)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(16<<20), "200 MB went by")
}

func TestAClientThatDoesNotReadIsNotReadFrom(t *testing.T) {
	t.Parallel()
	s := newBench().start(t)
	sent := make(chan int)
	go func() {
		for i := 0; ; i++ {
			if _, err := io.WriteString(s.in, ping+"\n"); err != nil {
				sent <- i
				return
			}
			if i == 1<<20 {
				sent <- i
				return
			}
		}
	}()
	select {
	case n := <-sent:
		t.Fatalf("%d requests were taken", n)
	case <-time.After(300 * time.Millisecond):
	}
	require.NoError(t, s.in.Close())
	require.Less(t, <-sent, 5000)
}

func TestTheStreamsFailureIsTold(t *testing.T) {
	t.Parallel()
	broken, w := io.Pipe()
	require.NoError(t, w.CloseWithError(errors.New("broken")))
	err := newBench().Stdio(t.Context(), broken, io.Discard)
	require.EqualError(t, err, "reading standard input: broken")
}

func TestTheLogTellsOfACallButNotItsArguments(t *testing.T) {
	t.Parallel()
	b := newBench()
	s := b.start(t)
	s.send(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"secret":"hunter2"}}}`)
	s.answer()
	require.Regexp(t, `msg=call tool=echo outcome=ok ms=[\d.]+ caller=stdio\n$`, b.log.String())
	require.Equal(t, 1, strings.Count(b.log.String(), "\n"))
	require.NotContains(t, b.log.String(), "hunter2")
}

// Calls go around mcp-go; what it does with the revision of every other request
// is done with theirs.
func TestACallIsHeldAgainstItsRevisionAsMcpGoHoldsOthers(t *testing.T) {
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
			s := newBench().start(t)
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
