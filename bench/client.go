package main

import (
	"bytes"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"
)

// A client keeps a fixed number of calls in flight on one connection. Each call
// in flight has a slot, which the next call takes over.
type client struct {
	conn     *conn
	want     *expectation
	request  []byte // an encoded call; each call overwrites the id
	idOffset int    // of the id in request
	slots    []slot
}

// A slot describes a call in flight. Its id, less firstID, is the index of the
// slot modulo the number of slots.
type slot struct {
	id      int
	started time.Time
}

// newClients returns a client for each connection. Together they keep the calls
// of the setup in flight.
func newClients(conns []*conn, want *expectation, s setup) []*client {
	var clients []*client
	for _, conn := range conns {
		clients = append(clients, newClient(conn, want, s.inFlight/len(conns)))
	}
	return clients
}

func newClient(conn *conn, want *expectation, inFlight int) *client {
	c := &client{conn: conn, want: want, request: conn.encode(toolCall), slots: make([]slot, inFlight)}
	c.idOffset = bytes.Index(c.request, []byte(strconv.Itoa(firstID)))
	for i := range c.slots {
		c.slots[i].id = firstID + i
	}
	return c
}

// run starts a call for each one that ends, until the phase is over. It then waits
// for the calls in flight. It returns the latencies of the calls that ended while
// they were measured.
func (c *client) run(phase *atomic.Int32) (latencies []time.Duration, err error) {
	for i := range c.slots {
		if err := c.send(&c.slots[i]); err != nil {
			return nil, err
		}
	}
	for inFlight := len(c.slots); inFlight > 0; {
		s, err := c.receive()
		if err != nil {
			return nil, err
		}
		now := phase.Load()
		if now == measured {
			latencies = append(latencies, time.Since(s.started))
		}
		if now == over {
			inFlight--
		} else if err := c.send(s); err != nil {
			return nil, err
		}
	}
	return latencies, nil
}

// send starts the next call of a slot.
func (c *client) send(s *slot) error {
	s.id += len(c.slots)
	strconv.AppendInt(c.request[:c.idOffset], int64(s.id), 10)
	s.started = time.Now()
	_, err := c.conn.w.Write(c.request)
	return err
}

// receive waits for the response to any of the calls in flight, checks it, and
// returns the call's slot.
func (c *client) receive() (*slot, error) {
	response, err := c.conn.read()
	if err != nil {
		return nil, err
	}
	id, ok := c.want.match(response)
	s := &c.slots[max(0, id-firstID)%len(c.slots)]
	if !ok || s.id != id {
		return nil, fmt.Errorf("wrong response: %.1000s", response)
	}
	return s, nil
}
