package tools

import (
	"slices"
	"strings"

	"twilio-conversations-mcp/twilioapi"
)

// accountEvents are the events that the account and a Service know besides those of
// a conversation's webhooks: pre-action events, and events of no conversation.
const accountEvents = "onConversationAdded, onUserAdded, onUserUpdated, onUserUpdate, onMessageAdd, onMessageUpdate, onMessageRemove, " +
	"onConversationAdd, onConversationUpdate, onConversationRemove, onParticipantAdd, onParticipantUpdate, onParticipantRemove"

func isAccountEvent(name string) bool {
	return slices.Contains(strings.Split(accountEvents, ", "), name)
}

// isPreAction reports whether an event comes before an action: its name ends with a
// verb that is not in the past tense.
func isPreAction(event string) bool { return !strings.HasSuffix(event, "ed") }

// judgeState finds what the state of the conversation means, and whether there is
// anything to call.
func (c *check) judgeState() {
	switch c.conversation.text("state") {
	case "closed":
		c.add(severe, "", "troubleshooting", "The conversation is closed, which is final: nothing happens in it that a webhook could report. Use another conversation.")
	case "inactive":
		c.add(warning, "", "troubleshooting", "The conversation is inactive. A new message or participant makes it active; until then no webhook has anything to report.")
	}
	switch {
	case len(c.webhooks) == maxWebhooks:
		c.add(note, "", "limits", "The conversation has five webhooks, the most there can be: to create another one, delete or change one of them.")
	case len(c.webhooks) > 0 || c.isUnavailable(conversationWebhooks):
	case len(c.result.OtherLevels) > 0:
		c.add(note, "", "levels", "The conversation has no webhook of its own; its events go only to the URLs in other_levels.")
	case len(c.levels) == 2:
		c.add(severe, "", "levels", "Nothing is set at any level: neither the conversation nor its Service nor the account has a webhook. Create one for the conversation.")
	default:
		c.add(warning, "", "levels", "The conversation has no webhook, and not every other level could be read. Create one for the conversation, unless another level has it.")
	}
}

const conversationWebhooks = "the conversation's webhooks"

// judgeWebhook finds what a webhook lacks, and what is wrong with what it has.
func (c *check) judgeWebhook(w resource) {
	sid, target, configuration := w.text("sid"), w.text("target"), w.object("configuration")
	if w.isEmpty("configuration") || configuration == nil {
		return // it cannot be read, so nothing is known to be missing
	}
	need := func(name, parameter string) {
		if configuration.isEmpty(name) && (name != "triggers" || configuration.isEmpty("filters")) { // the documented example has keywords there
			c.add(severe, sid, "targets", "The %s webhook has no %s, without which it does nothing: update it.", target, parameter)
		}
	}
	switch target {
	case "webhook":
		need("url", "Configuration.Url")
		need("filters", "Configuration.Filters")
	case "trigger":
		need("url", "Configuration.Url")
		need("triggers", "Configuration.Triggers")
	case "studio":
		need("flow_sid", "Configuration.FlowSid")
		if configuration.isEmpty("filters") {
			c.add(warning, sid, "targets", "The Flow has no Configuration.Filters; on which events it runs then is not documented. Give onMessageAdded to run it on messages.")
		}
	}
	if target != "studio" {
		c.judgeURL(sid, "The webhook's URL", member[string](configuration, "url"))
	}
	if target != "trigger" {
		c.judgeEvents(sid, configuration.texts("filters"))
	}
}

// judgeURL finds what is wrong with a URL, which subject names, unless it is "".
func (c *check) judgeURL(webhook, subject, address string) {
	if address == "" {
		return
	}
	for _, p := range judgeURL(address, !c.conversation.isEmpty("sandbox_delivers_to")) {
		c.add(p.severity, webhook, "targets", "%s %s", subject, p.text)
	}
}

// judgeEvents finds the events of a webhook that never happen.
func (c *check) judgeEvents(webhook string, names []string) {
	for _, name := range names {
		switch {
		case slices.Contains(Events(), name):
		case isAccountEvent(name):
			c.add(severe, webhook, "levels", "The event %s exists for the account and its Services only, so this webhook never gets it. %s", name, insteadOf(name))
		default:
			c.add(severe, webhook, "events", "The event %s does not exist: it never fires. Valid: %s.", quote(name), events)
		}
	}
}

