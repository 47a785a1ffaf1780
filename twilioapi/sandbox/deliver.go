package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"twilio-conversations-mcp/internal/signature"
)

const (
	deliveryTime  = 5 * time.Second // for a receiver to answer
	maxQueue      = 20_000          // deliveries that wait, in all
	maxDeliveries = 1000            // deliveries that are kept, the newest ones
	maxAnswer     = 64 << 10        // bytes of an answer that are read
	maxKept       = 4 << 10         // bytes of an answer that are kept
	maxRedirects  = 10
)

// A Delivery is a webhook request that the sandbox sent, or a Flow that it would have run.
type Delivery struct {
	ID           int       `json:"id"`
	Time         time.Time `json:"time"`
	Conversation string    `json:"conversation"`
	Webhook      string    `json:"webhook"` // SID, or the level: account or service
	Event        string    `json:"event"`
	URL          string    `json:"url"` // as it was called; empty for a Flow
	Flow         string    `json:"flow,omitempty"`
	Method       string    `json:"method,omitempty"`
	Status       int       `json:"status"`         // of the answer; 0: there was none
	Error        string    `json:"error"`          // why it failed; empty: it did not
	Code         int       `json:"code,omitempty"` // of the alert
	Milliseconds float64   `json:"ms"`
	Signature    string    `json:"signature"`
	Token        string    `json:"idempotency_token"`
	Body         string    `json:"body"`     // the form that was sent, or would be
	Answer       string    `json:"response"` // the beginning of the body

	service string
}

// A job is a delivery that waits.
type job struct {
	Delivery
	fields url.Values
}

// newJob returns the delivery of an event to a webhook.
func newJob(c *conversation, hook string, to configuration, event string, fields url.Values) job {
	token := make([]byte, 16)
	rand.Read(token) // never fails
	return job{fields: fields, Delivery: Delivery{
		Conversation: c.sid, service: c.service.sid, Webhook: hook, Event: event, Flow: to.FlowSID, Method: to.Method,
		URL: calledURL(to.URL), Token: fmt.Sprintf("%x", token), Body: fields.Encode(),
	}}
}

// calledURL returns the URL that a receiver is called at: without the fragment, which is for Twilio.
func calledURL(address string) string {
	address, _, _ = strings.Cut(address, "#")
	return address
}

// Deliveries returns the last deliveries, at most a thousand, the newest last.
func (s *Sandbox) Deliveries() []Delivery {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Delivery{}, s.deliveries[max(0, len(s.deliveries)-maxDeliveries):]...)
}

// deliver queues the delivery of an event. Those of one webhook are delivered in their order, those of several at the
// same time. The caller holds s.mu.
func (s *Sandbox) deliver(c *conversation, hook string, to configuration, event string, fields url.Values) {
	s.enqueue(newJob(c, hook, to, event, fields))
}

// enqueue queues a job. The caller holds s.mu.
func (s *Sandbox) enqueue(j job) {
	switch {
	case j.Flow != "": // it is recorded, and does not run
		s.record(j.Delivery)
	case s.deliverTo == DeliverNone:
		j.Error = "not delivered: --deliver none"
		s.record(j.Delivery)
	case s.queued >= maxQueue:
		j.Error = "not delivered: too many deliveries wait"
		s.record(j.Delivery)
	default:
		s.queued++
		key := j.Conversation + j.Webhook
		waiting, isRunning := s.queues[key]
		s.queues[key] = append(waiting, j)
		if !isRunning {
			go s.work(key)
		}
	}
}

// work delivers the jobs of a queue until it is empty.
func (s *Sandbox) work(key string) {
	for {
		s.mu.Lock()
		if len(s.queues[key]) == 0 {
			delete(s.queues, key)
			s.mu.Unlock()
			return
		}
		j := s.queues[key][0]
		s.queues[key] = s.queues[key][1:]
		s.queued--
		s.mu.Unlock()
		s.slots <- struct{}{}
		s.request(j)
		<-s.slots
	}
}

// record keeps a delivery. The caller holds s.mu.
func (s *Sandbox) record(d Delivery) {
	s.delivered++
	d.ID, d.Time = s.delivered, s.now().UTC()
	s.deliveries = append(s.deliveries, d)
	if len(s.deliveries) >= 2*maxDeliveries {
		s.deliveries = append([]Delivery{}, s.deliveries[len(s.deliveries)-maxDeliveries:]...)
	}
}

