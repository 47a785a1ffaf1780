package sandbox

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	accountSID     = "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	defaultService = "ISaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	secondService  = "ISbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

	supportSID, supportName = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "support/42"
	emptySID, emptyName     = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "empty room"

	rateLimitedSID = "CH00000000000000000000000000000429"
	unavailableSID = "CH00000000000000000000000000000503"
	badGatewaySID  = "CH00000000000000000000000000000502"
	silentSID      = "CH00000000000000000000000000000000"

	// documentedDate is the date of what a sandbox starts with, as in the documented examples.
	documentedDate = "2016-03-24T21:05:50Z"
)

// A service is a Conversation Service. Services share no conversations.
type service struct {
	sid           string
	conversations map[string]*conversation // by SID, and by unique name if there is one
	hooks         hooks                    // the webhooks of the whole Service
	counts        *counts
}

// counts are the numbers of resources that were created so far, from which their SIDs are made.
type counts struct{ conversations, participants, messages, webhooks, alerts int }

type conversation struct {
	sid      string
	service  *service
	webhooks []webhook // in order of creation, which is also that of their SIDs
	used     bool      // whether there was a request

	uniqueName, friendlyName string
	attributes, state        string
	created, updated         string // dates
	participants             []*participant
	messages                 []*message
	nextIndex                int // of a message
}

func newService(sid string, counts *counts) *service {
	v := &service{sid: sid, conversations: map[string]*conversation{}, counts: counts}
	for _, sid := range []string{rateLimitedSID, unavailableSID, badGatewaySID, silentSID} {
		v.add(sid, "", documentedDate)
	}
	for _, c := range []*conversation{v.add(emptySID, emptyName, documentedDate), v.add(supportSID, supportName, documentedDate)} {
		c.addParticipant(documentedDate, participant{binding: binding{Type: "sms", Address: alice, ProxyAddress: proxyNumber}})
		c.addParticipant(documentedDate, participant{identity: "agent"})
	}
	v.conversations[emptySID].friendlyName = "Alice, order 1234"
	v.conversations[supportSID].friendlyName = "Alice, support"
	v.conversations[supportSID].seed()
	return v
}

// add creates a conversation. The unique name may be empty.
func (v *service) add(sid, uniqueName, date string) *conversation {
	c := &conversation{sid: sid, service: v, uniqueName: uniqueName, attributes: "{}", state: "active", created: date, updated: date}
	v.conversations[sid] = c
	if uniqueName != "" {
		v.conversations[uniqueName] = c
	}
	return c
}

