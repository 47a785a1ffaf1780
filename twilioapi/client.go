// Package twilioapi is what Twilio is told: the calls of the Conversations API,
// version 1, that the tools make, and nothing else.
//
// A [Client] calls as https://www.twilio.com/docs/usage/requests-to-twilio
// describes (HTTP Basic, forms with repeated keys), repeats what may be
// repeated, and hands back Twilio's own JSON. What goes wrong has one of four
// types: [UnsentError], [NoAnswerError], [Error] and [OutcomeUnknownError].
package twilioapi

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

// DefaultTimeout bounds a call where [Config] says nothing.
const DefaultTimeout = 30 * time.Second

// A page of webhooks is at most some 20 kB; more than ten times that is somebody
// else's.
const (
	maxAnswer = 256 << 10
	maxHeader = 64 << 10
)

// Config says where Twilio is and how to call it.
type Config struct {
	// BaseURL is the scheme and host of the API. It switches Edge and Region
	// off. Empty: Twilio's own host.
	BaseURL string
	// Edge and Region choose the host by the rule of
	// https://www.twilio.com/docs/global-infrastructure; an edge alone means
	// region us1.
	Edge, Region string
	// ServiceSID, if set, sends calls to the conversations of that Service
	// (IS...) instead of the account's default one.
	ServiceSID string
	// Connections to Twilio are kept when idle: as many as there are calls at
	// once, or each further call dials again. Zero: 32.
	Connections int
	// Credentials returns the credentials of a call; see also
	// [Client.WithCredentials].
	Credentials CredentialsFunc
	// Timeout bounds each call in all. Zero: [DefaultTimeout].
	Timeout time.Duration
	// Version is this program's, for the User-Agent.
	Version string
	// Sleep waits between attempts, or returns the context's error. Nil: by the
	// real clock.
	Sleep func(context.Context, time.Duration) error
}

// A Result is what a call returned.
type Result struct {
	JSON json.RawMessage // Twilio's own JSON without white space; nil after an error
	Info CallInfo        // set after an error too
}

// CallInfo describes a call for the log. It holds nothing of the request or the
// response body.
type CallInfo struct {
	Status     int    // HTTP status of the last response; 0 if there was none
	Code       int    // Twilio's error code; 0 if there was none
	RequestID  string // Twilio's id of the request (RQ...); empty if it gave none
	Attempts   int    // how often the request was sent; 0 if it never was
	Reconciled bool   // whether a create of unknown outcome was found by listing
}

// Credentials open Twilio's API by HTTP Basic: an API key and its secret, or an
// account SID and its auth token. They print as "[secret]".
type Credentials struct{ Username, Password string }

// String hides the credentials from fmt and from logs.
func (Credentials) String() string { return "[secret]" }

// GoString hides the credentials from fmt's %#v.
func (Credentials) GoString() string { return "[secret]" }

// A CredentialsFunc returns the credentials for one call, or an error that says
// which ones are missing and how to give them.
type CredentialsFunc func() (Credentials, error)

// A Client calls Twilio. It is safe for concurrent use, and any number of
// callers share its connections.
type Client struct {
	transport   *http.Transport
	root        string
	userAgent   string
	timeout     time.Duration
	credentials CredentialsFunc
	sleep       func(context.Context, time.Duration) error
	known       *memory
}

