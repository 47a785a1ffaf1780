package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
)

// The messages that a client sends.
const (
	initialize  = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}`
	initialized = `{"jsonrpc":"2.0","method":"notifications/initialized"}`
	toolCall    = `{"jsonrpc":"2.0","id":100000000,"method":"tools/call","params":{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}}`

	firstID  = 100_000_000 // the id of toolCall; all ids have the same length
	idLength = 9
)

// handshake initializes a server and makes a first call. It returns what to
// expect of all other calls, given the API's response.
func (c *conn) handshake(page []byte) (*expectation, error) {
	response, err := c.roundTrip(initialize)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(response, []byte(`"serverInfo"`)) {
		return nil, fmt.Errorf("wrong response to initialize: %.300s", response)
	}
	if !c.isHTTP() { // over HTTP a server need not keep state
		if err := c.send(initialized); err != nil {
			return nil, err
		}
	}
	if response, err = c.roundTrip(toolCall); err != nil {
		return nil, err
	}
	return newExpectation(response, page)
}

// An expectation is a correct response to toolCall, split around its id. The
// responses to equal calls differ only in their ids, so checking one is a
// comparison of bytes, which costs the load client little time.
type expectation struct{ before, after []byte }

// newExpectation parses and checks the response to toolCall. The text must be
// the bytes of the API's response and the structured content the same JSON.
func newExpectation(response, page []byte) (*expectation, error) {
	var m struct {
		ID     int
		Result struct {
			Content           []struct{ Text string }
			StructuredContent any
			IsError           bool
		}
	}
	var structured any
	if err := errors.Join(json.Unmarshal(response, &m), json.Unmarshal(page, &structured)); err != nil {
		return nil, fmt.Errorf("%w: %.300s", err, response)
	}
	r := m.Result
	before, after, found := bytes.Cut(response, []byte(strconv.Itoa(firstID)))
	if !found || m.ID != firstID || r.IsError ||
		len(r.Content) != 1 || r.Content[0].Text != string(page) || !reflect.DeepEqual(r.StructuredContent, structured) {
		return nil, fmt.Errorf("wrong response: %.1000s", response)
	}
	return &expectation{slices.Clone(before), slices.Clone(after)}, nil
}

// match returns the id of a response, and whether the rest is as expected.
func (e *expectation) match(response []byte) (id int, ok bool) {
	if len(response) != len(e.before)+idLength+len(e.after) || !bytes.HasPrefix(response, e.before) || !bytes.HasSuffix(response, e.after) {
		return 0, false
	}
	id, err := strconv.Atoi(string(response[len(e.before):][:idLength]))
	return id, err == nil
}
