// Package events offers what happens in a conversation as MCP Events
// (io.modelcontextprotocol/events, SEP-3415).
//
// A subscription is a webhook of the conversation, and is stored nowhere else: its
// URL ends with a token that holds the subscription, sealed with a key that all
// copies of the server share. Twilio calls the URL when something happens, and the
// copy that is called delivers the event to the callback of the subscriber. What it
// cannot deliver at once it keeps in memory and tries again. Messages that a copy
// loses are found by polling, which needs no subscription.
package events

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"twilio-conversations-mcp/twilioapi"
)

// Path is the path of a server below which Twilio delivers; a token follows it.
const Path = "/events/"

// Options configure a [Server]. Without Keys it offers polling only.
type Options struct {
	// Keys seal and open tokens, at least [MinKeyLength] bytes each. The first one
	// seals. They are secret.
	Keys []string
	// PublicURL is the base URL of the server as Twilio sees it.
	PublicURL string
	// AuthToken verifies that a request is Twilio's. If it is empty, only the token
	// in the URL tells.
	AuthToken string
	// AllowedCallbacks are addresses that callbacks may have in addition to public
	// ones. A callback at a loopback address among them may use http.
	AllowedCallbacks []netip.Prefix
	// RootCAs verify the certificates of callbacks; nil: those of the system.
	RootCAs *x509.CertPool
	// Twilio removes the webhooks of subscriptions that ended. It may be nil; then
	// they stay until their subscriber removes them.
	Twilio  *twilioapi.Client
	Version string // of this program, for the User-Agent header
	Log     *slog.Logger
	Metrics Metrics
}

// Metrics are called as things happen, by several goroutines at once. They may be
// nil.
type Metrics struct {
	// Done is called for each event that is done. The outcome is "delivered",
	// "refused" if the callback refused it, "expired" if it could not be delivered in
	// time, "ended" if its subscription ended, "dropped" if the server ended first, or
	// "full" if too much was waiting.
	Done func(outcome string)
	// Waiting is called when a message begins and ends to wait for its delivery.
	Waiting func(delta int)
}

// MinKeyLength is the least number of bytes of a key.
const MinKeyLength = 32

// Limits on the requests to [Server.ServeHTTP] that are handled at once: those with a
// token that opens, and those without, which must not keep the others out.
const (
	maxReceiving = 64
	maxStrangers = 16
)

// A Server offers events. It is safe for concurrent use.
type Server struct {
	Options
	sealer    *sealer
	callbacks *callbacks
	deliverer *deliverer
	verifying counter
	ending    counter
	receiving *semaphore.Weighted
	strangers *semaphore.Weighted
	now       func() time.Time
	patience  time.Duration // after which Twilio is answered
}

// New returns a server. Its errors say which option is invalid.
func New(o Options) (*Server, error) {
	o.PublicURL = strings.TrimSuffix(o.PublicURL, "/")
	if o.Metrics.Done == nil {
		o.Metrics = Metrics{Done: func(string) {}, Waiting: func(int) {}}
	}
	s := &Server{
		Options: o, receiving: semaphore.NewWeighted(maxReceiving), strangers: semaphore.NewWeighted(maxStrangers), now: time.Now, patience: answerTime,
	}
	if !s.Subscribes() {
		return s, nil
	}
	for _, key := range o.Keys {
		if len(key) < MinKeyLength {
			return nil, fmt.Errorf("a key must have at least %d bytes, such as the output of openssl rand -hex 32", MinKeyLength)
		}
	}
	if o.PublicURL == "" {
		return nil, errors.New("the public URL of the server is required")
	}
	s.sealer = newSealer(o.Keys, maxURL-len(o.PublicURL+Path))
	if s.sealer.capacity < minCapacity {
		return nil, fmt.Errorf("the public URL is too long: a token must fit into the %d characters of a webhook's URL", maxURL)
	}
	s.callbacks = newCallbacks(o)
	s.deliverer = newDeliverer(s.callbacks, o.Log, o.Metrics)
	s.deliverer.ended = s.end
	return s, nil
}

// Subscribes reports whether events can be subscribed to, and not only polled.
func (s *Server) Subscribes() bool { return len(s.Keys) > 0 }

// Close tries the deliveries that wait until all are done or ctx is done, and drops
// the rest.
func (s *Server) Close(ctx context.Context) {
	if s.deliverer != nil {
		s.deliverer.close(ctx)
	}
}

// An Error is an error of MCP Events.
type Error struct {
	Code    int // of JSON-RPC
	Message string
	Data    map[string]any
}

// The codes of errors. The design sketch of the extension has them, and the
// clients know them; SEP-3415 reserves others, which are provisional.
const (
	codeInvalidParams = -32602
	codeInternal      = -32603
	codeNotFound      = -32011
	codeForbidden     = -32012
	codeExhausted     = -32013
	codeUnsupported   = -32014
	codeCallback      = -32015
)

func (e *Error) Error() string { return e.Message }

func invalid(format string, args ...any) *Error {
	return &Error{Code: codeInvalidParams, Message: fmt.Sprintf(format, args...)}
}

// AsError returns the error of a method, which may be one of the Twilio client.
func AsError(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		return own
	}
	e := &Error{Code: codeInternal, Message: err.Error()}
	answered, ok := errors.AsType[*twilioapi.Error](err)
	switch {
	case !ok:
	case answered.Status == 404:
		e.Code, e.Data = codeNotFound, map[string]any{"kind": "conversation"}
	case answered.Status == 401, answered.Status == 403:
		e.Code = codeForbidden
	case answered.Code == codeTooManyWebhooks:
		e.Code, e.Data = codeExhausted, map[string]any{"limit": "webhooks", "max": maxWebhooks}
	case answered.Status == 429:
		e.Code, e.Data = codeExhausted, map[string]any{"limit": "requests"}
	}
	return e
}
