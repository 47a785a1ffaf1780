package twilioapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
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

// A webhook is what this package reads of one.
type webhook struct {
	raw  json.RawMessage
	id   webhookID
	body webhookBody
	err  error // why body could not be read
}

type webhookID struct {
	SID             string  `json:"sid"`
	ConversationSID *string `json:"conversation_sid"`
}

type webhookBody struct {
	Target        string `json:"target"`
	DateCreated   string `json:"date_created"`
	DateUpdated   string `json:"date_updated"`
	Configuration struct {
		URL         string   `json:"url"`
		Method      string   `json:"method"`
		Filters     []string `json:"filters"`
		Triggers    []string `json:"triggers"`
		FlowSID     string   `json:"flow_sid"`
		ReplayAfter *int64   `json:"replay_after"`
	} `json:"configuration"`
}

// parseWebhook reads a JSON object. An SID that cannot be read is empty.
func parseWebhook(raw json.RawMessage) webhook {
	w := webhook{raw: raw}
	if jsonv2.Unmarshal(raw, &w.id) != nil {
		w.id.SID = ""
	}
	w.err = jsonv2.Unmarshal(raw, &w.body)
	return w
}

// decodeWebhook decodes the response to a request about one webhook of a
// conversation.
func decodeWebhook(scope requestScope, body []byte) (webhook, error) {
	object, err := decodeObject(body)
	if err != nil {
		return webhook{}, err
	}
	w := parseWebhook(object)
	switch {
	case !webhookSID().MatchString(w.id.SID):
		return webhook{}, errors.New("the response is not a webhook with a valid SID")
	case !scope.allows(w.id.ConversationSID):
		return webhook{}, errors.New("the response is a webhook of another conversation")
	}
	return w, nil
}

// differences returns the names of the parameters whose values in got differ. It
// compares what the target uses, because Twilio ignores the rest, and ReplayAfter
// only if got has it.
func (w NewWebhook) differences(got webhook) []string {
	c := got.body.Configuration
	callsURL := w.Target != "studio"
	var d differences
	d.add("Target", got.body.Target != w.Target)
	d.add("Configuration.Url", callsURL && c.URL != deref(w.URL))
	d.add("Configuration.Method", callsURL && !strings.EqualFold(c.Method, cmp.Or(deref(w.Method), "post")))
	d.add("Configuration.Filters", (w.Target == "webhook" || w.Target == "studio" && len(w.Filters) > 0) && !sameSet(c.Filters, w.Filters))
	d.add("Configuration.Triggers", w.Target == "trigger" && !sameSet(c.Triggers, w.Triggers))
	d.add("Configuration.FlowSid", w.Target == "studio" && c.FlowSID != deref(w.FlowSID))
	d.add("Configuration.ReplayAfter", c.ReplayAfter != nil && (w.ReplayAfter == nil || *c.ReplayAfter != *w.ReplayAfter))
	return d
}

// matches reports whether got can be read and has the values of w.
func (w NewWebhook) matches(got webhook) bool { return got.err == nil && len(w.differences(got)) == 0 }

// ensureDifferences returns the names of the parameters in which got is not identical
// to w, see [Client.EnsureWebhook]. A replay is an action of a create, not a property
// of the webhook.
func (w NewWebhook) ensureDifferences(got webhook) []string {
	c := &got.body.Configuration
	w.ReplayAfter = c.ReplayAfter
	if sameURL(c.URL, deref(w.URL)) {
		w.URL = &c.URL
	}
	return w.differences(got)
}

// similar returns what is known of a webhook, and whether it calls the same URL or
// runs the same Flow as w would.
func (w NewWebhook) similar(got webhook) (SimilarWebhook, bool) {
	c := got.body.Configuration
	s := SimilarWebhook{got.id.SID, got.body.Target, c.Filters, w.ensureDifferences(got)}
	if slices.Contains(s.Differs, "Target") {
		s.Differs = []string{"Target"}
	}
	if w.Target == "studio" {
		return s, c.FlowSID != "" && c.FlowSID == deref(w.FlowSID)
	}
	return s, c.URL != "" && sameURL(c.URL, deref(w.URL))
}

// ignored returns the names of the given parameters that the target does not use.
func (w NewWebhook) ignored() []string {
	isStudio, isTrigger := w.Target == "studio", w.Target == "trigger"
	var d differences
	d.add("Configuration.Url", w.URL != nil && isStudio)
	d.add("Configuration.Method", w.Method != nil && isStudio)
	d.add("Configuration.Filters", len(w.Filters) > 0 && isTrigger)
	d.add("Configuration.Triggers", len(w.Triggers) > 0 && !isTrigger)
	d.add("Configuration.FlowSid", w.FlowSID != nil && !isStudio)
	return d
}

// differences returns the names of the given parameters whose values in got
// differ.
func (w WebhookUpdate) differences(got webhook) []string {
	c := got.body.Configuration
	var d differences
	d.add("Configuration.Url", w.URL != nil && c.URL != *w.URL)
	d.add("Configuration.Method", w.Method != nil && !strings.EqualFold(c.Method, *w.Method))
	d.add("Configuration.Filters", w.Filters != nil && !sameSet(c.Filters, w.Filters))
	d.add("Configuration.Triggers", w.Triggers != nil && !sameSet(c.Triggers, w.Triggers))
	d.add("Configuration.FlowSid", w.FlowSID != nil && c.FlowSID != *w.FlowSID)
	return d
}

// differences are names of parameters.
type differences []string

func (d *differences) add(name string, differs bool) {
	if differs {
		*d = append(*d, name)
	}
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

// emptyPath matches a URL without a path, which is the same as one with the path "/"
// (RFC 3986, section 6.2.3).
var emptyPath = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(https?://[^/?#]+)([?#]|$)`) })

func sameURL(a, b string) bool {
	withPath := func(url string) string { return emptyPath().ReplaceAllString(url, "$1/$2") }
	return withPath(a) == withPath(b)
}

func sameSet(a, b []string) bool {
	set := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(set(a), set(b))
}
