package twilioapi

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

const maxHeader = 64 << 10 // bytes of a response's header

// transports has one transport that keeps idle connections and one that does
// not. Over HTTP/1.1 a response belongs to a request only by its order on the
// connection: if a server or a proxy sends one response too many, the next
// request on that connection gets it. A request of the second transport is the
// only one on its connection: a write, and a read that decides about a write. HTTP/2
// numbers its responses, so there each transport sends all requests on one connection.
type transports struct{ shared, isolated *http.Transport }

func newTransports(c Config) transports {
	shared := http.DefaultTransport.(*http.Transport).Clone()
	shared.MaxIdleConns = cmp.Or(c.Connections, 32)
	shared.MaxIdleConnsPerHost = shared.MaxIdleConns
	shared.MaxResponseHeaderBytes = maxHeader
	shared.WriteBufferSize = 1 << 10 // a request is rarely longer, and each connection has a buffer
	shared.TLSClientConfig = &tls.Config{RootCAs: c.RootCAs}
	shared.OnProxyConnectResponse = refusedByProxy
	isolated := shared.Clone()
	// A negative limit closes HTTP/1.1 connections after one request, but not
	// HTTP/2 connections, as DisableKeepAlives would. Resuming TLS sessions makes
	// up for a part of the cost.
	isolated.MaxIdleConnsPerHost = -1
	isolated.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	if c.IsolateReads {
		return transports{isolated, isolated}
	}
	return transports{shared, isolated}
}

func (t transports) of(r *request) *http.Transport {
	if r.method == http.MethodGet && !r.isolated {
		return t.shared
	}
	return t.isolated
}

// send sends a request once. It calls the transport itself, because an
// http.Client would follow redirects, keep cookies and copy headers.
func (c *Client) send(ctx context.Context, r *request) (*response, *Error) {
	var conn connState
	if r.method != http.MethodGet {
		var cancel context.CancelFunc
		ctx, cancel = cancelOnlyBefore(ctx, &conn.used)
		defer cancel()
	}
	req, err := c.newRequest(conn.observe(ctx), r)
	if err != nil {
		return nil, notSent(err)
	}
	if req.Body != nil {
		sendBodyOnce(req, &conn.isHTTP2)
	}
	sent := time.Now()
	res, err := c.of(r).RoundTrip(req)
	c.observeResponse(r.method, res, time.Since(sent))
	if err != nil {
		failure := &Error{Outcome: NotSent, Message: c.sanitize(err.Error(), req), Err: err, meta: responseMeta{sent: sent}}
		if conn.used.Load() {
			failure.Outcome = failed(r.method)
		}
		failure.classify()
		return nil, failure
	}
	meta := responseMeta{
		status:    res.StatusCode,
		requestID: res.Header.Get("Twilio-Request-Id"),
		date:      res.Header.Get("Date"),
		sent:      sent,
		received:  time.Now(),
	}
	if !isSID("RQ", meta.requestID) || strings.Contains(meta.requestID, r.credentials.Password) {
		meta.requestID = c.sanitize(meta.requestID, req)
	}
	return c.readResponse(ctx, res, meta, r)
}

func (c *Client) observeResponse(method string, res *http.Response, d time.Duration) {
	if c.onResponse == nil {
		return
	}
	status := 0
	if res != nil {
		status = res.StatusCode
	}
	c.onResponse(method, status, d)
}

// classify marks the errors of settings, which another attempt does not change.
func (e *Error) classify() {
	_, untrusted := errors.AsType[*tls.CertificateVerificationError](e.Err)
	operation, _ := errors.AsType[*net.OpError](e.Err)
	switch {
	case untrusted:
		e.Err, e.Permanent = fmt.Errorf("%w: %w", ErrCertificate, e.Err), true
	case operation != nil && operation.Op == "proxyconnect":
		e.Err, e.Permanent = fmt.Errorf("%w: %w", ErrProxy, e.Err), true
	case errors.Is(e.Err, ErrProxy):
		e.Permanent = true
	}
}

// refusedByProxy returns the error of a proxy that refuses to connect. One that fails
// to may succeed later.
func refusedByProxy(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
	switch {
	case res.StatusCode == http.StatusOK:
		return nil
	case res.StatusCode < 500:
		return fmt.Errorf("%w: it answered %s", ErrProxy, res.Status)
	default:
		return fmt.Errorf("the proxy answered %s", res.Status)
	}
}

// A connState is what is known of the connection of a request. net/http sets it
// from its own goroutines.
type connState struct {
	used    atomic.Bool // the request has a connection, and may have been sent
	isHTTP2 atomic.Bool
	trace   httptrace.ClientTrace
}

func (s *connState) observe(ctx context.Context) context.Context {
	s.trace.GotConn = s.gotConn
	return httptrace.WithClientTrace(ctx, &s.trace)
}

func (s *connState) gotConn(got httptrace.GotConnInfo) {
	s.used.Store(true)
	secure, ok := got.Conn.(*tls.Conn)
	s.isHTTP2.Store(ok && secure.ConnectionState().NegotiatedProtocol == "h2")
}

// sendBodyOnce keeps net/http from sending a body again that it has begun to
// send over HTTP/2. There it does so by itself when the peer resets the stream
// with REFUSED_STREAM or PROTOCOL_ERROR, whatever the peer has done before. Over
// HTTP/1.1 it does so only if nothing was written.
func sendBodyOnce(req *http.Request, isHTTP2 *atomic.Bool) {
	var begun atomic.Bool
	getBody := req.GetBody
	req.Body = &trackedBody{req.Body, &begun}
	req.GetBody = func() (io.ReadCloser, error) {
		if begun.Load() && isHTTP2.Load() {
			return nil, errors.New("the request may have been carried out and is sent only once")
		}
		body, err := getBody()
		return &trackedBody{body, &begun}, err
	}
}

// A trackedBody records that it was read from.
type trackedBody struct {
	io.ReadCloser
	read *atomic.Bool
}

func (b *trackedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.ReadCloser.Read(p)
}

// cancelOnlyBefore returns a context with the deadline of ctx, which ctx cancels
// only before the event. A write that may have reached Twilio is not abandoned,
// because its response says whether it was carried out.
func cancelOnlyBefore(ctx context.Context, event *atomic.Bool) (context.Context, context.CancelFunc) {
	deadline, _ := ctx.Deadline()
	detached, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) && !event.Load() {
			cancel()
		}
	})
	return detached, func() { stop(); cancel() }
}
