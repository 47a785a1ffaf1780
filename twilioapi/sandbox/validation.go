package sandbox

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// A configuration has only what its target uses. It has replay_after only if that was sent, 0 included.
type configuration struct {
	URL         string   `json:"url,omitempty"`
	Method      string   `json:"method,omitempty"`
	Filters     []string `json:"filters,omitempty"`
	Triggers    []string `json:"triggers,omitempty"`
	FlowSID     string   `json:"flow_sid,omitempty"`
	ReplayAfter *int64   `json:"replay_after,omitempty"`
}

const (
	callbackURL = "Configuration.Url"
	method      = "Configuration.Method"
	filters     = "Configuration.Filters"
	triggers    = "Configuration.Triggers"
	flowSID     = "Configuration.FlowSid"
	replayAfter = "Configuration.ReplayAfter"
)

// A targetParameter is a parameter that a target uses. If the target needs it, missing is the error code.
type targetParameter struct {
	name    string
	missing int
}

// targetParameters are the parameters of each target. Others are ignored; replayAfter is for creates only.
var targetParameters = map[string][]targetParameter{
	"webhook": {{callbackURL, 50369}, {filters, 50370}, {method, 0}},
	"trigger": {{callbackURL, 50369}, {triggers, 50371}, {method, 0}},
	"studio":  {{flowSID, 50367}, {filters, 0}},
}

// events are those that a conversation-scoped webhook can fire on:
// https://www.twilio.com/docs/conversations/conversations-webhooks.
var events = []string{
	"onMessageAdded", "onMessageUpdated", "onMessageRemoved",
	"onConversationUpdated", "onConversationStateUpdated", "onConversationRemoved",
	"onParticipantAdded", "onParticipantUpdated", "onParticipantRemoved",
	"onDeliveryUpdated",
}

var flowSIDs = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^FW[0-9a-fA-F]{32}$`) })

func isFlowSID(text string) bool { return flowSIDs().MatchString(text) }
func isMethod(text string) bool {
	return strings.EqualFold(text, "get") || strings.EqualFold(text, "post")
}

// rules are the limits of the error dictionary (https://www.twilio.com/docs/api/errors, 50360 to 50372) for
// the values of parameters, in the order in which they are checked.
var rules = []struct {
	parameter string
	valid     func(values []string) bool
	code      int
	message   string
}{
	{callbackURL, first(notEmpty), 50369, "Configuration.Url must not be empty"},
	{callbackURL, first(upTo(512)), 50372, "Configuration.Url must not be longer than 512 characters"},
	{filters, each(isEvent), 50365, "Configuration.Filters has a name that is not an event of a Conversation"},
	{triggers, atMostFive, 50362, "Configuration.Triggers must not have more than 5 keywords"},
	{triggers, each(notEmpty), 50366, "Configuration.Triggers has an empty keyword"},
	{triggers, each(upTo(248)), 50366, "Configuration.Triggers has a keyword of more than 248 characters"},
	{flowSID, first(isFlowSID), 50367, "Configuration.FlowSid must be FW and 32 hexadecimal digits"},
	{method, first(isMethod), 20001, "Configuration.Method must be get or post"},
	{replayAfter, first(isInteger), 20001, "Configuration.ReplayAfter must be an integer"},
}

type condition = func(string) bool

func first(is condition) func([]string) bool {
	return func(values []string) bool { return is(values[0]) }
}

func each(is condition) func([]string) bool {
	return func(values []string) bool {
		return !slices.ContainsFunc(values, func(v string) bool { return !is(v) })
	}
}

func upTo(characters int) condition {
	return func(v string) bool { return utf8.RuneCountInString(v) <= characters }
}

func atMostFive(values []string) bool { return len(values) <= 5 }
func notEmpty(v string) bool          { return v != "" }
func isEvent(v string) bool           { return slices.Contains(events, v) }
func isInteger(v string) bool         { _, err := strconv.ParseInt(v, 10, 64); return err == nil }

func badRequest(code int, format string, args ...any) response {
	return refuse(http.StatusBadRequest, code, fmt.Sprintf(format, args...))
}

// incomplete refuses a form without a parameter that every webhook or its target needs. It returns the zero
// response if none is missing.
func incomplete(form url.Values) response {
	target := form.Get("Target")
	if target == "" {
		return badRequest(50368, "Target is required")
	}
	if targetParameters[target] == nil {
		return badRequest(50364, "Target must be webhook, studio or trigger")
	}
	for _, p := range targetParameters[target] {
		empty := p.name == callbackURL && form.Get(callbackURL) == ""
		if p.missing != 0 && (empty || !form.Has(p.name)) {
			return badRequest(p.missing, "%s is required for a %s target", p.name, target)
		}
	}
	return response{}
}

// given returns the part of a form that a target uses.
func given(form url.Values, target string) url.Values {
	part := url.Values{}
	for _, p := range targetParameters[target] {
		if form.Has(p.name) {
			part[p.name] = form[p.name]
		}
	}
	return part
}

// invalid refuses values that break a rule. It returns the zero response if none does.
func invalid(given url.Values) response {
	for _, rule := range rules {
		if given.Has(rule.parameter) && !rule.valid(given[rule.parameter]) {
			return badRequest(rule.code, "%s", rule.message)
		}
	}
	return response{}
}

// with returns the configuration with the given parameters, which must be valid, in place of the old ones.
func (c configuration) with(given url.Values) configuration {
	for parameter, values := range given {
		switch parameter {
		case callbackURL: // the method is POST unless one is or was given
			c.URL, c.Method = values[0], cmp.Or(c.Method, http.MethodPost)
		case method:
			c.Method = strings.ToUpper(values[0])
		case filters: // a set: Twilio does not keep the order in which they were sent
			c.Filters = slices.Compact(slices.Sorted(slices.Values(values)))
			slices.Reverse(c.Filters)
		case triggers:
			c.Triggers = values
		case flowSID:
			c.FlowSID = values[0]
		case replayAfter:
			index, _ := strconv.ParseInt(values[0], 10, 64)
			c.ReplayAfter = &index
		}
	}
	return c
}
