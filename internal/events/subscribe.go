package events

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
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

// A subscriber carries out a call of Subscribe.
type subscriber struct {
	*Server
	Call
	*subscription
	address     string // of the webhook
	replayAfter *int64 // of a new webhook
	skips       bool   // a new webhook replays nothing, because some messages may be too old
	truncated   bool   // messages were skipped
}

// Subscribe subscribes a callback to an event, or refreshes the subscription of the
// same caller to the same event at the same callback. It is the method
// events/subscribe.
func (s *Server) Subscribe(ctx context.Context, c Call) (map[string]any, error) {
	p, err := readParams(c.Params)
	if err != nil {
		return nil, err
	}
	n := &subscriber{Server: s, Call: c}
	for _, step := range []func(context.Context, *params) error{n.identify, n.describe, n.setPosition, n.seal, n.place} {
		if err := step(ctx, p); err != nil {
			return nil, err
		}
	}
	result := map[string]any{
		"id": n.ID(), "refreshBefore": n.expires.UTC().Format(time.RFC3339), "cursor": nil, "truncated": n.truncated,
	}
	if cursor := n.cursor(); cursor != "" {
		result["cursor"] = cursor
	}
	return result, nil
}

// identify reads what identifies the subscription.
func (n *subscriber) identify(ctx context.Context, p *params) (err error) {
	n.subscription, err = n.Call.identify(ctx, p)
	return err
}

func (c Call) identify(ctx context.Context, p *params) (*subscription, error) {
	if c.Principal == "" {
		return nil, &Error{Code: codeForbidden, Message: "subscribing needs a caller that is known: the server must require tokens, OAuth or credentials"}
	}
	event, err := p.event()
	if err != nil {
		return nil, err
	}
	if mode := p.Delivery.Mode; mode != "webhook" && mode != "" {
		return nil, unsupported(mode, fmt.Sprintf("the delivery mode %.32q cannot be subscribed to; webhook can", mode))
	}
	conversation, err := p.conversation(ctx, c.Twilio)
	if err != nil {
		return nil, err
	}
	sub := &subscription{event: event, conversation: conversation, position: -1, callback: p.Delivery.URL}
	sub.id = newID(c.Principal, sub.callback, sub.name(), sub.conversationSID())
	return sub, nil
}

func unsupported(mode, message string) *Error {
	return &Error{codeUnsupported, message, map[string]any{"feature": "deliveryMode", "value": fmt.Sprintf("%.32s", mode)}}
}

// describe reads the rest of the subscription.
func (n *subscriber) describe(_ context.Context, p *params) (err error) {
	if err := n.callbacks.check(n.callback); err != nil {
		return err
	}
	if n.secret, err = decodeSecret(p.Delivery.Secret); err != nil {
		return err
	}
	ttl, err := lifetime(p.TTL)
	n.expires = n.now().Add(ttl).Truncate(time.Second)
	return err
}

// lifetime returns how long a subscription lasts: what was asked for, within limits.
// Null asks for as long as possible.
func lifetime(ttl []byte) (time.Duration, error) {
	switch string(ttl) {
	case "":
		return defaultTTL, nil
	case "null":
		return longestTTL, nil
	}
	ms, err := strconv.ParseInt(string(ttl), 10, 64)
	if err != nil {
		return 0, invalid("ttlMs must be an integer or null")
	}
	return time.Duration(min(max(ms, shortestTTL.Milliseconds()), longestTTL.Milliseconds())) * time.Millisecond, nil
}

// seal makes the address of the webhook.
func (n *subscriber) seal(context.Context, *params) error {
	token, ok := n.sealer.seal(n.subscription)
	if excess := len(n.marshal()) - n.sealer.capacity; !ok {
		return &Error{
			codeExhausted, fmt.Sprintf("delivery.url and delivery.secret are %d bytes too long to fit into the URL of a webhook", excess),
			map[string]any{"limit": "deliveryUrl", "max": max(0, len(n.callback)-excess)},
		}
	}
	n.address = n.PublicURL + Path + token
	return nil
}

// place makes a webhook for the subscription, or gives its webhook a new address. A
// callback is verified first, unless the subscription exists with the same secret.
func (n *subscriber) place(ctx context.Context, _ *params) error {
	if done, err := n.placeLocked(ctx, false); done || err != nil {
		return err
	}
	if !n.verifying.enter(n.Principal, maxVerifying) {
		return &Error{codeExhausted, "too many callbacks of this caller are being verified; try again later", map[string]any{"limit": "verifications", "max": maxVerifying}}
	}
	err := n.callbacks.verify(ctx, n.subscription)
	n.verifying.leave(n.Principal)
	if err == nil {
		_, err = n.placeLocked(ctx, true)
	}
	return err
}

