package sandbox

import (
	"fmt"
	"net/http"
	"regexp"
	"sync"
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

// A service is a Conversation Service. Services share no conversations.
type service struct {
	conversations map[string]*conversation // by SID, and by unique name if there is one
	created       int                      // conversations created by requests
	webhooks      *int                     // webhooks created so far, in all Services
}

type conversation struct {
	sid      string
	service  *service
	webhooks []webhook // in order of creation, which is also that of their SIDs
	used     bool      // whether there was a request
}

func newService(webhooks *int) *service {
	v := &service{conversations: map[string]*conversation{}, webhooks: webhooks}
	for _, sid := range []string{rateLimitedSID, unavailableSID, badGatewaySID, silentSID} {
		v.add(sid, "")
	}
	v.add(emptySID, emptyName)
	v.add(supportSID, supportName).seed()
	return v
}

// add creates a conversation. The unique name may be empty.
func (v *service) add(sid, uniqueName string) *conversation {
	c := &conversation{sid: sid, service: v}
	v.conversations[sid] = c
	if uniqueName != "" {
		v.conversations[uniqueName] = c
	}
	return c
}

// seed adds the webhooks of the documented example as Twilio really returns them. The example has event names
// of an older product, keywords as filters, and methods in lower case.
func (c *conversation) seed() {
	const date = "2016-03-24T21:05:50Z"
	c.add("webhook", date, configuration{URL: "https://example.com", Method: "GET",
		Filters: []string{"onMessageAdded", "onConversationRemoved"}})
	c.add("trigger", date, configuration{URL: "https://example.com", Method: "POST",
		Triggers: []string{"keyword1", "keyword2"}})
	c.add("studio", date, configuration{FlowSID: "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
}

var serviceSIDs = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^IS[0-9a-fA-F]{32}$`) })

// serviceSID returns the Service in the path; a path without one means the default Service.
func serviceSID(r *http.Request) string {
	if sid := r.PathValue("service"); sid != "" {
		return sid
	}
	return defaultService
}

// root returns the URL of the conversations of r's Service, with a slash at the end.
func (s *Sandbox) root(r *http.Request) string {
	if sid := r.PathValue("service"); sid != "" {
		return s.base + "/v1/Services/" + sid + "/Conversations/"
	}
	return s.base + "/v1/Conversations/"
}

// service returns a Service, which it creates if there is none. The caller holds s.mu.
func (s *Sandbox) service(sid string) *service {
	v, ok := s.services[sid]
	if !ok {
		v = newService(&s.webhooks)
		s.services[sid] = v
	}
	return v
}

// An operation handles a request for a conversation. The caller holds the sandbox's mutex.
type operation func(*http.Request, *conversation) response

// conversation returns a handler that finds the conversation in the path, by SID or by unique name, and calls op.
func (s *Sandbox) conversation(op operation) handler {
	return func(r *http.Request) response {
		name := r.PathValue("conversation")
		if name == silentSID {
			<-r.Context().Done()
			return response{}
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		c, ok := s.service(serviceSID(r)).conversations[name]
		if !ok {
			return notFoundHint(r, ". "+Guide)
		}
		return c.handle(r, op)
	}
}

// handle calls op, unless the conversation is one of those that fail.
func (c *conversation) handle(r *http.Request, op operation) response {
	first, write := !c.used, r.Method == http.MethodPost || r.Method == http.MethodDelete
	c.used = true
	switch {
	case c.sid == rateLimitedSID && first:
		return refuse(http.StatusTooManyRequests, 20429, "Too many requests").with("Retry-After", "1")
	case c.sid == unavailableSID && write:
		return refuse(http.StatusServiceUnavailable, 20503, "Service unavailable")
	}
	res := op(r, c)
	if c.sid == badGatewaySID && write && res.status < 300 {
		return response{status: http.StatusBadGateway, body: html("<html><head><title>502 Bad Gateway</title></head>" +
			"<body><h1>502 Bad Gateway</h1></body></html>")}
	}
	return res
}

// createConversation creates a conversation with the fields that webhooks need:
// https://www.twilio.com/docs/conversations/api/conversation-resource.
func (s *Sandbox) createConversation(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, uniqueName := s.service(serviceSID(r)), r.Form.Get("UniqueName")
	if _, taken := v.conversations[uniqueName]; taken {
		return refuse(http.StatusConflict, 50353, "Conversation with this UniqueName already exists")
	}
	v.created++
	// SIDs start at 0x1000, so that none is equal to that of a conversation that fails.
	c := v.add(fmt.Sprintf("CH%032x", 0xfff+v.created), uniqueName)
	date := s.date()
	return response{status: http.StatusCreated, body: createdConversation{
		SID: c.sid, AccountSID: accountSID, ChatServiceSID: serviceSID(r),
		UniqueName: orNull(uniqueName), FriendlyName: orNull(r.Form.Get("FriendlyName")),
		State: "active", DateCreated: date, DateUpdated: date, URL: s.root(r) + c.sid,
	}}
}

type createdConversation struct {
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

// date returns the current time as Twilio writes it: UTC, whole seconds.
func (s *Sandbox) date() string {
	return s.now().UTC().Format(time.RFC3339)
}
