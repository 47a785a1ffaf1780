package twilioapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A NewWebhook has the parameters of a create. They are not checked here. A nil
// field is not sent.
type NewWebhook struct {
	Target      string   // webhook, trigger or studio
	URL         *string  // absolute, at most 512 characters
	Method      *string  // get or post
	Filters     []string // event names
	Triggers    []string // keywords, at most 5
	FlowSID     *string  // FW...
	ReplayAfter *int64   // message index, from 0
}

func (w NewWebhook) form() form {
	f := WebhookUpdate{w.URL, w.Method, w.Filters, w.Triggers, w.FlowSID}.form()
	f.text("Target", &w.Target)
	f.integer("Configuration.ReplayAfter", w.ReplayAfter)
	return f
}

// A WebhookUpdate has the parameters of an update. They are not checked here. A
// nil field is not sent and stays as it is.
type WebhookUpdate struct {
	URL      *string  // absolute, at most 512 characters
	Method   *string  // get or post
	Filters  []string // event names; they replace the old ones
	Triggers []string // keywords, at most 5; they replace the old ones
	FlowSID  *string  // FW...
}

func (w WebhookUpdate) form() form {
	f := form{}
	f.text("Configuration.Url", w.URL)
	f.text("Configuration.Method", w.Method)
	f["Configuration.Filters"] = w.Filters
	f["Configuration.Triggers"] = w.Triggers
	f.text("Configuration.FlowSid", w.FlowSID)
	return f
}

// A webhook is what this package reads of one. A value of another type than
// documented is empty, and its parameter is unreadable.
type webhook struct {
	raw                      json.RawMessage
	sid                      string
	dateCreated, dateUpdated string
	target, url, method      string
	filters, triggers        []string
	flowSID                  string
	replayAfter              *int64
	unreadable               []string // names of parameters
}

// A field is a member of a webhook: the parameter that sets it, if there is one,
// and where its value goes.
type field struct {
	name, parameter string
	value           any
}

// parseWebhook reads a JSON object.
func parseWebhook(raw json.RawMessage) webhook {
	w := webhook{raw: raw}
	var configuration jsontext.Value
	w.read(jsontext.Value(raw), []field{
		{"sid", "", &w.sid},
		{"date_created", "", &w.dateCreated},
		{"date_updated", "", &w.dateUpdated},
		{"target", "Target", &w.target},
		{"configuration", "", &configuration},
	})
	if w.target == "" { // every webhook has one
		w.unreadable = append(w.unreadable, "Target")
	}
	w.read(configuration, []field{
		{"url", "Configuration.Url", &w.url},
		{"method", "Configuration.Method", &w.method},
		{"filters", "Configuration.Filters", &w.filters},
		{"triggers", "Configuration.Triggers", &w.triggers},
		{"flow_sid", "Configuration.FlowSid", &w.flowSID},
		{"replay_after", "Configuration.ReplayAfter", &w.replayAfter},
	})
	return w
}

// read reads the fields of an object one by one, so that one of an odd type costs
// no other. If the object cannot be read, none of its fields can.
func (w *webhook) read(object jsontext.Value, fields []field) {
	var members map[string]jsontext.Value
	_ = jsonv2.Unmarshal(object, &members)
	for _, f := range fields {
		value, ok := members[f.name]
		if members == nil || ok && jsonv2.Unmarshal(value, f.value) != nil {
			w.unreadable = append(w.unreadable, f.parameter)
		}
	}
}

// decodeWebhook decodes the response to a request about one webhook of a
// conversation, and returns its SID too.
func decodeWebhook(scope requestScope, body []byte) (object json.RawMessage, sid string, err error) {
	object, err = decodeObject(body, "", func(name []byte, value jsontext.Value) error {
		switch {
		case string(name) == "sid" && value.Kind() == '"':
			sid = string(value[1 : len(value)-1])
		case string(name) == "conversation_sid" && !scope.allows(value):
			return errors.New("the response is a webhook of another conversation")
		}
		return nil
	})
	if err == nil && !isSID("WH", sid) {
		err = errors.New("the response is not a webhook with a valid SID")
	}
	return object, sid, err
}

// A comparison has the names of the parameters of a write whose values in a webhook
// differ, and of those whose values cannot be read.
type comparison struct {
	got             *webhook
	differs, unread []string
}

// add compares a parameter, if it matters.
func (c *comparison) add(parameter string, matters, equal bool) {
	switch {
	case !matters:
	case slices.Contains(c.got.unreadable, parameter):
		c.unread = append(c.unread, parameter)
	case !equal:
		c.differs = append(c.differs, parameter)
	}
}

