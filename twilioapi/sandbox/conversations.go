package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"time"
)

const (
	accountSID     = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	defaultService = "ISaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

	supportSID, supportName = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "support/42"
	emptySID, emptyName     = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "empty room"

	rateLimitedSID = "CH00000000000000000000000000000429"
	unavailableSID = "CH00000000000000000000000000000503"
	badGatewaySID  = "CH00000000000000000000000000000502"
	silentSID      = "CH00000000000000000000000000000000"
)

// A service is a Conversation Service: a world of conversations that no other Service sees.
type service struct {
	conversations map[string]*conversation // by SID, and by unique name where there is one
	made          int                      // conversations by request
	webhooks      *int                     // webhooks made so far, in all Services
}

type conversation struct {
	sid      string
	service  *service
	webhooks []webhook // in order of creation, which is also that of their SIDs
	asked    bool      // whether the first request has been
}

func newService(webhooks *int) *service {
	v := &service{conversations: map[string]*conversation{}, webhooks: webhooks}
	for _, magic := range []string{rateLimitedSID, unavailableSID, badGatewaySID, silentSID} {
		v.open(magic, "")
	}
	v.open(emptySID, emptyName)
	v.open(supportSID, supportName).seed()
	return v
}

func (v *service) open(sid, uniqueName string) *conversation {
	c := &conversation{sid: sid, service: v}
	v.conversations[sid] = c
	if uniqueName != "" {
		v.conversations[uniqueName] = c
	}
	return c
}

// seed adds the webhooks of the documented example as Twilio really returns them: the sample's event names
// belong to an older product, and it shows keywords as filters and methods in lower case.
func (c *conversation) seed() {
	const date = "2016-03-24T21:05:50Z"
	c.add("webhook", date, configuration{URL: "https://example.com", Method: "GET",
		Filters: []string{"onMessageAdded", "onConversationRemoved"}})
	c.add("trigger", date, configuration{URL: "https://example.com", Method: "POST",
		Triggers: []string{"keyword1", "keyword2"}})
	c.add("studio", date, configuration{FlowSID: "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
}

var serviceSIDs = regexp.MustCompile(`^IS[0-9a-fA-F]{32}$`)

// serviceSID is the Service that the path names; a plain path means the default one.
func serviceSID(r *http.Request) string {
	if sid := r.PathValue("service"); sid != "" {
		return sid
	}
	return defaultService
}

// root is where the conversations of r's Service are.
func (s *Sandbox) root(r *http.Request) string {
	if sid := r.PathValue("service"); sid != "" {
		return s.base + "/v1/Services/" + sid + "/Conversations/"
	}
	return s.base + "/v1/Conversations/"
}

// service opens a Service when it is named for the first time. The caller holds the lock.
func (s *Sandbox) service(sid string) *service {
	v, ok := s.services[sid]
	if !ok {
		v = newService(&s.webhooks)
		s.services[sid] = v
	}
	return v
}

// An operation acts on a conversation while nothing else moves.
type operation func(*http.Request, *conversation) answer

// in finds the conversation that the path names, by SID or by unique name, and acts on it.
func (s *Sandbox) in(op operation) handler {
	return func(r *http.Request) answer {
		name := r.PathValue("conversation")
		if name == silentSID {
			<-r.Context().Done()
			return answer{}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		c, ok := s.service(serviceSID(r)).conversations[name]
		if !ok {
			return missing(r, ". "+Guide)
		}
		return c.act(r, op)
	}
}

// act lets op answer, unless the conversation is one that was asked for because it fails.
func (c *conversation) act(r *http.Request, op operation) answer {
	first, write := !c.asked, r.Method == http.MethodPost || r.Method == http.MethodDelete
	c.asked = true
	switch {
	case c.sid == rateLimitedSID && first:
		return refuse(http.StatusTooManyRequests, 20429, "Too many requests").with("Retry-After", "1")
	case c.sid == unavailableSID && write:
		return refuse(http.StatusServiceUnavailable, 20503, "Service unavailable")
	}
	a := op(r, c)
	if c.sid == badGatewaySID && write && a.status < 300 {
		return answer{status: http.StatusBadGateway, body: html("<html><head><title>502 Bad Gateway</title></head>" +
			"<body><h1>502 Bad Gateway</h1></body></html>")}
	}
	return a
}

// createConversation makes just enough of a conversation to put webhooks on:
// https://www.twilio.com/docs/conversations/api/conversation-resource.
func (s *Sandbox) createConversation(r *http.Request) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, uniqueName := s.service(serviceSID(r)), r.Form.Get("UniqueName")
	if _, taken := v.conversations[uniqueName]; taken {
		return refuse(http.StatusConflict, 50353, "Conversation with this UniqueName already exists")
	}
	v.made++
	// From 0x1000 on, so that none is ever one of the magic ones.
	c := v.open(fmt.Sprintf("CH%032x", 0xfff+v.made), uniqueName)
	date := s.date()
	return answer{status: http.StatusCreated, body: created{
		SID: c.sid, AccountSID: accountSID, ChatServiceSID: serviceSID(r),
		UniqueName: orNull(uniqueName), FriendlyName: orNull(r.Form.Get("FriendlyName")),
		State: "active", DateCreated: date, DateUpdated: date, URL: s.root(r) + c.sid,
	}}
}

type created struct {
	SID            string  `json:"sid"`
	AccountSID     string  `json:"account_sid"`
	ChatServiceSID string  `json:"chat_service_sid"`
	UniqueName     *string `json:"unique_name"`
	FriendlyName   *string `json:"friendly_name"`
	State          string  `json:"state"`
	DateCreated    string  `json:"date_created"`
	DateUpdated    string  `json:"date_updated"`
	URL            string  `json:"url"`
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// date is now as Twilio writes it: UTC, whole seconds.
func (s *Sandbox) date() string {
	return s.now().UTC().Format(time.RFC3339)
}
