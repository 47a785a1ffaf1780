package sandbox

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// hooks are the webhooks of the account, or of a Service.
type hooks struct {
	preURL, postURL string
	method          string // of both; empty means POST
	filters         []string
	target          string // of the account: webhook or flex
}

// preEvents are the events before an action, and moreEvents those after an action that conversations do not have:
// both are for the account and Services only.
var (
	preEvents = []string{
		"onMessageAdd", "onMessageUpdate", "onMessageRemove", "onConversationAdd", "onConversationUpdate", "onConversationRemove",
		"onParticipantAdd", "onParticipantUpdate", "onParticipantRemove", "onUserUpdate",
	}
	moreEvents = []string{"onConversationAdded", "onUserAdded", "onUserUpdated"}
)

func isLevelEvent(name string) bool {
	return isEvent(name) || slices.Contains(preEvents, name) || slices.Contains(moreEvents, name)
}

// set changes what a form has. It returns the zero response if the form is valid.
func (h *hooks) set(form url.Values, isAccount bool) response {
	target := form.Get("Target")
	switch {
	case form.Has("Method") && !isMethod(form.Get("Method")):
		return badRequest(20001, "Method must be GET or POST")
	case !each(isLevelEvent)(form["Filters"]):
		return badRequest(50365, "Filters has a name that is not an event")
	case isAccount && form.Has("Target") && target != "webhook" && target != "flex":
		return badRequest(20001, "Target must be webhook or flex")
	}
	setText(form, "PreWebhookUrl", &h.preURL)
	setText(form, "PostWebhookUrl", &h.postURL)
	setText(form, "Method", &h.method)
	h.method = strings.ToUpper(h.method)
	if form.Has("Filters") {
		h.filters = form["Filters"]
	}
	if isAccount {
		setText(form, "Target", &h.target)
	}
	return response{}
}

// levelWebhooks shows the webhooks of the account, or of the Service in the path, and changes them first if the request is
// a POST.
func (s *Sandbox) levelWebhooks(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	h, isAccount := &s.hooks, r.PathValue("service") == ""
	if !isAccount {
		h = &s.service(r.PathValue("service")).hooks
	}
	if r.Method == http.MethodPost {
		if refused := h.set(r.Form, isAccount); refused.status != 0 {
			return refused
		}
	}
	body := map[string]any{
		"account_sid": accountSID, "pre_webhook_url": orNull(h.preURL), "post_webhook_url": orNull(h.postURL),
		"method": orNull(h.method), "filters": h.filters, "url": s.version(r) + "/Configuration/Webhooks",
	}
	if isAccount {
		body["target"] = cmp.Or(h.target, "webhook")
	} else {
		body["chat_service_sid"] = r.PathValue("service")
	}
	return response{status: http.StatusOK, body: body}
}

// showDefaults shows the account's default Service.
func (s *Sandbox) showDefaults(r *http.Request) response {
	url := s.base + "/v1/Configuration"
	return response{status: http.StatusOK, body: map[string]any{
		"account_sid": accountSID, "default_chat_service_sid": defaultService, "default_messaging_service_sid": nil,
		"default_inactive_timer": nil, "default_closed_timer": nil, "url": url,
		"links": map[string]string{"service": s.base + "/v1/Services/" + defaultService, "webhooks": url + "/Webhooks"},
	}}
}

// listServices lists the Services with which the sandbox starts, and those that requests created or named.
func (s *Sandbox) listServices(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	var items []item
	sids := slices.AppendSeq(slices.Collect(maps.Keys(s.names)), maps.Keys(s.services))
	slices.Sort(sids)
	for _, sid := range slices.Compact(sids) {
		items = append(items, item{sid, s.showService(sid)})
	}
	return s.page(r, listing{key: "services", defaultSize: 50, maxSize: 100}, items)
}

func (s *Sandbox) createService(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Form.Get("FriendlyName") == "" {
		return badRequest(20001, "FriendlyName is required")
	}
	if !s.reserve() {
		return full()
	}
	sid := fmt.Sprintf("IS%032x", len(s.names))
	s.service(sid).conversations = map[string]*conversation{}
	s.names[sid] = r.Form.Get("FriendlyName")
	return response{status: http.StatusCreated, body: s.showService(sid)}
}

func (s *Sandbox) showService(sid string) map[string]any {
	url := s.base + "/v1/Services/" + sid
	return map[string]any{
		"sid": sid, "account_sid": accountSID, "friendly_name": cmp.Or(s.names[sid], "Service "+sid[:4]), "date_created": documentedDate,
		"date_updated": documentedDate, "url": url,
		"links": map[string]string{"conversations": url + "/Conversations", "configuration": url + "/Configuration",
			"participant_conversations": url + "/ParticipantConversations"},
	}
}

