package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
)

// maxResponse is the maximum size of a response in bytes.
const maxResponse = 512 << 10

// A conn exchanges JSON-RPC messages with a server, as HTTP/1.1 requests on one
// TCP connection or as lines over the standard input and output of a process.
// It does less work per call than an http.Client, because the load client and
// the server share the machine's CPUs.
type conn struct {
	w    io.Writer
	r    *bufio.Reader
	head string       // over HTTP, the request up to the value of Content-Length
	body bytes.Buffer // over HTTP, of the latest response
}

func newStdioConn(in io.Writer, out io.Reader) *conn {
	return &conn{w: in, r: bufio.NewReaderSize(out, maxResponse)}
}

func newHTTPConn(c net.Conn) *conn {
	head := "POST /mcp HTTP/1.1\r\n" +
		"Host: " + c.RemoteAddr().String() + "\r\n" +
		"Content-Type: application/json\r\n" +
		"Accept: application/json, text/event-stream\r\n" +
		"Mcp-Protocol-Version: 2025-06-18\r\n" +
		"Content-Length: "
	return &conn{w: c, r: bufio.NewReaderSize(c, 16<<10), head: head}
}

// isHTTP reports whether c speaks HTTP.
func (c *conn) isHTTP() bool { return c.head != "" }

// encode returns the bytes that carry a message.
func (c *conn) encode(message string) []byte {
	if !c.isHTTP() {
		return []byte(message + "\n")
	}
	return fmt.Appendf(nil, "%s%d\r\n\r\n%s", c.head, len(message), message)
}

// read reads the next response. It is valid until the next call of read.
func (c *conn) read() ([]byte, error) {
	if !c.isHTTP() {
		return c.r.ReadSlice('\n')
	}
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		return nil, err
	}
	c.body.Reset()
	if _, err := c.body.ReadFrom(io.LimitReader(res.Body, maxResponse)); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s: %.300s", res.Status, c.body.Bytes())
	}
	return c.body.Bytes(), nil
}

// roundTrip sends a message and reads the response.
func (c *conn) roundTrip(message string) ([]byte, error) {
	if err := c.send(message); err != nil {
		return nil, err
	}
	return c.read()
}

func (c *conn) send(message string) error {
	_, err := c.w.Write(c.encode(message))
	return err
}