// New returns a client, or an error that names the setting that does not fit.
func New(c Config) (*Client, error) {
	base, err := baseURL(c)
	if err != nil {
		return nil, err
	}
	root := base + "/v1"
	if c.ServiceSID != "" {
		if !serviceSID.MatchString(c.ServiceSID) {
			return nil, errors.New("the Service SID must be IS and 32 hexadecimal digits")
		}
		root += "/Services/" + c.ServiceSID
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns = cmp.Or(c.Connections, 32)
	transport.MaxIdleConnsPerHost = transport.MaxIdleConns
	transport.MaxResponseHeaderBytes = maxHeader
	return &Client{
		transport: transport,
		root:      root,
		userAgent: fmt.Sprintf("twilio-conversations-mcp/%s (%s %s) go/%s",
			c.Version, runtime.GOOS, runtime.GOARCH, strings.TrimPrefix(runtime.Version(), "go")),
		timeout:     cmp.Or(c.Timeout, DefaultTimeout),
		credentials: c.Credentials,
		sleep:       c.Sleep,
		known:       newMemory(),
	}, nil
}

var (
	serviceSID = regexp.MustCompile(`^IS[0-9a-fA-F]{32}$`)
	hostLabel  = regexp.MustCompile(`^[a-z0-9-]+$`)
)

// baseURL returns scheme and host, without a slash at the end.
func baseURL(c Config) (string, error) {
	if c.BaseURL != "" {
		u, err := url.Parse(c.BaseURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return "", errors.New("the base URL must be an http or https URL with a host, such as https://conversations.twilio.com")
		}
		if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return "", errors.New("the base URL is scheme and host only, without path or query, such as https://conversations.twilio.com")
		}
		return u.Scheme + "://" + u.Host, nil
	}
	host := "conversations"
	if c.Edge != "" {
		host, c.Region = host+"."+c.Edge, cmp.Or(c.Region, "us1")
	}
	if c.Region != "" {
		host += "." + c.Region
	}
	if !hostLabel.MatchString(cmp.Or(c.Edge, "none")) || !hostLabel.MatchString(cmp.Or(c.Region, "none")) {
		return "", errors.New("edge and region are one lower-case name each, such as dublin and ie1")
	}
	return "https://" + host + ".twilio.com", nil
}

// A response is Twilio's answer to what was asked.
type response struct {
	body json.RawMessage // a JSON object
	exchange
}

// An exchange is what an answer says outside its body.
type exchange struct {
	status         int
	requestID      string
	date           string    // by Twilio's clock, in whole seconds
	sent, received time.Time // by ours
	attempts       int       // up to this one
}

// A call is what the requests of one call have in common.
type call struct {
	conversation string // SID or unique name
	credentials  Credentials
}

// WithCredentials returns a client that uses other credentials. It shares
// everything else with c.
func (c *Client) WithCredentials(credentials Credentials) *Client {
	other := *c
	other.credentials = func() (Credentials, error) { return credentials, nil }
	return &other
}

// begin asks for the credentials of a call.
func (c *Client) begin(conversation string) (call, error) {
	credentials, err := c.credentials()
	if err != nil {
		return call{}, &UnsentError{err}
	}
	return call{conversation, credentials}, nil
}

// do makes one request about the webhooks of a conversation, and repeats it
// while it may and ctx lasts.
func (c *Client) do(ctx context.Context, method string, to call, params url.Values) (*response, error) {
	return c.retry(ctx, method, func() (*response, error) { return c.send(ctx, method, to, params) })
}

// callInfo describes a call that ended with a response or an error.
func callInfo(res *response, err error) CallInfo {
	if res != nil {
		return CallInfo{Status: res.status, RequestID: res.requestID, Attempts: res.attempts}
	}
	if refused, ok := errors.AsType[*Error](err); ok {
		return CallInfo{Status: refused.Status, Code: refused.Code, RequestID: refused.RequestID, Attempts: refused.Attempts}
	}
	if unanswered, ok := errors.AsType[*NoAnswerError](err); ok {
		return CallInfo{Attempts: unanswered.Attempts}
	}
	return CallInfo{}
}

// send makes one request, once. It goes to the transport itself, because an
// http.Client would follow redirects and keep cookies, and copies headers for
// that.
func (c *Client) send(ctx context.Context, method string, to call, params url.Values) (*response, error) {
	var reached, multiplexed atomic.Bool
	if method != http.MethodGet {
		var cancel context.CancelFunc
		ctx, cancel = cancelUntil(ctx, &reached)
		defer cancel()
	}
	req, err := c.request(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(got httptrace.GotConnInfo) {
			reached.Store(true)
			secure, ok := got.Conn.(*tls.Conn)
			multiplexed.Store(ok && secure.ConnectionState().NegotiatedProtocol == "h2")
		},
	}), method, to, params)
	if err != nil {
		return nil, &UnsentError{err}
	}
	if req.Body != nil {
		sendBodyOnce(req, &multiplexed)
	}
	sent := time.Now()
	res, err := c.transport.RoundTrip(req)
	if err != nil {
		return nil, &NoAnswerError{Sent: reached.Load(), Reason: shown(err.Error(), req), Err: err, sent: sent}
	}
	defer res.Body.Close()
	return answer(res, exchange{
		status:    res.StatusCode,
		requestID: shown(res.Header.Get("Twilio-Request-Id"), req),
		date:      res.Header.Get("Date"),
		sent:      sent,
		received:  time.Now(),
	})
}

