package sandbox

import (
	"cmp"
	"net/url"

	"twilio-conversations-mcp/internal/markup"
)

// A shownConversation is a conversation as the page has it.
type shownConversation struct {
	sid, name, state, service string
	uniqueName                string
	participants              []string // identities and addresses
	webhooks                  []webhook
	messages                  []message // the last ones
}

// document returns an HTML document.
func document(title string, body markup.HTML) markup.HTML {
	return markup.Format(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<link rel="stylesheet" href="/_sandbox/style.css">
<link rel="icon" href="data:,">
</head>
<body>
%s</body>
</html>
`, title, body)
}

// page shows conversations, and in a frame the deliveries to a webhook, or all if hook
// is empty. The token is the one that signs, if it is the sandbox's own.
func page(conversations []shownConversation, hook, token string) markup.HTML {
	signedBy := markup.HTML("your <code>TWILIO_AUTH_TOKEN</code>")
	if token != "" {
		signedBy = markup.Format("the token of the sandbox, <code>%s</code>", token)
	}
	option := func(value, text string) markup.HTML {
		return markup.Format(`<option value="%s"%s>%s</option>
`, value, markup.If(value == hook, " selected"), text)
	}
	return document("Sandbox of Twilio Conversations", markup.Format(`<header><h1>Sandbox of Twilio Conversations</h1></header>
<main>
<p>Write as a participant, and see what the webhooks of the conversation get. The receiver can trust a request if its
signature is valid for %s.</p>
<section aria-labelledby="sent">
<h2 id="sent">Sent</h2>
<form action="/" method="get">
<label for="webhook">Webhook</label>
<select id="webhook" name="webhook">
%s%s%s%s</select>
<button>Show</button>
</form>
<iframe title="Deliveries, the newest first" src="/_sandbox/log?webhook=%s"></iframe>
</section>
<section aria-labelledby="conversations">
<h2 id="conversations">Conversations</h2>
%s</section>
</main>
`, signedBy, option("", "all"), markup.Each(conversations, func(c shownConversation) markup.HTML {
		return markup.Each(c.webhooks, func(h webhook) markup.HTML { return option(h.SID, h.SID) })
	}), option("service", "of the Service"), option("account", "of the account"), url.QueryEscape(hook), markup.Each(conversations, shownConversation.html)))
}

func (c shownConversation) html() markup.HTML {
	webhooks := markup.HTML("<p>No webhook.</p>")
	if len(c.webhooks) > 0 {
		webhooks = markup.Format("<ul>\n%s</ul>", markup.Each(c.webhooks, webhook.html))
	}
	messages := markup.If(len(c.messages) > 0, markup.Format("<ol class=\"messages\">\n%s</ol>", markup.Each(c.messages, func(m message) markup.HTML {
		return markup.Format("<li><b>%s</b> %s</li>\n", m.author, m.body)
	})))
	return markup.Format(`<article id="%[1]s">
<h3>%[2]s <span class="state">%[3]s</span></h3>
<p class="sid">%[1]s%[4]s · in %[5]s</p>
%[6]s
%[7]s
%[8]s
</article>
`, c.sid, cmp.Or(c.name, c.uniqueName, c.sid), c.state, markup.If(c.uniqueName != "", markup.Format(" · <q>%s</q>", c.uniqueName)), c.service,
		webhooks, messages, markup.If(len(c.participants) > 0 && c.state != "closed", c.form()))
}

// form is the form that writes a message in the name of a participant.
func (c shownConversation) form() markup.HTML {
	return markup.Format(`<form action="/_sandbox/messages" method="post" class="write">
<input type="hidden" name="ConversationSid" value="%[1]s">
<label for="author-%[1]s-%[2]s">Write as</label>
<select id="author-%[1]s-%[2]s" name="Author">%[3]s</select>
<label for="body-%[1]s-%[2]s">Message</label>
<input id="body-%[1]s-%[2]s" name="Body" value="Hello" maxlength="1600" required>
<button>Send</button>
</form>`, c.sid, c.service, elements("<option>%s</option>", c.participants))
}

func (h webhook) html() markup.HTML {
	to := h.Configuration
	return markup.Format("<li><code>%s</code> %s %s %s %s\n%s%s</li>\n", h.SID, h.Target, to.Method, to.URL, to.FlowSID,
		elements(`<span class="event">%s</span> `, to.Filters), elements("<q>%s</q> ", to.Triggers))
}

// elements returns an element for each text.
func elements(format string, texts []string) markup.HTML {
	return markup.Each(texts, func(text string) markup.HTML { return markup.Format(format, text) })
}

// deliveryLog shows deliveries, and all of the one that is open.
func deliveryLog(deliveries []Delivery, hook string, open int) markup.HTML {
	entries := markup.Each(deliveries, func(d Delivery) markup.HTML { return d.html(hook, d.ID == open) })
	if entries == "" {
		entries = "<p>Nothing was sent yet.</p>\n"
	}
	return document("Deliveries", markup.Format(`<main>
<h1 class="hidden">Deliveries</h1>
%s</main>
`, entries))
}

func (d Delivery) html(hook string, isOpen bool) markup.HTML {
	details := markup.Format(`<p><a href="/_sandbox/log?webhook=%[1]s&amp;open=%[2]d#d%[2]d">Request and answer %[2]d</a></p>
`, url.QueryEscape(hook), d.ID)
	if isOpen {
		details = d.details(hook)
	}
	sent := markup.Format("%s %s", d.Method, d.URL)
	if d.Flow != "" {
		sent = markup.Format("runs %s", d.Flow)
	}
	return markup.Format(`<article id="d%[1]d">
<h2><span class="event">%[2]s</span> %[3]s</h2>
<p>%[4]s · <code>%[5]s</code> ·
%[6]s
· %.1[7]f ms</p>
%[8]s<form action="/_sandbox/deliveries/%[1]d" method="post">
<input type="hidden" name="webhook" value="%[9]s">
<button aria-label="Send again, delivery %[1]d">Send again</button>
</form>
</article>
`, d.ID, d.Event, sent, d.Time.Format("15:04:05"), d.Webhook, d.outcome(), d.Milliseconds, details, hook)
}

func (d Delivery) outcome() markup.HTML {
	switch {
	case d.Flow != "":
		return "recorded"
	case d.Error == "":
		return markup.Format("<strong>answered %d</strong>", d.Status)
	default:
		return markup.Format(`<strong class="failed">%s</strong>%s`, d.Error, markup.If(d.Code != 0, markup.Format(" (alert %d)", d.Code)))
	}
}

// details is the request and the answer of a delivery.
func (d Delivery) details(hook string) markup.HTML {
	return markup.Format(`<p><a href="/_sandbox/log?webhook=%s">Close, and show new deliveries again</a></p>
<dl>
%s
<dt>I-Twilio-Idempotency-Token</dt><dd><code>%s</code></dd>
<dt>Fields</dt><dd>%s</dd>
%s
</dl>
`, url.QueryEscape(hook), markup.If(d.Signature != "", markup.Format("<dt>X-Twilio-Signature</dt><dd><code>%s</code></dd>", d.Signature)), d.Token,
		elements("%s<br>", d.lines()),
		markup.If(d.Status != 0, markup.Format(`<dt>Answer</dt><dd>%d <span class="answer">%s</span></dd>`, d.Status, d.Answer)))
}
