package events

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"twilio-conversations-mcp/twilioapi"
)

// A Call is a request for a method.
type Call struct {
	Twilio    *twilioapi.Client // with the credentials of the caller
	Principal string            // who calls; empty: not known
	Params    json.RawMessage
}

const (
	shortestTTL = time.Hour
	defaultTTL  = 24 * time.Hour
	longestTTL  = 7 * 24 * time.Hour

	maxWebhooks         = 5 // of a conversation
	codeTooManyWebhooks = 50361
	maxVerifying        = 100 // callbacks that one caller lets verify at once
)

// Subscribe subscribes a callback to an event, or refreshes the subscription of the
// same caller to the same event at the same callback. It is the method
// events/subscribe.
func (s *Server) Subscribe(ctx context.Context, c Call) (map[string]any, error) {
	p := readParams(c.Params)
	sub := s.readSubscription(p, c.Principal)
	p.position()
	p.integer("maxAgeMs", 0)
	if p.problem != nil {
		return nil, p.problem
	}
	n := &subscriber{Server: s, twilio: c.Twilio, sub: sub}
	if err := n.setPosition(ctx, p); err != nil {
		return nil, err
	}
	if err := n.place(ctx, c.Principal); err != nil {
		return nil, err
	}
	result := map[string]any{
		"id": sub.ID(), "refreshBefore": sub.expires.UTC().Format(time.RFC3339), "cursor": nil, "truncated": n.truncated,
	}
	if cursor := sub.cursor(); cursor != "" {
		result["cursor"] = cursor
	}
	return result, nil
}

// readSubscription returns the subscription that params describe.
func (s *Server) readSubscription(p *params, principal string) *subscription {
	sub := s.readKey(p, principal)
	delivery := p.object("delivery")
	p.keep(s.callbacks.check(sub.callback))
	secret, problem := decodeSecret(delivery.text("secret"))
	p.keep(delivery.problem)
	p.keep(problem)
	sub.secret = secret
	sub.expires = s.now().Add(lifetime(p)).Truncate(time.Second)
	return sub
}

// readKey returns a subscription with what identifies it.
func (s *Server) readKey(p *params, principal string) *subscription {
	if principal == "" {
		p.keep(&Error{Code: codeForbidden, Message: "subscribing needs a caller that is known: the server must require tokens, OAuth or credentials"})
	}
	event, conversation, delivery := p.event(), p.conversation(), p.object("delivery")
	sub := &subscription{event: byte(max(0, event)), position: -1, callback: delivery.text("url")}
	mode := delivery.text("mode")
	p.keep(delivery.problem)
	if mode != "webhook" && mode != "" {
		p.keep(&Error{
			Code: codeUnsupported, Message: fmt.Sprintf("the delivery mode %.32q cannot be subscribed to; webhook can", mode),
			Data: map[string]any{"feature": "deliveryMode", "value": fmt.Sprintf("%.32s", mode)},
		})
	}
	_, _ = hex.Decode(sub.conversation[:], []byte(strings.TrimPrefix(conversation, "CH")))
	sub.id = newID(principal, sub.callback, sub.name(), conversation)
	return sub
}

// lifetime returns how long a subscription lasts: what was asked for, within limits.
// Null asks for as long as possible.
func lifetime(p *params) time.Duration {
	if ttl, ok := p.members["ttlMs"]; ok && ttl.Kind() == 'n' {
		return longestTTL
	}
	ms := p.integer("ttlMs", defaultTTL.Milliseconds())
	return time.Duration(min(max(ms, shortestTTL.Milliseconds()), longestTTL.Milliseconds())) * time.Millisecond
}

// A subscriber subscribes to one event.
type subscriber struct {
	*Server
	twilio      *twilioapi.Client
	sub         *subscription
	replayAfter *int64 // of a new webhook
	skips       bool   // a new webhook replays nothing, because some messages may be too old
	truncated   bool   // messages were skipped
}

// place makes a webhook for the subscription, or gives its webhook a new token. A
// callback is verified first, unless the subscription exists with the same secret.
func (n *subscriber) place(ctx context.Context, principal string) error {
	token, ok := n.sealer.seal(n.sub)
	if !ok {
		return &Error{
			Code: codeExhausted, Message: fmt.Sprintf("delivery.url and delivery.secret are %d bytes too long to fit into the URL of a webhook", len(n.sub.marshal())-n.sealer.capacity),
			Data: map[string]any{"limit": "deliveryUrl", "max": max(0, len(n.sub.callback)-len(n.sub.marshal())+n.sealer.capacity)},
		}
	}
	address := n.PublicURL + Path + token
	done, err := n.placeLocked(ctx, address, false)
	if done || err != nil {
		return err
	}
	if !n.verifying.enter(principal, maxVerifying) {
		return &Error{
			Code: codeExhausted, Message: "too many callbacks are being verified for this caller; try again later", Data: map[string]any{"limit": "verifications", "max": maxVerifying},
		}
	}
	problem := n.callbacks.verify(ctx, n.sub)
	n.verifying.leave(principal)
	if problem != nil {
		return problem
	}
	_, err = n.placeLocked(ctx, address, true)
	return err
}

// placeLocked does what place does while no other subscriber of the conversation
// does. It reports false if the callback has to be verified.
func (n *subscriber) placeLocked(ctx context.Context, address string, verified bool) (bool, error) {
	conversation := n.sub.conversationSID()
	unlock, err := n.twilio.Lock(ctx, conversation)
	if err != nil {
		return false, twilioError(err)
	}
	defer unlock()
	all, err := n.twilio.Webhooks(ctx, conversation)
	if err != nil {
		return false, twilioError(err)
	}
	if all, err = n.sweep(ctx, all); err != nil {
		return false, twilioError(err)
	}
	own := n.own(all, n.sub.id)
	switch {
	case !verified && (len(own) == 0 || n.open(own[0].URL).secret != n.sub.secret):
		if len(own) == 0 && len(all) >= maxWebhooks {
			return false, n.tooMany(all)
		}
		return false, nil
	case len(own) > 0:
		return true, n.refresh(ctx, own, address)
	case len(all) >= maxWebhooks:
		return false, n.tooMany(all)
	default:
		return true, n.create(ctx, address)
	}
}