// An address is an address configuration: a Twilio number whose first message from an unknown number creates a
// conversation with a webhook. See https://www.twilio.com/docs/conversations/api/address-configuration-resource.
type address struct {
	sid, kind, number, name string
	created                 string
	isEnabled               bool
	service                 string // of the conversations
	creation                string // what a conversation gets: webhook, studio or default
	webhook                 configuration
}

func (s *Sandbox) showAddress(a address) map[string]any {
	creation := map[string]any{"enabled": a.isEnabled, "type": a.creation, "conversation_service_sid": a.service}
	switch a.creation {
	case "webhook":
		creation["webhook_url"], creation["webhook_method"], creation["webhook_filters"] = a.webhook.URL, a.webhook.Method, a.webhook.Filters
	case "studio":
		creation["studio_flow_sid"], creation["studio_retry_count"] = a.webhook.FlowSID, 0
	}
	return map[string]any{
		"sid": a.sid, "account_sid": accountSID, "type": a.kind, "address": a.number, "friendly_name": orNull(a.name),
		"address_country": nil, "auto_creation": creation, "date_created": a.created, "date_updated": a.created,
		"url": s.base + "/v1/Configuration/Addresses/" + a.sid,
	}
}

func (s *Sandbox) listAddresses(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	var items []item
	for _, a := range s.addresses {
		if kind := r.Form.Get("Type"); kind == "" || kind == a.kind {
			items = append(items, item{a.sid, s.showAddress(a)})
		}
	}
	return s.page(r, listing{key: "address_configurations", defaultSize: 50, maxSize: 100}, items)
}

func (s *Sandbox) createAddress(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := address{
		kind: r.Form.Get("Type"), number: r.Form.Get("Address"), name: r.Form.Get("FriendlyName"), created: s.date(),
		isEnabled: r.Form.Get("AutoCreation.Enabled") == "true", creation: cmp.Or(r.Form.Get("AutoCreation.Type"), "default"),
		service: cmp.Or(r.Form.Get("AutoCreation.ConversationServiceSid"), defaultService),
		webhook: configuration{URL: r.Form.Get("AutoCreation.WebhookUrl"), Filters: r.Form["AutoCreation.WebhookFilters"],
			Method: strings.ToUpper(cmp.Or(r.Form.Get("AutoCreation.WebhookMethod"), "POST")), FlowSID: r.Form.Get("AutoCreation.StudioFlowSid")},
	}
	switch {
	case a.kind == "" || a.number == "":
		return badRequest(20001, "Type and Address are required")
	case !slices.Contains([]string{"webhook", "studio", "default"}, a.creation):
		return badRequest(20001, "AutoCreation.Type must be webhook, studio or default")
	case !serviceSIDs().MatchString(a.service):
		return badRequest(20001, "AutoCreation.ConversationServiceSid must be IS and 32 hexadecimal digits")
	case !each(isEvent)(a.webhook.Filters):
		return badRequest(50365, "AutoCreation.WebhookFilters has a name that is not an event of a Conversation")
	case !isMethod(a.webhook.Method):
		return badRequest(20001, "AutoCreation.WebhookMethod must be get or post")
	case !s.reserve():
		return full()
	}
	a.sid = fmt.Sprintf("IG%032x", len(s.addresses)+1)
	s.addresses = append(s.addresses, a)
	return response{status: http.StatusCreated, body: s.showAddress(a)}
}

// open returns the first conversation that is not closed and has a participant with both numbers, or nil. The caller
// holds s.mu.
func (s *Sandbox) open(from, to string) *conversation {
	for _, sid := range slices.Sorted(maps.Keys(s.services)) {
		for _, c := range s.services[sid].sorted() {
			if p := c.find(from); p != nil && c.state != "closed" && p.binding.Address == from && p.binding.ProxyAddress == to {
				return c
			}
		}
	}
	return nil
}

// createFor creates the conversation that the first message from an unknown number begins, or returns nil if the
// number that it was sent to creates none. The caller holds s.mu.
func (s *Sandbox) createFor(from, to string) *conversation {
	i := slices.IndexFunc(s.addresses, func(a address) bool { return a.isEnabled && a.number == to })
	if i < 0 || !s.reserve() {
		return nil
	}
	a := s.addresses[i]
	v := s.service(a.service)
	c := v.add(v.nextSID(), "", s.date())
	c.addParticipant(c.created, participant{binding: binding{Type: addressType(from), Address: from, ProxyAddress: to}})
	if a.creation != "default" {
		c.add(a.creation, c.created, a.webhook.only(a.creation))
	}
	return c
}

// only returns the part of a configuration that a target uses.
func (c configuration) only(target string) configuration {
	if target == "studio" {
		return configuration{FlowSID: c.FlowSID}
	}
	return configuration{URL: c.URL, Method: c.Method, Filters: c.Filters}
}
