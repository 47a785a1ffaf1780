package events

import (
	"context"
	"net/http"
	"strings"
	"time"

	"twilio-conversations-mcp/internal/signature"
)

// Limits of one request of Twilio, which waits five seconds for an answer.
const (
	maxRequest    = 256 << 10 // bytes of the body
	maxParameters = 100
	answerTime    = 4 * time.Second
)

// ServeHTTP takes a request of Twilio to a path below [Path], and answers when the
// event is delivered or, after four seconds, when it is kept to be tried again. A
// request that is not Twilio's for a subscription is answered 404, whatever is wrong
// with it, and every check is made before the answer.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sub := s.sealer.open(strings.TrimPrefix(r.URL.Path, Path))
	slots := s.receiving
	if sub == nil {
		slots = s.strangers
	}
	if !slots.TryAcquire(1) {
		http.Error(w, "", http.StatusServiceUnavailable)
		return
	}
	defer slots.Release(1)
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	valid := r.ParseForm() == nil && len(r.Form) <= maxParameters && (r.Method == http.MethodPost || r.Method == http.MethodGet)
	genuine := s.isTwilios(r)
	switch {
	case !valid || !genuine || sub == nil || !sub.concerns(r):
		http.Error(w, "", http.StatusNotFound)
	case !s.now().Before(sub.expires):
		http.Error(w, "", http.StatusGone)
		s.end(sub)
	default:
		w.WriteHeader(s.receive(r, sub))
	}
}

// concerns reports whether a request is about the event and the conversation of a
// subscription.
func (s *subscription) concerns(r *http.Request) bool {
	return r.Form.Get("EventType") == s.name() && strings.EqualFold(r.Form.Get("ConversationSid"), s.conversationSID())
}

// receive takes the event of a request, and returns the status of the answer.
func (s *Server) receive(r *http.Request, sub *subscription) int {
	m := newEvent(sub, r.Form, r.Header.Get("I-Twilio-Idempotency-Token"), s.now())
	if len(m.body) > maxBody || !s.deliverer.accept(m) {
		s.deliverer.report(m, "full")
		s.deliverer.accept(gap(sub))
		return http.StatusServiceUnavailable
	}
	ctx, cancel := context.WithTimeout(r.Context(), s.patience)
	defer cancel()
	select {
	case <-m.done:
	case <-ctx.Done():
	}
	return http.StatusNoContent
}

// maxEnding limits the webhooks of ended subscriptions that are removed at once.
const maxEnding = 8

// endTime limits how long that takes.
const endTime = time.Minute

// end removes the webhook of a subscription that has expired or that its callback
// does not want any more. If there is a webhook, the subscriber is told.
func (s *Server) end(sub *subscription) {
	key := "ended " + sub.ID() + sub.expires.String()
	if s.Twilio == nil || s.deliverer.knows(key) || !s.ending.enter("", maxEnding) {
		return // the next request of Twilio leads here again
	}
	s.deliverer.workers.Go(func() {
		defer s.ending.leave("")
		ctx, cancel := context.WithTimeout(s.deliverer.ctx, endTime)
		defer cancel()
		removed, err := s.remove(ctx, s.Twilio, sub)
		switch {
		case err == nil && removed == 0:
			s.deliverer.remember(key)
		case err != nil:
			s.Log.Warn("the webhook of a subscription that has ended was not removed", "subscription", sub.ID(), "error", err)
		default:
			s.Log.Info("the webhook of a subscription that has ended was removed", "subscription", sub.ID())
			s.deliverer.accept(terminated(sub, "the subscription has ended"))
		}
	})
}

// isTwilios reports whether a request has Twilio's signature. Without an auth token
// every request has.
func (s *Server) isTwilios(r *http.Request) bool {
	if s.AuthToken == "" {
		return true
	}
	address := s.PublicURL + r.URL.EscapedPath()
	if r.URL.RawQuery != "" {
		address += "?" + r.URL.RawQuery
	}
	return signature.Valid(r.Header.Get(signature.Header), s.AuthToken, address, r.PostForm)
}