// sendBodyOnce keeps net/http from sending a body again that it has begun to
// send over HTTP/2. There it does so, unasked, when the peer resets the stream
// with REFUSED_STREAM or PROTOCOL_ERROR, whatever the peer has done before. Over
// HTTP/1 it does so only when nothing was written.
func sendBodyOnce(req *http.Request, multiplexed *atomic.Bool) {
	var begun atomic.Bool
	again := req.GetBody
	req.Body = &watchedBody{req.Body, &begun}
	req.GetBody = func() (io.ReadCloser, error) {
		if begun.Load() && multiplexed.Load() {
			return nil, errors.New("a create is sent only once")
		}
		body, err := again()
		return &watchedBody{body, &begun}, err
	}
}

// A watchedBody notes that it was read from.
type watchedBody struct {
	io.ReadCloser
	read *atomic.Bool
}

func (b *watchedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.ReadCloser.Read(p)
}

// cancelUntil returns a context with the deadline of ctx, which ctx cancels only
// until something has happened. A write that is on its way is not given up:
// nobody would know whether it was carried out.
func cancelUntil(ctx context.Context, happened *atomic.Bool) (context.Context, context.CancelFunc) {
	deadline, _ := ctx.Deadline()
	lasting, cancel := context.WithDeadline(context.WithoutCancel(ctx), deadline)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) && !happened.Load() {
			cancel()
		}
	})
	return lasting, func() { stop(); cancel() }
}

func (c *Client) request(ctx context.Context, method string, to call, params url.Values) (*http.Request, error) {
	path, err := webhooksPath(to.conversation)
	if err != nil {
		return nil, err
	}
	req, err := newRequest(ctx, method, c.root+path, params)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", c.userAgent)
	req.SetBasicAuth(to.credentials.Username, to.credentials.Password)
	return req, nil
}

// newRequest puts the parameters where the method has them: in a form, or in
// the query.
func newRequest(ctx context.Context, method, address string, params url.Values) (*http.Request, error) {
	encoded := params.Encode()
	if method != http.MethodPost {
		if encoded != "" {
			address += "?" + encoded
		}
		return http.NewRequestWithContext(ctx, method, address, nil)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(encoded))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}

// webhooksPath keeps the conversation's name in one element of the path,
// whatever it holds. It refuses what no path element can say.
func webhooksPath(conversation string) (string, error) {
	if conversation == "" || conversation == "." || conversation == ".." {
		return "", errors.New(`ConversationSid must not be empty, "." or ".."; it is a SID (CH...) or a unique name`)
	}
	return "/Conversations/" + url.PathEscape(conversation) + "/Webhooks", nil
}

// answer reads the body of a response to its limit, and takes the white space
// out of JSON. Whatever the body is like, the status is kept.
func answer(res *http.Response, e exchange) (*response, error) {
	var body bytes.Buffer
	body.Grow(int(max(0, min(res.ContentLength, maxAnswer))) + bytes.MinRead)
	_, err := body.ReadFrom(io.LimitReader(res.Body, maxAnswer+1))
	fail := func(message string, err error) *Error {
		return &Error{
			Status: e.status, Message: message, Err: err, RequestID: e.requestID,
			RetryAfter: retryAfter(res.Header.Get("Retry-After"), e.date), exchange: e,
		}
	}
	switch {
	case e.status < 200 || e.status > 299:
		refused := fail("", nil)
		refused.read(body.Bytes(), res.Request)
		return nil, refused
	case err != nil:
		return nil, fail("the answer was cut off", err)
	case body.Len() > maxAnswer:
		return nil, fail("the answer is too large", nil)
	}
	text := bytes.TrimSpace(body.Bytes())
	if !utf8.Valid(text) { // it would spoil the whole message to the client
		text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	}
	object, ok := compact(text)
	if !ok || object[0] != '{' {
		return nil, fail("the answer is no JSON object", nil)
	}
	return &response{body: object, exchange: e}, nil
}