// isEqual reports whether everything was read and is equal.
func (c comparison) isEqual() bool { return len(c.differs)+len(c.unread) == 0 }

// compare compares what the target uses, because Twilio ignores the rest, and
// ReplayAfter only if got has it.
func (w NewWebhook) compare(got webhook) comparison {
	callsURL := w.Target != "studio"
	c := comparison{got: &got}
	c.add("Target", true, got.target == w.Target)
	c.add("Configuration.Url", callsURL, SameURL(got.url, deref(w.URL)))
	c.add("Configuration.Method", callsURL, strings.EqualFold(got.method, cmp.Or(deref(w.Method), "post")))
	c.add("Configuration.Filters", w.Target == "webhook" || w.Target == "studio" && len(w.Filters) > 0, sameSet(got.filters, w.Filters))
	c.add("Configuration.Triggers", w.Target == "trigger", sameSet(got.triggers, w.Triggers))
	c.add("Configuration.FlowSid", w.Target == "studio", got.flowSID == deref(w.FlowSID))
	c.add("Configuration.ReplayAfter", got.replayAfter != nil, w.ReplayAfter != nil && got.replayAfter != nil && *got.replayAfter == *w.ReplayAfter)
	return c
}

// compareIdentity compares what makes two webhooks identical, see
// [Client.EnsureWebhook]. A replay is an action of a create, not a property of the
// webhook.
func (w NewWebhook) compareIdentity(got webhook) comparison {
	got.replayAfter = nil
	return w.compare(got)
}

// similar returns what is known of a webhook that differs from w, and whether it
// calls the same URL or runs the same Flow as w would.
func (w NewWebhook) similar(got webhook, differs []string) (SimilarWebhook, bool) {
	s := SimilarWebhook{got.sid, got.target, got.filters, differs}
	if slices.Contains(differs, "Target") {
		s.Differs = []string{"Target"}
	}
	if w.Target == "studio" {
		return s, got.flowSID != "" && got.flowSID == deref(w.FlowSID)
	}
	return s, got.url != "" && SameURL(got.url, deref(w.URL))
}

// ignored returns the names of the given parameters that the target does not use.
func (w NewWebhook) ignored() (names []string) {
	isStudio, isTrigger := w.Target == "studio", w.Target == "trigger"
	add := func(name string, isIgnored bool) {
		if isIgnored {
			names = append(names, name)
		}
	}
	add("Configuration.Url", w.URL != nil && isStudio)
	add("Configuration.Method", w.Method != nil && isStudio)
	add("Configuration.Filters", len(w.Filters) > 0 && isTrigger)
	add("Configuration.Triggers", len(w.Triggers) > 0 && !isTrigger)
	add("Configuration.FlowSid", w.FlowSID != nil && !isStudio)
	return names
}

// compare compares the given parameters.
func (w WebhookUpdate) compare(got webhook) comparison {
	c := comparison{got: &got}
	c.add("Configuration.Url", w.URL != nil, SameURL(got.url, deref(w.URL)))
	c.add("Configuration.Method", w.Method != nil, strings.EqualFold(got.method, deref(w.Method)))
	c.add("Configuration.Filters", w.Filters != nil, sameSet(got.filters, w.Filters))
	c.add("Configuration.Triggers", w.Triggers != nil, sameSet(got.triggers, w.Triggers))
	c.add("Configuration.FlowSid", w.FlowSID != nil, got.flowSID == deref(w.FlowSID))
	return c
}

// parseDate returns the time of a date field; it is not ok if the date is null or
// cannot be read.
func parseDate(date string) (t time.Time, ok bool) {
	t, err := time.Parse(time.RFC3339, date)
	return t, err == nil
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// SameURL reports whether Twilio calls two URLs alike: scheme and host have no case,
// an empty path is "/", the port may be the default one, and the fragment, which
// may hold connection overrides, is not sent (RFC 3986, section 6.2.3).
func SameURL(a, b string) bool { return calledURL(a) == calledURL(b) }

func calledURL(s string) string {
	s, _, _ = strings.Cut(s, "#")
	scheme, rest, found := strings.Cut(s, "://")
	if !found {
		return s
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		end = i
	}
	authority, path := rest[:end], rest[end:]
	host := strings.LastIndexByte(authority, '@') + 1
	scheme, address := strings.ToLower(scheme), strings.ToLower(authority[host:])
	address = strings.TrimSuffix(address, map[string]string{"http": ":80", "https": ":443"}[scheme])
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return scheme + "://" + authority[:host] + address + path
}

func sameSet(a, b []string) bool {
	set := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(set(a), set(b))
}
