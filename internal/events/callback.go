package events

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Limits of one request to a callback.
const (
	attemptTime     = 10 * time.Second
	connectTime     = 5 * time.Second
	maxAnswer       = 4 << 10  // bytes of the body that are read
	maxAnswerHeader = 16 << 10 // bytes
)

// callbacks sends requests to the callbacks of subscribers. Nothing leads them to
// an address that is not allowed: addresses are judged when they are dialled, and
// there are neither redirects nor proxies.
type callbacks struct {
	transport *http.Transport
	allowed   []netip.Prefix
	userAgent string
	now       func() time.Time
}

func newCallbacks(o Options) *callbacks {
	c := &callbacks{allowed: o.AllowedCallbacks, userAgent: "twilio-conversations-mcp/" + o.Version, now: time.Now}
	dialer := &net.Dialer{Timeout: connectTime, Control: c.control}
	c.transport = &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs},
		TLSHandshakeTimeout:    connectTime,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           64,
		IdleConnTimeout:        30 * time.Second,
		MaxResponseHeaderBytes: maxAnswerHeader,
		DisableCompression:     true,
	}
	return c
}

var errNotPublic = errors.New("the address is not public")

// control refuses to connect to an address that is not allowed.
func (c *callbacks) control(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil || !c.allows(to.Addr()) {
		return errNotPublic
	}
	return nil
}

func (c *callbacks) allows(ip netip.Addr) bool {
	return isPublic(ip) || slices.ContainsFunc(c.allowed, func(p netip.Prefix) bool { return p.Contains(ip.WithZone("").Unmap()) })
}

// check returns an error if a URL cannot be that of a callback.
func (c *callbacks) check(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" {
		return invalid("delivery.url must be an absolute https URL, such as https://example.com/events")
	}
	if u.User != nil || strings.Contains(text, "#") {
		return invalid("delivery.url must not have a user name or a fragment")
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if u.Scheme == "http" && (err != nil || !ip.IsLoopback() || !c.allows(ip)) {
		return invalid("delivery.url must be an https URL")
	}
	return nil
}

// decodeSecret returns the bytes of a secret of Standard Webhooks.
func decodeSecret(text string) (string, error) {
	encoded, ok := strings.CutPrefix(text, "whsec_")
	secret, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil { // padding may be left out
		secret, err = base64.RawStdEncoding.DecodeString(encoded)
	}
	if !ok || err != nil || len(secret) < 24 || len(secret) > 64 {
		return "", invalid("delivery.secret must be whsec_ followed by the Base64 encoding of 24 to 64 random bytes")
	}
	return string(secret), nil
}

// post sends a message with an id to the callback of a subscription, signed as
// https://github.com/standard-webhooks/standard-webhooks says. It returns the
// status and the first bytes of the answer.
func (c *callbacks) post(ctx context.Context, s *subscription, id string, body []byte) (int, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.callback, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	timestamp := strconv.FormatInt(c.now().Unix(), 10)
	for name, value := range map[string]string{
		"Content-Type":          "application/json",
		"User-Agent":            c.userAgent,
		"X-MCP-Subscription-Id": s.ID(),
		"webhook-id":            id,
		"webhook-timestamp":     timestamp,
		"webhook-signature":     sign(s.secret, id, timestamp, body),
	} {
		req.Header.Set(name, value)
	}
	res, err := c.transport.RoundTrip(req) // an http.Client would follow redirects
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	var answer []byte
	if res.StatusCode/100 == 2 { // the body of status 101 is a connection that may never end
		answer, _ = io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	}
	return res.StatusCode, answer, nil
}

// sign returns the signature of a message.
func sign(secret, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%s.%s.%s", id, timestamp, body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// verify asks a callback whether it wants the events of a subscription.
func (c *callbacks) verify(ctx context.Context, s *subscription) error {
	challenge := rand.Text()
	body, _ := json.Marshal(map[string]string{"type": "verification", "challenge": challenge})
	status, answer, err := c.post(ctx, s, messageID("verification"), body)
	var echo struct{ Challenge string }
	reason := ""
	switch {
	case err != nil:
		reason = reasonOf(err)
	case status >= 500:
		reason = "http_5xx"
	case status >= 400:
		reason = "http_4xx"
	case status/100 != 2 || json.Unmarshal(answer, &echo) != nil ||
		subtle.ConstantTimeCompare([]byte(echo.Challenge), []byte(challenge)) == 0:
		reason = "challenge_failed"
	default:
		return nil
	}
	return &Error{Code: codeCallback, Message: callbackProblems[reason], Data: map[string]any{"reason": reason}}
}

// callbackProblems say why a callback was not verified. They tell nothing of what
// it answered, and nothing of addresses.
var callbackProblems = map[string]string{
	"connection_refused": "the callback could not be reached; it must have a public address and accept connections",
	"timeout":            "the callback did not answer in time",
	"tls_error":          "the callback has no valid TLS certificate",
	"http_4xx":           "the callback refused the verification with a status of 4xx",
	"http_5xx":           "the callback failed with a status of 5xx",
	"challenge_failed":   `the callback did not answer the verification with status 200 and {"challenge": "..."}`,
}

func reasonOf(err error) string {
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	_, isAlert := errors.AsType[tls.AlertError](err)
	_, isRecord := errors.AsType[tls.RecordHeaderError](err)
	network, isNetwork := errors.AsType[net.Error](err)
	switch {
	case isCertificate || isAlert || isRecord:
		return "tls_error"
	case errors.Is(err, context.DeadlineExceeded), isNetwork && network.Timeout():
		return "timeout"
	default:
		return "connection_refused"
	}
}

// messageID returns a new webhook-id of a message that is not an event.
func messageID(kind string) string { return "msg_" + kind + "_" + rand.Text() }
