package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	alice       = "+15558675310" // of the person in the conversations that a sandbox starts with
	proxyNumber = "+15017122661" // the Twilio number that she writes to
)

// A participant has an identity, of a chat user, or a binding, of a phone.
type participant struct {
	sid              string
	identity         string
	binding          binding // without an address: the participant is a chat user
	attributes       string
	lastRead         *int
	created, updated string
}

// A binding is the address of a participant outside of chat.
type binding struct {
	Type         string `json:"type"`
	Address      string `json:"address"`
	ProxyAddress string `json:"proxy_address"`
}

// orNull returns the binding as JSON has it.
func (b binding) orNull() *binding {
	if b.Address == "" {
		return nil
	}
	return &b
}

// A participantResource is the resource of
// https://www.twilio.com/docs/conversations/api/conversation-participant-resource.
type participantResource struct {
	AccountSID       string   `json:"account_sid"`
	ConversationSID  string   `json:"conversation_sid"`
	SID              string   `json:"sid"`
	Identity         *string  `json:"identity"`
	Attributes       string   `json:"attributes"`
	MessagingBinding *binding `json:"messaging_binding"`
	RoleSID          *string  `json:"role_sid"`
	DateCreated      string   `json:"date_created"`
	DateUpdated      string   `json:"date_updated"`
	URL              string   `json:"url"`
	LastReadIndex    *int     `json:"last_read_message_index"`
	LastReadTime     *string  `json:"last_read_timestamp"`
}

func (s *Sandbox) showParticipant(r *http.Request, c *conversation, p *participant) participantResource {
	return participantResource{
		AccountSID: accountSID, ConversationSID: c.sid, SID: p.sid, Identity: orNull(p.identity), Attributes: p.attributes,
		MessagingBinding: p.binding.orNull(), DateCreated: p.created, DateUpdated: p.updated, LastReadIndex: p.lastRead,
		URL: s.root(r) + c.sid + "/Participants/" + p.sid,
	}
}

// addParticipant adds a participant without a SID, which it gets.
func (c *conversation) addParticipant(date string, p participant) *participant {
	c.service.counts.participants++
	p.sid, p.created, p.updated = fmt.Sprintf("MB%032x", c.service.counts.participants), date, date
	if p.attributes == "" {
		p.attributes = "{}"
	}
	c.participants = append(c.participants, &p)
	return &p
}

func (s *Sandbox) listParticipants(r *http.Request, c *conversation) response {
	var items []item
	for _, p := range c.participants {
		items = append(items, item{p.sid, s.showParticipant(r, c, p)})
	}
	return s.page(r, listing{key: "participants", defaultSize: 50, maxSize: 100}, items)
}

func (s *Sandbox) createParticipant(r *http.Request, c *conversation) response {
	p := participant{identity: r.Form.Get("Identity"), attributes: r.Form.Get("Attributes"), binding: binding{
		Type: addressType(r.Form.Get("MessagingBinding.Address")), Address: r.Form.Get("MessagingBinding.Address"),
		ProxyAddress: r.Form.Get("MessagingBinding.ProxyAddress"),
	}}
	switch {
	case (p.identity == "") == (p.binding.Address == ""):
		return badRequest(20001, "Give Identity or MessagingBinding.Address, and not both")
	case p.binding.Address != "" && p.binding.ProxyAddress == "":
		return badRequest(20001, "MessagingBinding.ProxyAddress is required with MessagingBinding.Address")
	case !isAttributes(r.Form):
		return badRequest(20001, "Attributes must be JSON")
	case c.find(p.identity) != nil, c.find(p.binding.Address) != nil:
		return refuse(http.StatusConflict, 50433, "Participant already exists")
	case !s.reserve():
		return full()
	}
	added := c.addParticipant(s.date(), p)
	s.fire(r, c, "onParticipantAdded", added.fields("DateCreated", added.created))
	return response{status: http.StatusCreated, body: s.showParticipant(r, c, added)}
}

func (s *Sandbox) fetchParticipant(r *http.Request, c *conversation) response {
	p := c.participant(r)
	if p == nil {
		return notFound(r)
	}
	return response{status: http.StatusOK, body: s.showParticipant(r, c, p)}
}

func (s *Sandbox) updateParticipant(r *http.Request, c *conversation) response {
	p := c.participant(r)
	lastRead, err := number(r.Form, "LastReadMessageIndex", 0)
	switch {
	case p == nil:
		return notFound(r)
	case !isAttributes(r.Form):
		return badRequest(20001, "Attributes must be JSON")
	case err != nil:
		return badRequest(20001, "LastReadMessageIndex must be an integer")
	}
	setText(r.Form, "Attributes", &p.attributes)
	if r.Form.Has("LastReadMessageIndex") {
		p.lastRead = &lastRead
	}
	p.updated = s.date()
	s.fire(r, c, "onParticipantUpdated", p.fields("DateUpdated", p.updated))
	return response{status: http.StatusOK, body: s.showParticipant(r, c, p)}
}

