package sandbox

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"twilio-conversations-mcp/internal/markup"
)

//go:embed style.css
var style []byte

// pages registers what is the sandbox's own: its page, and what scripts and the page do.
func (s *Sandbox) pages() {
	crossOrigin := http.NewCrossOriginProtection()
	own := func(pattern string, h http.HandlerFunc) {
		s.mux.Handle(pattern, crossOrigin.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'self'")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			w.Header().Set("Referrer-Policy", "no-referrer")
			w.Header().Set("Cache-Control", "no-store")
			if !isLocal(r.Host) {
				http.Error(w, "the sandbox has pages for this machine only", http.StatusForbidden)
				return
			}
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			h(w, r)
		})))
	}
	own("GET /{$}", s.showPage)
	own("GET /_sandbox/style.css", showStyle)
	own("GET /_sandbox/log", s.showLog)
	own("GET /_sandbox/deliveries", s.listDeliveries)
	own("POST /_sandbox/messages", s.write)
	own("POST /_sandbox/deliveries/{id}", s.sendAgain)
}

// isLocal reports whether a Host header names this machine, so that no web page reaches the sandbox under a name of its
// own.
func isLocal(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || err == nil && ip.IsLoopback()
}

func showStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(style)
}

const maxShown = 50 // conversations, and messages of each

func (s *Sandbox) showPage(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	var shown []shownConversation
	for _, sid := range slices.Sorted(maps.Keys(s.services)) {
		for _, c := range slices.Backward(s.service(sid).sorted()) {
			if len(shown) < maxShown {
				shown = append(shown, c.shown())
			}
		}
	}
	s.mu.Unlock()
	token := ""
	if s.authToken == AuthToken {
		token = AuthToken
	}
	writeHTML(w, page(shown, r.FormValue("webhook"), token))
}

func (c *conversation) shown() shownConversation {
	shown := shownConversation{
		sid: c.sid, name: c.friendlyName, uniqueName: c.uniqueName, state: c.state, service: c.service.sid,
		participants: c.names(), webhooks: slices.Clone(c.webhooks),
	}
	for _, m := range c.messages[max(0, len(c.messages)-maxShown):] {
		shown.messages = append(shown.messages, *m)
	}
	return shown
}

// names returns the identities and the addresses of the participants.
func (c *conversation) names() (all []string) {
	for _, p := range c.participants {
		all = append(all, cmp.Or(p.identity, p.binding.Address))
	}
	return all
}

// showLog shows the deliveries, the newest first. The browser asks for it again every two seconds, and keeps the place,
// but not while one delivery is open: it would be closed, or moved away by newer ones.
func (s *Sandbox) showLog(w http.ResponseWriter, r *http.Request) {
	hook := r.FormValue("webhook")
	all := slices.DeleteFunc(s.Deliveries(), func(d Delivery) bool { return hook != "" && d.Webhook != hook })
	slices.Reverse(all)
	open, _ := strconv.Atoi(r.FormValue("open"))
	if open == 0 {
		w.Header().Set("Refresh", "2")
	}
	writeHTML(w, deliveryLog(all[:min(len(all), maxShown)], hook, open))
}

func writeHTML(w http.ResponseWriter, document markup.HTML) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, string(document)) // the client may be gone
}

func (s *Sandbox) listDeliveries(w http.ResponseWriter, _ *http.Request) {
	response{status: http.StatusOK, body: s.Deliveries()}.writeTo(w)
}

// write writes a message in the name of a participant, as a chat client or a phone does.
func (s *Sandbox) write(w http.ResponseWriter, r *http.Request) {
	res := s.written(r)
	if strings.Contains(r.Header.Get("Accept"), "text/html") && res.status < 300 {
		http.Redirect(w, r, "/#"+url.PathEscape(r.FormValue("ConversationSid")), http.StatusSeeOther)
		return
	}
	res.writeTo(w)
}

func (s *Sandbox) written(r *http.Request) response {
	if err := r.ParseForm(); err != nil {
		return badRequest(20001, "The parameters are not a well-formed form")
	}
	name, author := r.Form.Get("ConversationSid"), r.Form.Get("Author")
	s.mu.Lock()
	defer s.mu.Unlock()
	var c *conversation
	for _, v := range s.services {
		if found := v.conversations[name]; found != nil && (c == nil || v.sid == defaultService) {
			c = found
		}
	}
	if name == "" && author != "" {
		to := r.Form.Get("To")
		if c = s.open(author, to); c == nil {
			c = s.createFor(author, to)
		}
	}
	if c == nil {
		return refuse(http.StatusNotFound, 20404, "ConversationSid names no conversation, or To no number that creates one")
	}
	p := c.find(author)
	if p == nil {
		return badRequest(20001, "Author must be one of the participants: %s", strings.Join(c.names(), ", "))
	}
	m := message{author: author, body: r.Form.Get("Body"), attributes: "{}"}
	if refused := s.addMessage(c, &m); refused.status != 0 {
		return refused
	}
	by := action{source: "SDK", identity: p.identity}
	if p.identity == "" {
		by.source = "SMS"
	}
	s.messageAdded(by, c, &m)
	return response{status: http.StatusCreated, body: s.showMessage(r, c, &m)}
}

// sendAgain repeats a delivery as Twilio repeats one: with the same token, and a higher RetryCount.
func (s *Sandbox) sendAgain(w http.ResponseWriter, r *http.Request) {
	id, _ := strconv.Atoi(r.PathValue("id"))
	s.mu.Lock()
	i := slices.IndexFunc(s.deliveries, func(d Delivery) bool { return d.ID == id })
	if i < 0 {
		s.mu.Unlock()
		http.Error(w, "there is no such delivery; the last thousand are kept", http.StatusNotFound)
		return
	}
	d := s.deliveries[i]
	fields, _ := url.ParseQuery(d.Body) // it was encoded before
	count, _ := strconv.Atoi(fields.Get("RetryCount"))
	fields.Set("RetryCount", strconv.Itoa(count+1))
	if d.Method == http.MethodGet {
		d.URL = strings.TrimSuffix(strings.TrimSuffix(d.URL, d.Body), "&")
	}
	again := Delivery{Conversation: d.Conversation, service: d.service, Webhook: d.Webhook, Event: d.Event, Flow: d.Flow, Method: d.Method, URL: d.URL,
		Token: d.Token, Body: fields.Encode()}
	s.enqueue(job{Delivery: again, fields: fields})
	s.mu.Unlock()
	http.Redirect(w, r, "/_sandbox/log?webhook="+url.QueryEscape(r.FormValue("webhook")), http.StatusSeeOther)
}

// lines returns the form of a delivery as lines of a name and a value.
func (d Delivery) lines() []string {
	fields, _ := url.ParseQuery(d.Body) // it was encoded before
	var lines []string
	for name, values := range fields {
		quoted, _ := json.Marshal(strings.Join(values, ", "))
		lines = append(lines, fmt.Sprintf("%s: %s", name, quoted))
	}
	slices.Sort(lines)
	return lines
}