// request sends a webhook request, and records it with its answer. A failure is an alert.
func (s *Sandbox) request(j job) Delivery {
	d := j.Delivery
	start := time.Now()
	res, err := s.do(&d, j.fields)
	var answer []byte
	headers := ""
	if err == nil {
		answer, _ = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		_ = res.Body.Close()
		var b bytes.Buffer
		_ = res.Header.Write(&b)
		headers = clip(b.String())
	}
	d.Milliseconds = float64(time.Since(start).Microseconds()) / 1000
	d.Code, d.Error = failure(res, err)
	if d.Answer = clip(string(answer)); res != nil {
		d.Status = res.StatusCode
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record(d)
	if d.Code != 0 {
		s.addAlert(d, d.Answer, headers, s.now())
	}
	return d
}

func clip(text string) string { return text[:min(len(text), maxKept)] }

// do sends the request as Twilio does.
func (s *Sandbox) do(d *Delivery, fields url.Values) (*http.Response, error) {
	u, err := url.Parse(d.URL)
	if err != nil {
		return nil, err
	}
	form, body := fields, d.Body
	if d.Method == http.MethodGet {
		form, body, u.RawQuery = nil, "", strings.TrimPrefix(u.RawQuery+"&"+d.Body, "&")
	}
	if u.Path == "" {
		u.Path = "/"
	}
	user := u.User // is sent as HTTP Basic; that it does not count for the signature is not documented
	u.User = nil
	d.Signature = signature.Sign(s.authToken, u.String(), form)
	d.URL = u.String()
	ctx, cancel := context.WithTimeout(context.Background(), deliveryTime)
	req, err := http.NewRequestWithContext(ctx, d.Method, d.URL, strings.NewReader(body))
	if err != nil {
		cancel()
		return nil, err
	}
	if user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	if d.Method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	req.Header.Set("Accept", "*/*")
	req.Header.Set("User-Agent", "TwilioProxy/1.1")
	req.Header.Set("I-Twilio-Idempotency-Token", d.Token)
	req.Header.Set(signature.Header, d.Signature)
	res, err := s.client.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	res.Body = &cancelledBody{res.Body, cancel}
	return res, nil
}

// A cancelledBody releases the time limit of a request when its body is closed.
type cancelledBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *cancelledBody) Close() error { defer b.cancel(); return b.ReadCloser.Close() }

// failure returns the code of the alert about a delivery that failed, and what happened, or 0:
// https://www.twilio.com/docs/api/errors.
func failure(res *http.Response, err error) (code int, text string) {
	if err == nil {
		switch status := res.StatusCode; {
		case status >= 400:
			return 11217, fmt.Sprintf("the receiver answered %d", status)
		case status >= 300:
			return 11216, fmt.Sprintf("the receiver answered %d without a valid redirect", status)
		default:
			return 0, ""
		}
	}
	text = strings.TrimSpace(err.Error())
	switch {
	case errors.Is(err, errRedirects):
		return 11215, text
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return 11200, "the receiver did not answer within 5 seconds"
	case as[*net.DNSError](err):
		return 11210, text
	case as[x509.HostnameError](err):
		return 11235, text
	case as[x509.CertificateInvalidError](err):
		return 11236, text
	case as[x509.UnknownAuthorityError](err):
		return 11237, text
	case as[tls.RecordHeaderError](err), as[tls.AlertError](err):
		return 11220, text
	case errors.Is(err, errNotAllowed), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), as[*net.OpError](err):
		return 11205, text
	default:
		return 11206, text
	}
}

func as[E error](err error) bool { _, ok := errors.AsType[E](err); return ok }

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

var (
	errRedirects  = errors.New("too many redirects")
	errNotAllowed = errors.New("the sandbox delivers to loopback addresses only; --deliver any allows others")
)

// newDeliverer returns the client that sends webhooks. Which address it connects to is judged when it connects,
// because a name can resolve to another one each time. No proxy is used.
func newDeliverer(to Deliver) *http.Client {
	dialer := &net.Dialer{Timeout: deliveryTime}
	if to != DeliverAny {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			if at, err := netip.ParseAddrPort(address); err == nil && at.Addr().Unmap().IsLoopback() {
				return nil
			}
			return errNotAllowed
		}
	}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConns: 32, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute,
		TLSHandshakeTimeout: deliveryTime, MaxResponseHeaderBytes: maxAnswer}
	return &http.Client{Transport: transport, CheckRedirect: func(_ *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return errRedirects
		}
		return nil
	}}
}