// insteadOf names the event that follows a pre-action event.
func insteadOf(name string) string {
	for _, event := range Events() {
		if isPreAction(name) && (event == name+"ed" || event == name+"d") {
			return "Use " + event + ", which comes after the action."
		}
	}
	return "Set it there, or remove it."
}

// A hook is what is called on events: by a webhook of the conversation or, then
// without a SID, by the account or the Service.
type hook struct {
	sid, owner string // owner: for a sentence
	url, flow  string // flow: a Studio Flow, or Flex
	events     []string
	keywords   []string // if it fires on messages with one of them only
}

// hooks returns what a level calls.
func (l level) hooks() (all []hook) {
	for _, name := range []string{"pre_webhook_url", "post_webhook_url"} {
		h := hook{owner: "the " + l.name + "'s configuration", url: member[string](l.configuration, name), events: []string{}}
		for _, event := range l.configuration.texts("filters") {
			if isPreAction(event) == strings.HasPrefix(name, "pre") {
				h.events = append(h.events, event)
			}
		}
		if h.url != "" {
			all = append(all, h)
		}
	}
	if l.configuration.text("target") == "flex" {
		all = append(all, hook{owner: "the " + l.name + "'s configuration", flow: "Flex", events: l.configuration.texts("filters")})
	}
	return all
}

// hooks returns everything that is called, at every level.
func (c *check) hooks() (all []hook) {
	for i, w := range c.webhooks {
		configuration, shown := w.object("configuration"), c.result.Webhooks[i]
		all = append(all, hook{shown.SID, shown.SID, member[string](configuration, "url"), configuration.text("flow_sid"), shown.Events, shown.Keywords})
	}
	for _, l := range c.levels {
		all = append(all, l.hooks()...)
	}
	return all
}

// judgeLevels finds what is wrong with the URLs and events of the account and the
// Service.
func (c *check) judgeLevels() {
	for _, l := range c.levels {
		for _, h := range l.hooks() {
			c.judgeURL("", "A URL in "+h.owner, h.url)
		}
		for _, name := range l.configuration.texts("filters") {
			if !slices.Contains(Events(), name) && !isAccountEvent(name) {
				c.add(severe, "", "events", "The %s's configuration has the event %s, which does not exist: it never fires.", l.name, quote(name))
			}
		}
	}
}

// judgeRepeats finds the events that are sent to the same URL, or run the same Flow,
// twice.
func (c *check) judgeRepeats() {
	hooks := c.hooks()
	for i, a := range hooks {
		for _, b := range hooks[i+1:] {
			if c.callSame(a, b) {
				c.judgeRepeat(a, b)
			}
		}
	}
}

// callSame reports whether both call one URL or run one Flow.
func (c *check) callSame(a, b hook) bool {
	return a.url != "" && b.url != "" && twilioapi.SameURL(a.url, b.url) || a.url == "" && a.flow != "" && a.flow == b.flow
}

func (c *check) judgeRepeat(a, b hook) {
	shared := slices.DeleteFunc(slices.Clone(a.events), func(event string) bool { return !slices.Contains(b.events, event) })
	on := strings.Join(knownEvents(shared), ", ")
	if on != "" && len(a.keywords) > 0 {
		on = "messages with a keyword"
	}
	switch {
	case on == "":
	case b.sid == "": // at another level
		c.add(warning, a.sid, "levels", "%s calls the same URL as %s on %s: each may arrive twice. Twilio does not document whether both fire; remove it from one of them.", capitalize(b.owner), a.owner, on)
	case len(a.keywords) > 0 && len(b.keywords) > 0:
		c.add(note, b.sid, "troubleshooting", "%s calls the same URL as %s: a message with keywords of both arrives twice. To avoid it, put the keywords into one webhook.", b.owner, a.owner)
	case len(a.keywords)+len(b.keywords) > 0:
		c.add(warning, b.sid, "troubleshooting", "%s calls the same URL as %s: a message with a keyword arrives twice. Delete the one that is not needed.", b.owner, a.owner)
	default:
		c.add(warning, b.sid, "troubleshooting", "%s calls the same URL or Flow as %s on %s: each arrives twice. Delete one of them, or update it to other events.", b.owner, a.owner, on)
	}
}

func capitalize(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
