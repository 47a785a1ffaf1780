package sandbox

import (
	"fmt"
	"net/http"
	"slices"
)

const maxWebhooks = 5

// A webhook is the resource, with its fields in the documented order. ChatServiceSID and URL depend on the path
// of the request; show sets them.
type webhook struct {
	AccountSID      string        `json:"account_sid"`
	ChatServiceSID  string        `json:"chat_service_sid,omitempty"`
	ConversationSID string        `json:"conversation_sid"`
	SID             string        `json:"sid"`
	Target          string        `json:"target"`
	Configuration   configuration `json:"configuration"`
	DateCreated     string        `json:"date_created"`
	DateUpdated     string        `json:"date_updated"`
	URL             string        `json:"url"`
}

// show returns a webhook as the response to r has it.
func (s *Sandbox) show(r *http.Request, h webhook) webhook {
	h.ChatServiceSID = r.PathValue("service")
	h.URL = s.root(r) + h.ConversationSID + "/Webhooks/" + h.SID
	return h
}

// add creates a webhook. SIDs ascend, so that page tokens can compare them.
func (c *conversation) add(target, date string, config configuration) webhook {
	c.service.counts.webhooks++
	h := webhook{
		AccountSID: accountSID, ConversationSID: c.sid, SID: fmt.Sprintf("WH%032x", c.service.counts.webhooks),
		Target: target, Configuration: config, DateCreated: date, DateUpdated: date,
	}
	c.webhooks = append(c.webhooks, h)
	return h
}

// index returns the index of the webhook in the path, or -1.
func (c *conversation) index(r *http.Request) int {
	return slices.IndexFunc(c.webhooks, func(h webhook) bool { return h.SID == r.PathValue("webhook") })
}

// list returns a page of the webhooks of a conversation.
func (s *Sandbox) list(r *http.Request, c *conversation) response {
	var items []item
	for _, h := range c.webhooks {
		items = append(items, item{h.SID, s.show(r, h)})
	}
	return s.page(r, listing{key: "webhooks", defaultSize: maxWebhooks, maxSize: maxWebhooks}, items)
}

func (s *Sandbox) create(r *http.Request, c *conversation) response {
	if refused := incomplete(r.Form); refused.status != 0 {
		return refused
	}
	target := r.Form.Get("Target")
	settings := given(r.Form, target)
	if r.Form.Has(replayAfter) {
		settings[replayAfter] = r.Form[replayAfter]
	}
	if refused := invalid(settings); refused.status != 0 {
		return refused
	}
	if len(c.webhooks) >= maxWebhooks {
		return badRequest(50361, "A Conversation must not have more than %d webhooks", maxWebhooks)
	}
	h := c.add(target, s.date(), configuration{}.with(settings))
	s.replay(c, h)
	return response{status: http.StatusCreated, body: s.show(r, h)}
}

func (s *Sandbox) fetch(r *http.Request, c *conversation) response {
	i := c.index(r)
	if i < 0 {
		return notFound(r)
	}
	return response{status: http.StatusOK, body: s.show(r, c.webhooks[i])}
}

func (s *Sandbox) update(r *http.Request, c *conversation) response {
	i := c.index(r)
	if i < 0 {
		return notFound(r)
	}
	h := &c.webhooks[i]
	settings := given(r.Form, h.Target)
	if refused := invalid(settings); refused.status != 0 {
		return refused
	}
	if len(settings) > 0 {
		h.Configuration, h.DateUpdated = h.Configuration.with(settings), s.date()
	}
	return response{status: http.StatusOK, body: s.show(r, *h)}
}

func (s *Sandbox) remove(r *http.Request, c *conversation) response {
	i := c.index(r)
	if i < 0 {
		return notFound(r)
	}
	c.webhooks = slices.Delete(c.webhooks, i, i+1)
	return response{status: http.StatusNoContent}
}