// placeLocked does what place does while no other subscriber of the conversation
// does. It reports false if the callback has to be verified.
func (n *subscriber) placeLocked(ctx context.Context, verified bool) (done bool, err error) {
	own := 0
	err = n.withWebhooks(ctx, n.Twilio, n.conversationSID(), func(all []twilioapi.Webhook) error {
		all, err := n.prune(ctx, n.Twilio, n.conversationSID(), all, func(other *subscription) bool {
			if !n.now().Before(other.expires) {
				return true
			}
			if other.id == n.id {
				own++
			}
			return other.id == n.id && own > 1 // made by another copy at the same time
		})
		if err != nil {
			return err
		}
		done, err = n.write(ctx, all, verified)
		return err
	})
	return done, err
}

// write creates or updates the webhook, as far as it can without a verification.
func (n *subscriber) write(ctx context.Context, all []twilioapi.Webhook, verified bool) (done bool, err error) {
	i := slices.IndexFunc(all, func(w twilioapi.Webhook) bool { sub := n.open(w.URL); return sub != nil && sub.id == n.id })
	method, filters := "post", []string{n.name()}
	switch {
	case i >= 0 && (verified || n.open(all[i].URL).secret == n.secret):
		_, err = n.Twilio.UpdateWebhook(ctx, n.conversationSID(), all[i].SID, twilioapi.WebhookUpdate{URL: &n.address, Method: &method, Filters: filters})
		return true, err
	case i < 0 && len(all) >= maxWebhooks:
		return false, n.tooMany(all)
	case !verified:
		return false, nil
	}
	if n.skips {
		n.replayAfter, n.truncated = nil, true
	}
	created, err := n.Twilio.CreateWebhook(ctx, n.conversationSID(), twilioapi.NewWebhook{
		Target: "webhook", URL: &n.address, Method: &method, Filters: filters, ReplayAfter: n.replayAfter,
	})
	if err == nil && ctx.Err() != nil {
		err = n.undo(context.WithoutCancel(ctx), created.JSON)
	}
	return true, err
}

// undo removes a webhook whose caller has gone before it was told.
func (n *subscriber) undo(ctx context.Context, created json.RawMessage) error {
	var webhook struct{ SID string }
	_ = json.Unmarshal(created, &webhook)
	if _, err := n.Twilio.DeleteWebhook(ctx, n.conversationSID(), webhook.SID); err != nil {
		n.Log.Warn("the webhook of a subscription whose caller has gone was not removed", "subscription", n.ID(), "error", err)
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
		codeExhausted,
		fmt.Sprintf("the conversation has %d webhooks, and Twilio allows %d; remove one of them first: %s", len(all), maxWebhooks, strings.Join(described, ", ")),
		map[string]any{"limit": "webhooks", "max": maxWebhooks},
	}
}

// Unsubscribe ends a subscription. It is the method events/unsubscribe.
func (s *Server) Unsubscribe(ctx context.Context, c Call) (map[string]any, error) {
	p, err := readParams(c.Params)
	if err != nil {
		return nil, err
	}
	sub, err := c.identify(ctx, p)
	if err != nil {
		return nil, err
	}
	sub.expires = s.now().Add(longestTTL)
	removed, err := s.remove(ctx, c.Twilio, sub)
	if err != nil {
		return nil, err
	}
	s.deliverer.forget(sub.id)
	if removed == 0 {
		return nil, &Error{codeNotFound, "there is no such subscription of this caller", map[string]any{"kind": "subscription"}}
	}
	return map[string]any{}, nil
}

// remove removes the webhooks of a subscription that expire when it does or before,
// and returns how many there were. The others have been refreshed.
func (s *Server) remove(ctx context.Context, twilio *twilioapi.Client, sub *subscription) (removed int, err error) {
	err = s.withWebhooks(ctx, twilio, sub.conversationSID(), func(all []twilioapi.Webhook) error {
		others, err := s.prune(ctx, twilio, sub.conversationSID(), all, func(other *subscription) bool {
			return other.id == sub.id && !other.expires.After(sub.expires)
		})
		removed = len(all) - len(others)
		return err
	})
	return removed, err
}

// withWebhooks calls f with the webhooks of a conversation. Meanwhile no other
// subscription in the conversation is made or removed.
func (s *Server) withWebhooks(ctx context.Context, twilio *twilioapi.Client, conversation string, f func([]twilioapi.Webhook) error) error {
	unlock, err := twilio.Lock(ctx, conversation)
	if err != nil {
		return err
	}
	defer unlock()
	all, err := twilio.Webhooks(ctx, conversation)
	if err != nil {
		return err
	}
	return f(all)
}

// prune deletes the webhooks of unwanted subscriptions, and returns the others.
func (s *Server) prune(ctx context.Context, twilio *twilioapi.Client, conversation string, all []twilioapi.Webhook, unwanted func(*subscription) bool) (others []twilioapi.Webhook, err error) {
	for _, w := range all {
		if sub := s.open(w.URL); sub == nil || !unwanted(sub) {
			others = append(others, w)
		} else if _, err := twilio.DeleteWebhook(ctx, conversation, w.SID); err != nil {
			return nil, err
		}
	}
	return others, nil
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
