package twilioapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"sync"
	"time"
)

// maxBody limits the body of a response, in bytes. A page of webhooks has at most
// about 20 kB.
const maxBody = 256 << 10

// A response is a response that was accepted.
type response struct {
	body json.RawMessage // a JSON object
	responseMeta
}

// responseMeta is what a response says outside its body.
type responseMeta struct {
	status         int
	requestID      string
	date           string    // the server's clock, in whole seconds
	sent, received time.Time // our clock
	attempts       int       // up to this response
}

// bodies are buffers that readResponse can use again.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readResponse reads the body of a response up to its limit and decodes it; decode
// must not keep the body. Whatever the body is, an error has the status.
func (c *Client) readResponse(ctx context.Context, res *http.Response, meta responseMeta, r request) (*response, error) {
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	limit := cmp.Or(r.maxBody, maxBody)
	body, err := readBody(ctx, res, buffer, limit)
	fail := func(message string, err error) *Error {
		return &Error{
			Status: meta.status, Message: message, Err: err, RequestID: meta.requestID,
			RetryAfter: retryAfter(res.Header.Get("Retry-After"), meta.date), meta: meta,
		}
	}
	switch {
	case meta.status < 200 || meta.status > 299:
		failure := fail("", nil)
		failure.setDetails(body, func(s string) string { return c.sanitize(s, res.Request) })
		return nil, failure
	case err != nil:
		return nil, fail("the response was cut off", err)
	case len(body) > limit:
		return nil, fail("the response is too large", nil)
	}
	object, err := r.decode(meta, body)
	if err != nil {
		return nil, fail(err.Error(), nil)
	}
	return &response{object, meta}, nil
}

// readBody reads at most one byte more than the limit, and no longer than ctx
// lasts. The body of a status below 200 is the connection itself, which may stay
// open without end: it is only closed.
func readBody(ctx context.Context, res *http.Response, buffer *bytes.Buffer, limit int) ([]byte, error) {
	defer res.Body.Close()
	buffer.Reset()
	if res.StatusCode < 200 {
		return nil, nil
	}
	defer context.AfterFunc(ctx, func() { _ = res.Body.Close() })()
	buffer.Grow(int(max(0, min(res.ContentLength, int64(limit)))) + bytes.MinRead)
	_, err := buffer.ReadFrom(io.LimitReader(res.Body, int64(limit)+1))
	if err != nil {
		err = cmp.Or(ctx.Err(), err)
	}
	return buffer.Bytes(), err
}