// seed adds the webhooks of the documented example as Twilio really returns them. The example has event names
// of an older product, keywords as filters, and methods in lower case.
func (c *conversation) seed() {
	c.add("webhook", documentedDate, configuration{URL: "https://example.com", Method: "GET",
		Filters: []string{"onMessageAdded", "onConversationRemoved"}})
	c.add("trigger", documentedDate, configuration{URL: "https://example.com", Method: "POST",
		Triggers: []string{"keyword1", "keyword2"}})
	c.add("studio", documentedDate, configuration{FlowSID: "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
}

var serviceSIDs = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^IS[0-9a-fA-F]{32}$`) })

// serviceSID returns the Service in the path; a path without one means the default Service.
func serviceSID(r *http.Request) string {
	if sid := r.PathValue("service"); sid != "" {
		return sid
	}
	return defaultService
}

// host returns the scheme and host of the API that a request is for.
func (s *Sandbox) host(r *http.Request) string {
	if strings.HasPrefix(r.URL.Path, "/v1/Alerts") {
		return s.monitor
	}
	return s.base
}

// version returns the URL of r's version of the API, and of its Service if the path has one.
func (s *Sandbox) version(r *http.Request) string {
	if sid := r.PathValue("service"); sid != "" {
		return s.base + "/v1/Services/" + sid
	}
	return s.base + "/v1"
}

// root returns the URL of the conversations of r's Service, with a slash at the end.
func (s *Sandbox) root(r *http.Request) string { return s.version(r) + "/Conversations/" }

// service returns a Service, which it creates if there is none. The caller holds s.mu.
func (s *Sandbox) service(sid string) *service {
	v, ok := s.services[sid]
	if !ok {
		v = newService(sid, &s.counts)
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

// fails reports whether the conversation is one of those that fail. They are in no list.
func (c *conversation) fails() bool {
	return strings.HasPrefix(c.sid, "CH00000000000000000000000000000")
}

// A conversationResource is the resource of
// https://www.twilio.com/docs/conversations/api/conversation-resource.
type conversationResource struct {
	SID                 string            `json:"sid"`
	AccountSID          string            `json:"account_sid"`
	ChatServiceSID      string            `json:"chat_service_sid"`
	MessagingServiceSID *string           `json:"messaging_service_sid"`
	FriendlyName        *string           `json:"friendly_name"`
	UniqueName          *string           `json:"unique_name"`
	Attributes          string            `json:"attributes"`
	DateCreated         string            `json:"date_created"`
	DateUpdated         string            `json:"date_updated"`
	State               string            `json:"state"`
	Timers              map[string]string `json:"timers"`
	Bindings            map[string]string `json:"bindings"`
	URL                 string            `json:"url"`
	Links               map[string]string `json:"links"`
	// SandboxDeliversTo is the sandbox's own, in the answer to a fetch: where it delivers webhooks to.
	SandboxDeliversTo Deliver `json:"sandbox_delivers_to,omitempty"`
}

func (s *Sandbox) showConversation(r *http.Request, c *conversation) conversationResource {
	url := s.root(r) + c.sid
	return conversationResource{
		SID: c.sid, AccountSID: accountSID, ChatServiceSID: c.service.sid,
		FriendlyName: orNull(c.friendlyName), UniqueName: orNull(c.uniqueName), Attributes: c.attributes,
		DateCreated: c.created, DateUpdated: c.updated, State: c.state,
		Timers: map[string]string{}, Bindings: map[string]string{}, URL: url,
		Links: map[string]string{"participants": url + "/Participants", "messages": url + "/Messages", "webhooks": url + "/Webhooks", "export": url + "/Export"},
	}
}

// sorted returns the conversations of a Service that can be listed, by SID.
func (v *service) sorted() []*conversation {
	var all []*conversation
	for name, c := range v.conversations {
		if name == c.sid && !c.fails() {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b *conversation) int { return strings.Compare(a.sid, b.sid) })
	return all
}

var conversationStates = []string{"active", "inactive", "closed"}

// listConversations lists the conversations in a state, and with a date of creation within a period of days.
func (s *Sandbox) listConversations(r *http.Request) response {
	state, start, end := r.Form.Get("State"), r.Form.Get("StartDate"), r.Form.Get("EndDate")
	if state != "" && !slices.Contains(conversationStates, state) {
		return badRequest(20001, "State must be active, inactive or closed")
	}
	for _, date := range []string{start, end} {
		if _, err := time.Parse(time.DateOnly, date); date != "" && err != nil {
			return badRequest(20001, "StartDate and EndDate must be dates, YYYY-MM-DD")
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var items []item
	for _, c := range s.service(serviceSID(r)).sorted() {
		day := c.created[:len(time.DateOnly)]
		if (state == "" || state == c.state) && day >= start && (end == "" || day <= end) {
			items = append(items, item{c.sid, s.showConversation(r, c)})
		}
	}
	return s.page(r, listing{key: "conversations", defaultSize: 50, maxSize: 100}, items)
}

// createConversation creates a conversation.
func (s *Sandbox) createConversation(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, uniqueName := s.service(serviceSID(r)), r.Form.Get("UniqueName")
	if _, taken := v.conversations[uniqueName]; taken {
		return refuse(http.StatusConflict, 50353, "Conversation with this UniqueName already exists")
	}
	c := &conversation{attributes: "{}", state: "active"}
	if refused := c.set(r.Form); refused.status != 0 {
		return refused
	}
	if !s.reserve() {
		return full()
	}
	c.sid = v.nextSID()
	added := v.add(c.sid, uniqueName, s.date())
	added.friendlyName, added.attributes, added.state = c.friendlyName, c.attributes, c.state
	s.fire(r, added, "onConversationAdded", added.fields("DateCreated"))
	return response{status: http.StatusCreated, body: s.showConversation(r, added)}
}

// nextSID returns the SID of the next conversation. SIDs start at 0x1000, so that none is equal to that of a
// conversation that fails.
func (v *service) nextSID() string {
	v.counts.conversations++
	return fmt.Sprintf("CH%032x", 0xfff+v.counts.conversations)
}

// set changes a conversation as a form says, except for its unique name. It returns the zero response if the
// form is valid.
func (c *conversation) set(form url.Values) response {
	switch state := form.Get("State"); {
	case form.Has("State") && !slices.Contains(conversationStates, state):
		return badRequest(20001, "State must be active, inactive or closed")
	case !isAttributes(form):
		return badRequest(20001, "Attributes must be JSON")
	case c.state == "closed" && state != "closed" && form.Has("State"):
		return badRequest(50377, "The Conversation is closed and cannot be updated")
	}
	setText(form, "State", &c.state)
	setText(form, "FriendlyName", &c.friendlyName)
	setText(form, "Attributes", &c.attributes)
	return response{}
}

func (s *Sandbox) fetchConversation(r *http.Request, c *conversation) response {
	shown := s.showConversation(r, c)
	if s.deliverTo != DeliverNone {
		shown.SandboxDeliversTo = s.deliverTo
	}
	return response{status: http.StatusOK, body: shown}
}

func (s *Sandbox) updateConversation(r *http.Request, c *conversation) response {
	v, uniqueName, before := c.service, r.Form.Get("UniqueName"), *c
	if other := v.conversations[uniqueName]; other != nil && other != c {
		return refuse(http.StatusConflict, 50353, "Conversation with this UniqueName already exists")
	}
	if refused := c.set(r.Form); refused.status != 0 {
		return refused
	}
	if r.Form.Has("UniqueName") {
		delete(v.conversations, c.uniqueName)
		if c.uniqueName = uniqueName; uniqueName != "" {
			v.conversations[uniqueName] = c
		}
	}
	c.updated = s.date()
	if before.friendlyName != c.friendlyName || before.uniqueName != c.uniqueName || before.attributes != c.attributes {
		s.fire(r, c, "onConversationUpdated", c.fields("DateUpdated"))
	}
	if before.state != c.state {
		s.fire(r, c, "onConversationStateUpdated", url.Values{
			"ChatServiceSid": {v.sid}, "StateFrom": {before.state}, "StateTo": {c.state}, "StateUpdated": {c.updated}, "Reason": {"API"},
		})
	}
	return response{status: http.StatusOK, body: s.showConversation(r, c)}
}

func (s *Sandbox) removeConversation(r *http.Request, c *conversation) response {
	delete(c.service.conversations, c.sid)
	delete(c.service.conversations, c.uniqueName)
	fields := c.fields("DateUpdated")
	fields.Set("DateRemoved", s.date())
	s.fire(r, c, "onConversationRemoved", fields)
	return response{status: http.StatusNoContent}
}

// fields are the fields of an event about the conversation, with one of its dates.
func (c *conversation) fields(date string) url.Values {
	return url.Values{
		"FriendlyName": {c.friendlyName}, "UniqueName": {c.uniqueName}, "Attributes": {c.attributes},
		date: {map[string]string{"DateCreated": c.created, "DateUpdated": c.updated}[date]},
	}
}

func setText(form url.Values, name string, to *string) {
	if form.Has(name) {
		*to = form.Get(name)
	}
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
