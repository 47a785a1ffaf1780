package serve_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

func TestBlankLinesNotificationsAndResponsesAreNotAnswered(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	in := strings.Join([]string{
		``, `   `, "\t\r",
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"p"}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled"}`,
		`{"jsonrpc":"2.0","method":"tools/call","params":{"name":"hold"}}`,
		`{"jsonrpc":"2.0","id":98,"error":{"code":1,"message":"x"}}`,
		`{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}`,
		`{"jsonrpc":"2.0","error":{"code":1,"message":"x"}}`,
		`{"jsonrpc":"2.0","id":99,"result":{}}`,
		ping}, "\n")
	require.NoError(t, newFixture().Stdio(t.Context(), strings.NewReader(in), &out))
	require.Equal(t, `{"jsonrpc":"2.0","id":"p","result":{}}`+"\n", out.String(), "the only answer")
}

func TestEveryRequestReadBeforeTheEndOfInputIsAnswered(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.MaxConcurrent = 3 })
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

func TestSlowCallsDoNotDelayOtherRequests(t *testing.T) {
	t.Parallel()
	b := newFixture()
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

func TestACancelledCallStopsAndIsNotAnswered(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.MaxConcurrent = 1 })
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

func TestAnIDIsTheSameHoweverItIsEscaped(t *testing.T) {
	t.Parallel()
	b := newFixture()
	s := b.start(t)
	s.send(call(`"\u00e9\/"`, "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.send(cancelled(`"é/"`))
	await(t, func() bool { return b.canceled.Load() == 1 })
	s.send(`{"jsonrpc":"2.0","id":5,"method":"notifications/cancelled","params":{"requestId":1}}`)
	require.Contains(t, s.answer(), `"id":5,"error":{"code":-32601`, "with an id it is a request, and none that is known")
}

func TestAClosedOutputDoesNotStopCalls(t *testing.T) {
	t.Parallel()
	b := newFixture()
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

func TestALongLineTakesNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	s := newFixture(func(o *serve.Options) { o.MaxMessage = 64 << 10 }).start(t)
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

func TestNothingIsReadFromAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	s := newFixture().start(t)
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

func TestAReadErrorIsReturned(t *testing.T) {
	t.Parallel()
	broken, w := io.Pipe()
	require.NoError(t, w.CloseWithError(errors.New("broken")))
	err := newFixture().Stdio(t.Context(), broken, io.Discard)
	require.EqualError(t, err, "reading standard input: broken")
}
