package tools

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

// codes says what a code of an alert about a webhook means, and what to do.
// See https://www.twilio.com/docs/api/errors.
var codes = map[string]struct{ meaning, advice string }{
	"11200": {"HTTP retrieval failure: Twilio got no usable response in time", "Answer within five seconds with 2xx, and do the work afterwards."},
	"11202": {"connection refused", "Start the receiver, and check host and port."},
	"11205": {"HTTP connection failure", "Check that the URL is public and that the receiver runs."},
	"11206": {"HTTP protocol violation", "Check proxy and port: http on an https port is a common cause."},
	"11210": {"bad host name", "Correct the host, or its DNS."},
	"11215": {"too many redirects", "Give the final URL."},
	"11216": {"a 3xx response that is no valid redirect", "Give the final URL."},
	"11217": {"the receiver answered 4xx or 5xx", "Look at the receiver's log: 404 is the path, 401 and 403 a signature check or a firewall."},
	"11220": {"TLS handshake failure", "Use TLS 1.2 or later with a common cipher."},
	"11235": {"the certificate is for another host name", "Install a certificate for this host."},
	"11236": {"the certificate is expired", "Renew it."},
	"11237": {"the certificate has no path to a known authority", "Install it with its intermediate certificates."},
	"11241": {"a problem at Twilio's edge", "See the code in Twilio's error dictionary."},
}

// An alertGroup is the alerts about one URL with one code.
type alertGroup struct {
	schemas.AlertGroup
	newest string // the SID of the last alert
}

// groupAlerts groups the alerts that are about what this conversation calls.
func (c *check) groupAlerts() {
	hooks := c.hooks()
	for _, alert := range c.alerts {
		severity := strings.ToLower(alert.text("log_level"))
		address, webhook, ok := c.calledBy(hooks, alert)
		if !ok || severity != "" && severity != "error" && severity != "warning" {
			continue
		}
		if g := c.group(address, webhook, clip(alert.text("error_code"), 20)); g != nil {
			g.add(alert)
		}
	}
	slices.SortStableFunc(c.groups, func(a, b *alertGroup) int { return cmp.Compare(b.Last, a.Last) })
}

const maxGroups = 20 // of alerts, those of the newest alerts

// calledBy returns the URL that an alert is about, without a password, and the
// webhook that calls it, if exactly one does. It is not ok if the alert may be about
// something else than this conversation.
func (c *check) calledBy(hooks []hook, alert resource) (address, webhook string, ok bool) {
	about := alert.text("resource_sid")
	ours := about != "" && (strings.EqualFold(about, c.conversation.text("sid")) || slices.ContainsFunc(hooks, func(h hook) bool { return h.sid == about }))
	if !ours && (strings.HasPrefix(about, "CH") || strings.HasPrefix(about, "WH")) {
		return "", "", false // of another conversation
	}
	requested := alert.text("request_url")
	var callers []hook
	for _, h := range hooks {
		if h.sid == about && about != "" {
			return withoutPassword(cmp.Or(h.url, requested)), h.sid, true
		}
		if h.url != "" && isRequestTo(h.url, requested) {
			callers = append(callers, h)
		}
	}
	switch {
	case len(callers) == 1:
		webhook = callers[0].sid
	case len(callers) == 0 && !ours:
		return "", "", false
	case len(callers) == 0:
		return withoutPassword(requested), "", true
	}
	return withoutPassword(callers[0].url), webhook, true
}

// isRequestTo reports whether a request to an address may be a call of a webhook's
// URL: a GET appends the event to the query, and the password may be left out.
func isRequestTo(webhook, requested string) bool {
	path, query, _ := strings.Cut(strings.SplitN(withoutUser(webhook), "#", 2)[0], "?")
	requestedPath, requestedQuery, _ := strings.Cut(withoutUser(requested), "?")
	return requested != "" && twilioapi.SameURL(path, requestedPath) && strings.HasPrefix(requestedQuery, query)
}

func withoutUser(address string) string {
	return strings.Replace(withoutPassword(address), "[secret]@", "", 1)
}

// group returns the group of a URL and a code, or nil if there are too many.
func (c *check) group(address, webhook, code string) *alertGroup {
	for _, g := range c.groups {
		if g.URL == address && g.Code == code && g.Webhook == webhook {
			return g
		}
	}
	if len(c.groups) == maxGroups {
		return nil
	}
	g := &alertGroup{AlertGroup: schemas.AlertGroup{Webhook: webhook, URL: address, Code: code, Meaning: codes[code].meaning}}
	if g.Meaning == "" {
		g.Meaning = "see https://www.twilio.com/docs/api/errors/" + url.PathEscape(clip(code, 10))
	}
	c.groups = append(c.groups, g)
	return g
}

func (g *alertGroup) add(alert resource) {
	g.Count++
	at := cmp.Or(alert.text("date_generated"), alert.text("date_created"))
	if g.First == "" || at < g.First {
		g.First = at
	}
	if g.newest == "" || at > g.Last {
		g.Last, g.newest = at, alert.text("sid")
		g.Response = responseOf(alert)
	}
}

// readResponses reads the newest alert of the first groups whole, and reports every
// group.
func (c *check) readResponses(ctx context.Context, twilio *twilioapi.Client) {
	r := &reading{ctx: ctx, twilio: twilio}
	for _, g := range c.groups[:min(len(c.groups), maxResponses)] {
		r.Go(func() {
			if alert, ok := r.read("the newest alert with code "+g.Code, twilioapi.FetchAlert, twilioapi.Parameters{"Sid": {g.newest}}); ok {
				g.Response = responseOf(alert)
			}
		})
	}
	r.Wait()
	c.result.Unavailable = append(c.result.Unavailable, r.unavailable...)
	for _, g := range c.groups {
		c.add(severe, g.Webhook, "troubleshooting", "%s", g.describe(c.period()))
	}
}

func (g *alertGroup) describe(period string) string {
	text := fmt.Sprintf("%s, Twilio failed to call %s %s with code %s (%s), last at %s",
		capitalize(period), cmp.Or(g.URL, "a URL"), times(g.Count), g.Code, g.Meaning, cmp.Or(g.Last, "an unknown time"))
	if g.Response != nil && g.Response.Status != 0 {
		text += fmt.Sprintf("; the receiver answered %d", g.Response.Status)
	}
	return sentences(text+".", codes[g.Code].advice)
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

const maxResponse = 200 // characters of a body

// responseOf returns what an alert says about the receiver's answer, or nil. The
// status is in the alert's text, which is a form.
func responseOf(alert resource) *schemas.AlertResponse {
	text, _ := url.ParseQuery(member[string](alert, "alert_text"))
	status, _ := strconv.Atoi(text.Get("httpResponse"))
	if status < 100 || status > 599 {
		status = 0
	}
	body := oneLine(strings.TrimSpace(member[string](alert, "response_body")), maxResponse)
	if status == 0 && body == "" {
		return nil
	}
	return &schemas.AlertResponse{Status: status, Body: body}
}