// open returns the subscription of a webhook, or nil if it is not one of this
// server.
func (s *Server) open(address string) *subscription {
	token, ok := strings.CutPrefix(address, s.PublicURL+Path)
	if !ok {
		return nil
	}
	return s.sealer.open(token)
}

// own returns the webhooks of a subscription. There are several if copies of the
// server that share no lock have created them at the same time.
func (s *Server) own(all []twilioapi.Webhook, id [16]byte) (own []twilioapi.Webhook) {
	for _, w := range all {
		if sub := s.open(w.URL); sub != nil && sub.id == id {
			own = append(own, w)
		}
	}
	return own
}

// sweep removes the webhooks of subscriptions that have expired, and returns the
// others.
func (n *subscriber) sweep(ctx context.Context, all []twilioapi.Webhook) (others []twilioapi.Webhook, err error) {
	for _, w := range all {
		sub := n.open(w.URL)
		if sub == nil || n.now().Before(sub.expires) {
			others = append(others, w)
		} else if _, err := n.twilio.DeleteWebhook(ctx, n.sub.conversationSID(), w.SID); err != nil {
			return nil, err
		}
	}
	return others, nil
}

// refresh gives the first webhook a new URL, and removes the others.
func (n *subscriber) refresh(ctx context.Context, own []twilioapi.Webhook, address string) error {
	conversation, method := n.sub.conversationSID(), "post"
	_, err := n.twilio.UpdateWebhook(ctx, conversation, own[0].SID, twilioapi.WebhookUpdate{URL: &address, Method: &method, Filters: []string{n.sub.name()}})
	if err != nil {
		return twilioError(err)
	}
	for _, w := range own[1:] {
		if _, err := n.twilio.DeleteWebhook(ctx, conversation, w.SID); err != nil {
			return twilioError(err)
		}
	}
	return nil
}

// create creates the webhook. If the caller has gone meanwhile, it is removed again.
func (n *subscriber) create(ctx context.Context, address string) error {
	conversation, method := n.sub.conversationSID(), "post"
	if n.skips {
		n.replayAfter, n.truncated = nil, true
	}
	created, err := n.twilio.CreateWebhook(ctx, conversation, twilioapi.NewWebhook{
		Target: "webhook", URL: &address, Method: &method, Filters: []string{n.sub.name()}, ReplayAfter: n.replayAfter,
	})
	if err != nil {
		return twilioError(err)
	}
	if ctx.Err() == nil {
		return nil
	}
	var webhook struct{ SID string }
	_ = json.Unmarshal(created.JSON, &webhook)
	if _, err := n.twilio.DeleteWebhook(context.WithoutCancel(ctx), conversation, webhook.SID); err != nil {
		n.Log.Warn("the webhook of a subscription whose caller has gone was not removed", "subscription", n.sub.ID(), "error", err)
	}
	return &Error{Code: codeInternal, Message: "the call was cancelled; nothing was subscribed to"}
}

// tooMany describes the webhooks of a conversation that has no room for another.
func (s *Server) tooMany(all []twilioapi.Webhook) *Error {
	var described []string
	for _, w := range all {
		what := "target " + w.Target
		if sub := s.open(w.URL); sub != nil {
			what = "subscription to " + sub.name()
		} else if strings.HasPrefix(w.URL, s.PublicURL+Path) {
			what = "subscription that no key of this server opens"
		}
		described = append(described, w.SID+" ("+what+")")
	}
	return &Error{
		Code:    codeExhausted,
		Message: fmt.Sprintf("the conversation has %d webhooks, and Twilio allows %d; remove one of them first: %s", len(all), maxWebhooks, strings.Join(described, ", ")),
		Data:    map[string]any{"limit": "webhooks", "max": maxWebhooks},
	}
}

// Unsubscribe ends a subscription. It is the method events/unsubscribe.
func (s *Server) Unsubscribe(ctx context.Context, c Call) (map[string]any, error) {
	p := readParams(c.Params)
	sub := s.readKey(p, c.Principal)
	if p.problem != nil {
		return nil, p.problem
	}
	sub.expires = s.now().Add(longestTTL)
	removed, err := s.remove(ctx, c.Twilio, sub)
	if err != nil {
		return nil, twilioError(err)
	}
	s.deliverer.forget(sub.id)
	if removed == 0 {
		return nil, &Error{Code: codeNotFound, Message: "there is no such subscription of this caller", Data: map[string]any{"kind": "subscription"}}
	}
	return map[string]any{}, nil
}

// remove removes the webhooks of a subscription that expire when it does or before,
// and returns how many there were.
func (s *Server) remove(ctx context.Context, twilio *twilioapi.Client, sub *subscription) (removed int, err error) {
	conversation := sub.conversationSID()
	unlock, err := twilio.Lock(ctx, conversation)
	if err != nil {
		return 0, err
	}
	defer unlock()
	all, err := twilio.Webhooks(ctx, conversation)
	if err != nil {
		return 0, err
	}
	for _, w := range s.own(all, sub.id) {
		if s.open(w.URL).expires.After(sub.expires) {
			continue // it has been refreshed
		}
		if _, err := twilio.DeleteWebhook(ctx, conversation, w.SID); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}
