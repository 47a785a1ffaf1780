package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`
	ready      = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	call       = `{"jsonrpc":"2.0","id":100000000,"method":"tools/call","params":{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}}`

	firstID  = 100_000_000 // the id in call; all that follow are as long
	idDigits = 9
)

// A wire carries messages to a server and its answers back: raw HTTP on one
// connection, or lines over the pipes of a process.
type wire struct {
	w    io.Writer
	r    *bufio.Reader
	host string // over HTTP
	body []byte
}

// frame is a message as it stands on the wire.
func (w *wire) frame(message string) []byte {
	if w.host == "" {
		return []byte(message + "\n")
	}
	return fmt.Appendf(nil, "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"+
		"Mcp-Protocol-Version: 2025-06-18\r\nContent-Length: %d\r\n\r\n%s", w.host, len(message), message)
}

// answer reads the next answer. It is valid until the one after.
func (w *wire) answer() ([]byte, error) {
	if w.host == "" {
		return w.r.ReadSlice('\n')
	}
	status, err := w.r.ReadString('\n')
	line, length := []byte(nil), -1 // chunked
	for err == nil {
		if line, err = w.r.ReadSlice('\n'); len(line) <= len("\r\n") {
			break
		}
		if name, value, _ := bytes.Cut(line, []byte(":")); bytes.EqualFold(name, []byte("Content-Length")) {
			length, err = strconv.Atoi(string(bytes.TrimSpace(value)))
		}
	}
	w.body = w.body[:0]
	if length >= 0 && err == nil {
		err = w.read(length)
	}
	for chunk := int64(1); length < 0 && chunk > 0 && err == nil; {
		if line, err = w.r.ReadSlice('\n'); err == nil {
			chunk, err = strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		}
		if err == nil {
			err = w.read(int(chunk))
		}
		_, _ = w.r.Discard(len("\r\n"))
	}
	if err == nil && status != "HTTP/1.1 200 OK\r\n" {
		err = fmt.Errorf("answered %q: %.300s", status, w.body)
	}
	return w.body, err
}

// read appends so many bytes to the body.
func (w *wire) read(length int) error {
	n := len(w.body)
	w.body = slices.Grow(w.body, length)[:n+length]
	_, err := io.ReadFull(w.r, w.body[n:])
	return err
}

// ask sends a message and waits for the answer.
func (w *wire) ask(message string) ([]byte, error) {
	if _, err := w.w.Write(w.frame(message)); err != nil {
		return nil, err
	}
	return w.answer()
}

// open initializes the server, makes a first call, and judges its answer by
// what the API's is.
func (w *wire) open(page []byte) (expected, error) {
	answer, err := w.ask(initialize)
	if err != nil {
		return expected{}, err
	}
	if !bytes.Contains(answer, []byte(`"serverInfo"`)) {
		return expected{}, fmt.Errorf("wrong answer to initialize: %.300s", answer)
	}
	if w.host == "" {
		if _, err := w.w.Write(w.frame(ready)); err != nil {
			return expected{}, err
		}
	}
	if answer, err = w.ask(call); err != nil {
		return expected{}, err
	}
	return learn(answer, page)
}

// expected is a right answer, cut where the id stands. As servers answer alike,
// all later answers are held against it byte for byte, which costs next to
// nothing.
type expected struct{ before, after []byte }

// learn takes an answer apart: the text must be the API's very bytes, the
// structured content the same JSON.
func learn(answer, page []byte) (expected, error) {
	var m struct {
		ID     int
		Result struct {
			Content           []struct{ Text string }
			StructuredContent any
			IsError           bool
		}
	}
	var content any
	if err := errors.Join(json.Unmarshal(answer, &m), json.Unmarshal(page, &content)); err != nil {
		return expected{}, fmt.Errorf("%w in %.300s", err, answer)
	}
	r := m.Result
	before, after, _ := bytes.Cut(answer, []byte(`"id":100000000`))
	if m.ID != firstID || r.IsError || len(r.Content) != 1 || r.Content[0].Text != string(page) || !reflect.DeepEqual(r.StructuredContent, content) || after == nil {
		return expected{}, fmt.Errorf("wrong answer: %.1000s", answer)
	}
	return expected{append(slices.Clone(before), `"id":`...), slices.Clone(after)}, nil
}

// id returns the id of an answer, and whether all else is as expected.
func (e expected) id(answer []byte) (int, bool) {
	if len(answer) != len(e.before)+idDigits+len(e.after) || !bytes.HasPrefix(answer, e.before) || !bytes.HasSuffix(answer, e.after) {
		return 0, false
	}
	id, err := strconv.Atoi(string(answer[len(e.before):][:idDigits]))
	return id, err == nil
}

// A caller has a number of calls in flight on one wire.
type caller struct {
	*wire
	expected
	request []byte // its id is written over
	idAt    int
	ids     []int // of the calls in flight; their remainders are their places
	sent    []time.Time
	pace    time.Duration // from call to call, if each has its time
	due     time.Time     // the time of the next
}

func newCaller(w *wire, e expected, inFlight int) *caller {
	c := &caller{wire: w, expected: e, request: w.frame(call), ids: make([]int, inFlight), sent: make([]time.Time, inFlight)}
	c.idAt = bytes.Index(c.request, []byte("100000000"))
	for i := range c.ids {
		c.ids[i] = firstID + i
	}
	return c
}

// send sends a call. A call that has its time begins then, even if the one
// before took longer.
func (c *caller) send(place int) error {
	c.ids[place] += len(c.ids)
	strconv.AppendInt(c.request[:c.idAt], int64(c.ids[place]), 10)
	if wait := time.Until(c.due); c.pace > 0 && wait < 0 {
		c.sent[place] = c.due
	} else {
		time.Sleep(wait)
		c.sent[place] = time.Now()
	}
	c.due = c.due.Add(c.pace)
	_, err := c.w.Write(c.request)
	return err
}

// receive waits for an answer to any of the calls in flight.
func (c *caller) receive() (place int, err error) {
	answer, err := c.answer()
	if err != nil {
		return 0, err
	}
	id, ok := c.id(answer)
	place = max(0, id-firstID) % len(c.ids)
	if !ok || c.ids[place] != id {
		return 0, fmt.Errorf("wrong answer: %.1000s", answer)
	}
	return place, nil
}

// loop sends a call for each that is answered, while the window of time is not
// the last, and until all are answered. It returns how long those took that
// ended in each window.
func (c *caller) loop(window *atomic.Int32, last int) (times [][]time.Duration, err error) {
	times = make([][]time.Duration, last+1)
	for place := range c.ids {
		if err := c.send(place); err != nil {
			return nil, err
		}
	}
	for flying := len(c.ids); flying > 0; {
		place, err := c.receive()
		if err != nil {
			return nil, err
		}
		now := int(window.Load())
		times[now] = append(times[now], time.Since(c.sent[place]))
		if now == last {
			flying--
		} else if err := c.send(place); err != nil {
			return nil, err
		}
	}
	return times, nil
}

// percentile is one of the sorted times, in milliseconds.
func percentile(sorted []time.Duration, p int) float64 {
	return float64(sorted[len(sorted)*p/100]) / 1e6
}