func (s *Sandbox) removeParticipant(r *http.Request, c *conversation) response {
	p := c.participant(r)
	if p == nil {
		return notFound(r)
	}
	c.participants = slices.DeleteFunc(c.participants, func(other *participant) bool { return other == p })
	s.fire(r, c, "onParticipantRemoved", p.fields("DateRemoved", s.date()))
	return response{status: http.StatusNoContent}
}

// participant returns the participant in the path, or nil.
func (c *conversation) participant(r *http.Request) *participant {
	for _, p := range c.participants {
		if p.sid == r.PathValue("participant") {
			return p
		}
	}
	return nil
}

// find returns the participant with an identity or an address, or nil.
func (c *conversation) find(author string) *participant {
	for _, p := range c.participants {
		if author != "" && (author == p.identity || author == p.binding.Address) {
			return p
		}
	}
	return nil
}

// fields are the fields of an event about the participant, with a date.
func (p *participant) fields(dateName, date string) url.Values {
	fields := url.Values{"ParticipantSid": {p.sid}, "Attributes": {p.attributes}, dateName: {date}}
	if p.identity != "" {
		fields.Set("Identity", p.identity)
	} else {
		fields.Set("MessagingBinding.Address", p.binding.Address)
		fields.Set("MessagingBinding.ProxyAddress", p.binding.ProxyAddress)
		fields.Set("MessagingBinding.Type", p.binding.Type)
	}
	if p.lastRead != nil {
		fields.Set("LastReadMessageIndex", strconv.Itoa(*p.lastRead))
	}
	return fields
}

func addressType(address string) string {
	if kind, _, found := strings.Cut(address, ":"); found {
		return kind
	}
	return "sms"
}

// isAttributes reports whether the attributes of a form are JSON, if it has any.
func isAttributes(form url.Values) bool {
	return !form.Has("Attributes") || json.Valid([]byte(form.Get("Attributes")))
}

// A participantConversation is the resource of
// https://www.twilio.com/docs/conversations/api/participant-conversation-resource.
type participantConversation struct {
	AccountSID       string            `json:"account_sid"`
	ChatServiceSID   string            `json:"chat_service_sid"`
	ConversationSID  string            `json:"conversation_sid"`
	ParticipantSID   string            `json:"participant_sid"`
	FriendlyName     *string           `json:"conversation_friendly_name"`
	State            string            `json:"conversation_state"`
	Timers           map[string]string `json:"conversation_timers"`
	Attributes       string            `json:"conversation_attributes"`
	DateCreated      string            `json:"conversation_date_created"`
	DateUpdated      string            `json:"conversation_date_updated"`
	CreatedBy        string            `json:"conversation_created_by"`
	UniqueName       *string           `json:"conversation_unique_name"`
	UserSID          *string           `json:"participant_user_sid"`
	Identity         *string           `json:"participant_identity"`
	MessagingBinding *binding          `json:"participant_messaging_binding"`
	Links            map[string]string `json:"links"`
}

// listParticipantConversations lists the conversations of a participant.
func (s *Sandbox) listParticipantConversations(r *http.Request) response {
	identity, address := r.Form.Get("Identity"), r.Form.Get("Address")
	if (identity == "") == (address == "") {
		return badRequest(20001, "Give Identity or Address, and not both")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var items []item
	for _, c := range s.service(serviceSID(r)).sorted() {
		if p := c.find(identity + address); p != nil && (p.identity == identity) {
			items = append(items, item{c.sid, participantConversation{
				AccountSID: accountSID, ChatServiceSID: c.service.sid, ConversationSID: c.sid, ParticipantSID: p.sid,
				FriendlyName: orNull(c.friendlyName), State: c.state, Timers: map[string]string{}, Attributes: c.attributes,
				DateCreated: c.created, DateUpdated: c.updated, CreatedBy: "system", UniqueName: orNull(c.uniqueName),
				Identity: orNull(p.identity), MessagingBinding: p.binding.orNull(),
				Links: map[string]string{"participant": s.root(r) + c.sid + "/Participants/" + p.sid, "conversation": s.root(r) + c.sid},
			}})
		}
	}
	return s.page(r, listing{key: "conversations", defaultSize: 50, maxSize: 50}, items)
}
