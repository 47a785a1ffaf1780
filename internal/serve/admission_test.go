package serve_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

// Callers that send more calls than Twilio answers would use up the connections
// that it allows an account, and pile up calls without end.
func TestCallsBeyondTheQueueAreRefused(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.MaxConcurrent = 1 })
	s := b.listen(t, serve.HTTPOptions{})
	const admitted = 1 + 64 - 64/8
	statuses := make(chan int, 100)
	for range 100 {
		go func() {
			res, body := s.do(t, "POST", "/mcp", call("1", "hold"), nil)
			if res.StatusCode == 503 && (res.Header.Get("Retry-After") == "" || !strings.Contains(body, "nothing was sent")) {
				t.Error(res.Header, body)
			}
			statuses <- res.StatusCode
		}()
	}
	for range 100 - admitted {
		require.Equal(t, 503, <-statuses)
	}
	require.LessOrEqual(t, b.started.Load(), int32(1))
	res, _ := s.do(t, "POST", "/mcp", ping, nil)
	require.Equal(t, 200, res.StatusCode, "a ping is no call")
	require.Equal(t, 100-admitted, strings.Count(b.log.String(), "tool=hold outcome=error"), "refused calls are logged")
	close(b.release)
	for range admitted {
		require.Equal(t, 200, <-statuses)
	}
}

func TestCallsBeyondTheQueueAreRefusedOverStdio(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.MaxConcurrent = 1 })
	s := b.start(t)
	for i := range 65 {
		s.send(call(fmt.Sprint(i), "hold"))
	}
	await(t, func() bool { return b.started.Load() == 1 })
	s.send(call("65", "hold"))
	for range 500 { // far more than may wait for their replies
		require.Contains(t, s.answer(), `,"error":{"code":-32603,"message":"too many queued calls; nothing was sent; try again later","data":{"retryAfter":1}}`)
		s.send(call("99", "hold"))
	}
	require.Contains(t, s.answer(), "too many queued calls")
	s.send(ping)
	require.Contains(t, s.answer(), `"id":"p"`, "a ping is answered while calls fill the queue")
	for i := range 65 {
		s.send(cancelled(fmt.Sprint(i)))
	}
	await(t, func() bool { return b.canceled.Load() >= 1 })
	close(b.release)
}

func TestACallDoesNotWaitWithoutEnd(t *testing.T) {
	t.Parallel()
	b := newFixture(func(o *serve.Options) { o.MaxConcurrent = 1 })
	b.SetQueueTime(time.Millisecond)
	s := b.start(t)
	s.send(call("1", "hold"))
	await(t, func() bool { return b.started.Load() == 1 })
	s.send(call("2", "hold"))
	require.Contains(t, s.answer(), `"id":2,"error":{"code":-32603,"message":"too many queued calls`)
	close(b.release)
	require.Contains(t, s.answer(), `"id":1,"result"`)
}

// Connections that send most of a long message and then stop hold memory: at
// most the limit, and only until the request must have arrived. Meanwhile others
// can call.
func TestStalledBodiesDoNotDenyService(t *testing.T) {
	t.Parallel()
	const limit, message = 1 << 20, 128 << 10
	b := newFixture(func(o *serve.Options) { o.MaxMessage = message })
	b.SetMaxBuffered(limit)
	b.SetReadTime(500 * time.Millisecond)
	close(b.release)
	s := b.listen(t, serve.HTTPOptions{})
	var stalled []net.Conn
	for range 2 * limit / message {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			message, strings.Repeat(" ", message-1))
		require.NoError(t, err)
		stalled = append(stalled, conn)
	}
	for _, body := range []string{ping, cancelled("1"), call("1", "hold"), longCall("1", 4<<10)} {
		res, answer := s.do(t, "POST", "/mcp", body, nil)
		require.Less(t, res.StatusCode, 300, answer)
	}
	statuses := map[string]int{}
	for _, conn := range stalled {
		status, err := bufio.NewReader(conn).ReadString('\n')
		require.NoError(t, err)
		statuses[strings.TrimSpace(status)]++
	}
	require.Positive(t, statuses["HTTP/1.1 408 Request Timeout"], statuses)
	require.Positive(t, statuses["HTTP/1.1 503 Service Unavailable"], statuses)
	res, answer := s.do(t, "POST", "/mcp", longCall("1", message), nil)
	require.Equal(t, 200, res.StatusCode, "the memory is free again: %s", answer)
}

// Without a limit, the long messages of calls that wait would fill the memory.
func TestLongMessagesTakeBoundedMemory(t *testing.T) {
	t.Parallel()
	const length = 64 << 10
	fill := func(b *fixture) { b.SetMaxBuffered(4 * (length - 4<<10)) }

	b := newFixture()
	fill(b)
	s := b.start(t)
	for i := range 4 {
		s.send(longCall(fmt.Sprint(10+i), length))
	}
	s.send(longCall("30", length))
	require.Contains(t, s.answer(), `"id":30,"error":{"code":-32603,"message":"too many long messages in memory; nothing was sent`)
	s.send(ping)
	require.Contains(t, s.answer(), `"id":"p"`)
	s.send(cancelled("10"))
	await(t, func() bool { return b.canceled.Load() == 1 })
	close(b.release)
	for range 3 {
		require.Contains(t, s.answer(), "released")
	}
	s.send(longCall("31", length))
	require.Contains(t, s.answer(), "released", "the memory is free again")

	b = newFixture()
	fill(b)
	site := b.listen(t, serve.HTTPOptions{})
	statuses := make(chan int, 4)
	for range 4 {
		go func() {
			status := 0
			defer func() { statuses <- status }() // after a failure too
			res, _ := site.do(t, "POST", "/mcp", longCall("1", length), nil)
			status = res.StatusCode
		}()
	}
	await(t, func() bool { return b.started.Load() == 4 })
	for range 2 {
		res, _ := site.do(t, "POST", "/mcp", longCall("1", length), nil)
		require.Equal(t, 503, res.StatusCode)
	}
	close(b.release)
	for range 4 {
		require.Equal(t, 200, <-statuses)
	}
}

// A refusal does not wait for the rest of the body.
func TestABodyThatIsRefusedNeedNotArriveWhole(t *testing.T) {
	t.Parallel()
	b := newFixture()
	b.SetMaxBuffered(10_000)
	b.SetReadTime(time.Hour)
	s := b.listen(t, serve.HTTPOptions{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 30000\r\n\r\n%s", strings.Repeat(" ", 29_999))
	require.NoError(t, err)
	status, err := bufio.NewReader(conn).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "HTTP/1.1 503 Service Unavailable\r\n", status)
}
