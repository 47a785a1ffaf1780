package sandbox

import (
	"cmp"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// An action is who did what fires an event.
type action struct {
	source   string // SDK or SMS: a participant, who always fires; API: REST, which fires if the request says so
	identity string // of a participant in chat
}

// actionOf returns the action of a request to the API, and whether it fires events: actions through REST do so
// only with this header.
func actionOf(r *http.Request) (action, bool) {
	return action{source: "API"}, r.Header.Get("X-Twilio-Webhook-Enabled") == "true"
}

// fire sends an event of a request to the webhooks that it concerns, if the request fires events. The caller holds
// s.mu.
func (s *Sandbox) fire(r *http.Request, c *conversation, event string, fields url.Values) {
	if by, fires := actionOf(r); fires {
		s.send(by, c, event, fields)
	}
}

// send sends an event to the webhooks that it concerns: those of the conversation, of its Service and, for the default
// Service, of the account. That all of these fire is not documented. The caller holds s.mu.
func (s *Sandbox) send(by action, c *conversation, event string, fields url.Values) {
	fields = by.with(c, event, fields)
	for _, h := range c.webhooks {
		if h.concerns(event, fields) {
			s.deliver(c, h.SID, h.Configuration, event, fields)
		}
	}
	for _, level := range s.levels(c) {
		if level.hooks.postURL != "" && slices.Contains(level.hooks.filters, event) {
			s.deliver(c, level.name, configuration{URL: level.hooks.postURL, Method: cmp.Or(level.hooks.method, "POST")}, event, fields)
		}
	}
}

// A level is the account or a Service, with its webhooks.
type level struct {
	name  string // account or service
	hooks hooks
}

func (s *Sandbox) levels(c *conversation) []level {
	levels := []level{{"service", c.service.hooks}}
	if c.service.sid == defaultService {
		levels = append(levels, level{"account", s.hooks})
	}
	return levels
}

// with returns the fields of an event with those that every event has.
func (by action) with(c *conversation, event string, fields url.Values) url.Values {
	all := url.Values{}
	maps.Copy(all, fields)
	maps.Copy(all, url.Values{ // last: before an action, the fields are those of a request, which can have any names
		"AccountSid": {accountSID}, "EventType": {event}, "Source": {by.source}, "ConversationSid": {c.sid}, "RetryCount": {"0"},
		"ChatServiceSid": {c.service.sid},
	})
	if all.Del("ClientIdentity"); by.identity != "" {
		all.Set("ClientIdentity", by.identity)
	}
	return all
}

// concerns reports whether a webhook fires on an event: a webhook on the events in its filters, a trigger on a
// message that has one of its keywords as a word in any case, and a Flow on the events in its filters, or on every
// message without them. How keywords match, and what a Flow without filters does, is not documented.
func (h webhook) concerns(event string, fields url.Values) bool {
	c := h.Configuration
	switch {
	case h.Target == "trigger":
		return event == "onMessageAdded" && hasKeyword(fields.Get("Body"), c.Triggers)
	case h.Target == "studio" && len(c.Filters) == 0:
		return event == "onMessageAdded"
	default:
		return slices.Contains(c.Filters, event)
	}
}

func hasKeyword(body string, keywords []string) bool {
	words := " " + strings.ToLower(strings.Join(strings.Fields(body), " ")) + " "
	return slices.ContainsFunc(keywords, func(keyword string) bool {
		return strings.Contains(words, " "+strings.ToLower(keyword)+" ")
	})
}

// replay delivers the messages from an index on to a new webhook that asks for it. That filters do not matter then,
// and keywords do, is not documented. The caller holds s.mu.
func (s *Sandbox) replay(c *conversation, h webhook) {
	if h.Configuration.ReplayAfter == nil {
		return
	}
	for _, m := range c.messages {
		fields := action{source: "API"}.with(c, "onMessageAdded", c.messageFields(m))
		if int64(m.index) >= *h.Configuration.ReplayAfter && (h.Target != "trigger" || h.concerns("onMessageAdded", fields)) {
			s.deliver(c, h.SID, h.Configuration, "onMessageAdded", fields)
		}
	}
}

// guarded returns a handler that asks the webhooks of the account and the Service before it calls op.
func (s *Sandbox) guarded(event string, op operation) handler {
	run := s.conversation(op)
	return func(r *http.Request) response {
		by, fires := actionOf(r)
		s.mu.Lock()
		c := s.service(serviceSID(r)).conversations[r.PathValue("conversation")]
		s.mu.Unlock()
		if fires && c != nil {
			if rejected := s.before(by, c, event, r.PostForm); rejected.status != 0 {
				return rejected
			}
		}
		return run(r)
	}
}

// before asks the webhooks of the account and the Service before an action. It returns the zero response if the action
// may go on: a webhook rejects it with a 4xx status, and every other answer lets it go on. What an answer with a body
// changes is not imitated. The caller does not hold s.mu.
func (s *Sandbox) before(by action, c *conversation, event string, fields url.Values) response {
	s.mu.Lock()
	levels := s.levels(c)
	s.mu.Unlock()
	for _, level := range levels {
		if level.hooks.preURL == "" || !slices.Contains(level.hooks.filters, event) {
			continue
		}
		hook := configuration{URL: level.hooks.preURL, Method: cmp.Or(level.hooks.method, "POST")}
		d := s.request(newJob(c, level.name, hook, event, by.with(c, event, fields)))
		if d.Status >= 400 && d.Status < 500 {
			return refuse(http.StatusForbidden, 50107, "The action was rejected by the webhook for "+event)
		}
	}
	return response{}
}
