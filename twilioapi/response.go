package twilioapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json/jsontext"
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
// must not keep the body.
func (c *Client) readResponse(ctx context.Context, res *http.Response, meta responseMeta, r request) (*response, *Error) {
	buffer := bodies.Get().(*bytes.Buffer)
	defer bodies.Put(buffer)
	limit := cmp.Or(r.maxBody, maxBody)
	body, err := readBody(ctx, res, buffer, limit)
	switch {
	case meta.status < 200 || meta.status > 299:
		return nil, c.readError(res, meta, body)
	case err != nil:
		failure := unusable(r.method, meta, "the response was cut off")
		failure.Err = err
		return nil, failure
	case len(body) > limit:
		return nil, unusable(r.method, meta, "the response is too large")
	}
	object, err := r.decode(meta, body)
	if err != nil {
		return nil, unusable(r.method, meta, err.Error())
	}
	return &response{object, meta}, nil
}

// unusable returns the error of a 2xx response that cannot be used.
func unusable(method string, meta responseMeta, problem string) *Error {
	return &Error{Outcome: failed(method), Status: meta.status, Message: problem, RequestID: meta.requestID, Attempts: meta.attempts, meta: meta}
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

// readError reads the response to a request that was not successful. Whatever the
// body is, the error has the status.
func (c *Client) readError(res *http.Response, meta responseMeta, body []byte) *Error {
	e := &Error{
		Outcome: failed(res.Request.Method), Status: meta.status, RequestID: meta.requestID,
		RetryAfter: retryAfter(res.Header.Get("Retry-After"), meta.date), meta: meta,
	}
	if isRefusal(meta.status) {
		e.Outcome = Refused
	}
	_, _ = decodeObject(body, "", e.visit)
	e.Message = c.sanitize(e.Message, res.Request)
	e.MoreInfo = c.sanitize(e.MoreInfo, res.Request)
	return e
}

// visit reads a member of Twilio's error body. One of another type than expected is
// left out; the code may be a text.
func (e *Error) visit(name []byte, value jsontext.Value) error {
	switch string(name) {
	case "code":
		code, err := strconv.ParseFloat(strings.Trim(string(value), `"`), 64)
		if err == nil && code == math.Trunc(code) && math.Abs(code) <= math.MaxInt32 {
			e.Code = int(code)
		}
	case "message":
		e.Message = text(value)
	case "more_info":
		e.MoreInfo = text(value)
	}
	return nil
}

// text returns the value of a JSON string, and "" for anything else.
func text(value jsontext.Value) string {
	if value.Kind() != '"' {
		return ""
	}
	unquoted, _ := jsontext.AppendUnquote(nil, value)
	return string(unquoted)
}
