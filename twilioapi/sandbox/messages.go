package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"unicode/utf8"
)

// maxMessage is the limit of a message's body in characters:
// https://www.twilio.com/docs/conversations/conversations-limits.
const maxMessage = 1600

type message struct {
	sid              string
	index            int
	author, body     string
	attributes       string
	participant      string // SID of the author if it is a participant
	created, updated string
}

// A messageResource is the resource of
// https://www.twilio.com/docs/conversations/api/conversation-message-resource.
type messageResource struct {
	SID             string            `json:"sid"`
	AccountSID      string            `json:"account_sid"`
	ConversationSID string            `json:"conversation_sid"`
	Body            *string           `json:"body"`
	Media           []string          `json:"media"`
	Author          string            `json:"author"`
	ParticipantSID  *string           `json:"participant_sid"`
	Attributes      string            `json:"attributes"`
	DateCreated     string            `json:"date_created"`
	DateUpdated     string            `json:"date_updated"`
	Index           int               `json:"index"`
	Delivery        *string           `json:"delivery"`
	ContentSID      *string           `json:"content_sid"`
	URL             string            `json:"url"`
	Links           map[string]string `json:"links"`
}

func (s *Sandbox) showMessage(r *http.Request, c *conversation, m *message) messageResource {
	url := s.root(r) + c.sid + "/Messages/" + m.sid
	return messageResource{
		SID: m.sid, AccountSID: accountSID, ConversationSID: c.sid, Body: orNull(m.body), Author: m.author,
		ParticipantSID: orNull(m.participant), Attributes: m.attributes, DateCreated: m.created, DateUpdated: m.updated, Index: m.index,
		URL: url, Links: map[string]string{"delivery_receipts": url + "/Receipts", "channel_metadata": url + "/ChannelMetadata"},
	}
}

// listMessages lists the messages of a conversation, the oldest first unless Order is desc.
func (s *Sandbox) listMessages(r *http.Request, c *conversation) response {
	order := r.Form.Get("Order")
	if order != "" && order != "asc" && order != "desc" {
		return badRequest(20001, "Order must be asc or desc")
	}
	var items []item
	for _, m := range c.messages {
		items = append(items, item{m.sid, s.showMessage(r, c, m)})
	}
	l := listing{key: "messages", defaultSize: 50, maxSize: 100, isDescending: order == "desc"}
	if l.isDescending {
		slices.Reverse(items)
	}
	return s.page(r, l, items)
}

func (s *Sandbox) createMessage(r *http.Request, c *conversation) response {
	m := message{author: r.Form.Get("Author"), body: r.Form.Get("Body"), attributes: "{}"}
	setText(r.Form, "Attributes", &m.attributes)
	if m.author == "" {
		m.author = "system"
	}
	if refused := s.addMessage(c, &m); refused.status != 0 {
		return refused
	}
	if by, fires := actionOf(r); fires {
		s.messageAdded(by, c, &m)
	}
	return response{status: http.StatusCreated, body: s.showMessage(r, c, &m)}
}

// messageAdded sends the events of a new message: that it was added, and that it was delivered to each phone but that
// of its author. The caller holds s.mu.
func (s *Sandbox) messageAdded(by action, c *conversation, m *message) {
	s.send(by, c, "onMessageAdded", c.messageFields(m))
	for _, p := range c.participants {
		if p.binding.Address == "" || p.sid == m.participant {
			continue
		}
		s.send(by, c, "onDeliveryUpdated", url.Values{
			"MessageSid": {m.sid}, "ParticipantSid": {p.sid}, "Status": {"delivered"}, "ErrorCode": {"0"},
			"DeliveryReceiptSid": {"DY" + m.sid[2:]}, "ChannelMessageSid": {"SM" + m.sid[2:]}, "DateCreated": {m.created}, "DateUpdated": {m.created},
		})
	}
}

// addMessage adds a message, which gets what it lacks. It returns the zero response if the message is valid.
func (s *Sandbox) addMessage(c *conversation, m *message) response {
	switch {
	case c.state == "closed":
		return badRequest(50377, "The Conversation is closed and cannot be updated")
	case utf8.RuneCountInString(m.body) > maxMessage:
		return badRequest(20001, "Body must not be longer than %d characters", maxMessage)
	case !isAttributes(url.Values{"Attributes": {m.attributes}}):
		return badRequest(20001, "Attributes must be JSON")
	case !s.reserve():
		return full()
	}
	c.service.counts.messages++
	m.sid = fmt.Sprintf("IM%032x", c.service.counts.messages)
	m.index, m.created = c.nextIndex, s.date()
	m.updated = m.created
	c.nextIndex++
	if p := c.find(m.author); p != nil {
		m.participant = p.sid
	}
	c.messages = append(c.messages, m)
	return response{}
}

func (s *Sandbox) fetchMessage(r *http.Request, c *conversation) response {
	m := c.message(r)
	if m == nil {
		return notFound(r)
	}
	return response{status: http.StatusOK, body: s.showMessage(r, c, m)}
}

func (s *Sandbox) updateMessage(r *http.Request, c *conversation) response {
	m := c.message(r)
	switch {
	case m == nil:
		return notFound(r)
	case utf8.RuneCountInString(r.Form.Get("Body")) > maxMessage:
		return badRequest(20001, "Body must not be longer than %d characters", maxMessage)
	case !isAttributes(r.Form):
		return badRequest(20001, "Attributes must be JSON")
	}
	setText(r.Form, "Body", &m.body)
	setText(r.Form, "Author", &m.author)
	setText(r.Form, "Attributes", &m.attributes)
	m.updated = s.date()
	fields := c.messageFields(m)
	fields.Set("DateUpdated", m.updated)
	s.fire(r, c, "onMessageUpdated", fields)
	return response{status: http.StatusOK, body: s.showMessage(r, c, m)}
}

func (s *Sandbox) removeMessage(r *http.Request, c *conversation) response {
	m := c.message(r)
	if m == nil {
		return notFound(r)
	}
	c.messages = slices.DeleteFunc(c.messages, func(other *message) bool { return other == m })
	fields := c.messageFields(m)
	fields.Set("DateUpdated", m.updated)
	fields.Set("DateRemoved", s.date())
	s.fire(r, c, "onMessageRemoved", fields)
	return response{status: http.StatusNoContent}
}

// message returns the message in the path, or nil.
func (c *conversation) message(r *http.Request) *message {
	for _, m := range c.messages {
		if m.sid == r.PathValue("message") {
			return m
		}
	}
	return nil
}

// messageFields are the fields of an event about a message.
func (c *conversation) messageFields(m *message) url.Values {
	fields := url.Values{
		"MessageSid": {m.sid}, "Index": {strconv.Itoa(m.index)}, "DateCreated": {m.created}, "Body": {m.body}, "Author": {m.author},
		"Attributes": {m.attributes},
	}
	if m.participant != "" {
		fields.Set("ParticipantSid", m.participant)
	}
	return fields
}
