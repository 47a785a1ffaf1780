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

	jsonv2 "github.com/go-json-experiment/json"
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

// bodies holds buffers that are not in use.
var bodies = sync.Pool{New: func() any { return new(body) }}

// A body is a buffer for the body of a response.
type body struct {
	bytes.Buffer
	limited io.LimitedReader
}

// readResponse reads the body of a response up to its limit and decodes it; decode
// must not keep the body.
func (c *Client) readResponse(ctx context.Context, res *http.Response, meta responseMeta, r *request) (*response, *Error) {
	b := bodies.Get().(*body)
	defer b.free()
	limit := cmp.Or(r.maxBody, maxBody)
	err := b.read(ctx, res, limit)
	switch {
	case meta.status < 200 || meta.status > 299:
		return nil, c.readError(res, meta, b.Bytes())
	case err != nil:
		failure := unusable(r.method, meta, "the response was cut off")
		failure.Err = err
		return nil, failure
	case b.Len() > limit:
		return nil, unusable(r.method, meta, "the response is too large")
	}
	object, err := r.decode(meta, b.Bytes())
	if err != nil {
		failure := unusable(r.method, meta, err.Error())
		if err == errNotAnObject {
			failure.Body = clip(c.sanitize(words(b.Bytes()), res.Request), maxWords)
		}
		return nil, failure
	}
	return &response{object, meta}, nil
}

// unusable returns the error of a 2xx response that cannot be used.
func unusable(method string, meta responseMeta, problem string) *Error {
	return &Error{Outcome: failed(method), Status: meta.status, Message: problem, RequestID: meta.requestID, Attempts: meta.attempts, meta: meta}
}

// read reads at most one byte more than the limit. net/http ends it with ctx. The
// body of a status below 200 is the connection itself, which may stay open without
// end: it is only closed.
func (b *body) read(ctx context.Context, res *http.Response, limit int) error {
	defer res.Body.Close()
	if res.StatusCode < 200 {
		return nil
	}
	b.Grow(int(max(0, min(res.ContentLength, int64(limit)))) + bytes.MinRead)
	b.limited = io.LimitedReader{R: res.Body, N: int64(limit) + 1}
	_, err := b.ReadFrom(&b.limited)
	if err != nil {
		err = cmp.Or(ctx.Err(), err)
	}
	return err
}

// free makes the buffer available to others, unless it is large.
func (b *body) free() {
	if b.Cap() > maxBody {
		return
	}
	b.Reset()
	b.limited.R = nil
	bodies.Put(b)
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
	if object, err := decodeObject(body, "", e.visit); err == nil {
		e.addDetail(object)
	}
	if e.Code == 0 && e.Message == "" {
		e.Body = clip(c.sanitize(words(body), res.Request), maxWords)
	}
	e.Message = c.sanitize(e.Message, res.Request)
	e.MoreInfo = c.sanitize(e.MoreInfo, res.Request)
	return e
}

// addDetail adds what some of Twilio's errors say beyond the message: a detail, and
// the name of the parameter.
func (e *Error) addDetail(object json.RawMessage) {
	var more struct{ Detail, Params jsontext.Value }
	var params struct{ Field jsontext.Value }
	_ = jsonv2.Unmarshal(object, &more, jsonv2.MatchCaseInsensitiveNames(true))
	_ = jsonv2.Unmarshal(more.Params, &params, jsonv2.MatchCaseInsensitiveNames(true))
	if detail := text(more.Detail); detail != "" && detail != e.Message {
		e.Message = strings.TrimPrefix(e.Message+": "+detail, ": ")
	}
	if field := text(params.Field); field != "" && !strings.Contains(e.Message, field) {
		e.Message += " (" + field + ")"
	}
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
