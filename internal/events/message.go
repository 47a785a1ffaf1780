package events

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"twilio-conversations-mcp/twilioapi"
)

// A message is a body on its way to the callback of a subscription.
type message struct {
	sub  *subscription
	kind messageKind
	id   string // webhook-id
	body []byte
	last bool // the subscription ends when it is delivered

	deadline time.Time     // when it is given up
	done     chan struct{} // closed when it is delivered or given up
}

type messageKind int

const (
	isEvent messageKind = iota
	isGap
	isTerminated
)

// key identifies an event of a subscription among all.
func (m *message) key() string { return m.sub.ID() + " " + m.id }

// cost is what a message counts toward the limits on what waits.
func (m *message) cost() int { return 1 + len(m.body)>>13 }

// maxBody limits the body of a message, as SEP-3415 does.
const maxBody = 256 << 10

// newEvent returns the message of a request of Twilio with parameters.
func newEvent(s *subscription, params url.Values, idempotencyToken string, now time.Time) *message {
	data := map[string]any{}
	for name, values := range params {
		data[name] = values[0]
		if len(values) > 1 {
			data[name] = values
		}
	}
	id := eventID(params, idempotencyToken)
	body := occurrence(s.name(), id, params.Get("DateUpdated"), params.Get("DateCreated"), data, now)
	return &message{sub: s, id: id, body: body, last: s.name() == conversationRemoved}
}

// occurrence returns an event as subscribers and polls get it. Its time is the first
// of the dates that is one.
func occurrence(name, id, updated, created string, data map[string]any, now time.Time) json.RawMessage {
	at := now
	dates := []string{updated, created}
	if name == messageAdded {
		dates = []string{created}
	}
	for _, date := range dates {
		if t, err := time.Parse(time.RFC3339, date); err == nil {
			at = t
			break
		}
	}
	text, _ := json.Marshal(map[string]any{"eventId": id, "name": name, "timestamp": at.UTC().Format(time.RFC3339), "data": data})
	return twilioapi.EscapeInvisible(text)
}

const tokenCharacters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

// eventID returns the id of an event: the same whenever Twilio reports it and, for a
// new message, whenever it is polled.
func eventID(params url.Values, idempotencyToken string) string {
	if sid := params.Get("MessageSid"); params.Get("EventType") == messageAdded && isSID("IM", sid) {
		return sid
	}
	if len(idempotencyToken) >= 8 && len(idempotencyToken) <= 128 && strings.Trim(idempotencyToken, tokenCharacters) == "" {
		return idempotencyToken
	}
	hash := sha256.Sum256([]byte(params.Encode()))
	return "evt_" + hex.EncodeToString(hash[:16])
}

// isSID reports whether text is an SID with a prefix.
func isSID(prefix, text string) bool {
	digits, ok := strings.CutPrefix(text, prefix)
	_, err := hex.DecodeString(digits)
	return ok && err == nil && len(digits) == 32
}

// gap is the message that events of a subscription were given up. Its cursor is a
// position before all of them.
func gap(s *subscription) *message {
	return control(s, isGap, "gap", map[string]any{"type": "gap", "cursor": s.cursor()})
}

// terminated is the message that a subscription has ended.
func terminated(s *subscription, reason string) *message {
	return control(s, isTerminated, "terminated", map[string]any{
		"type":  "terminated",
		"error": map[string]any{"code": codeNotFound, "message": reason, "data": map[string]any{"kind": "subscription"}},
	})
}

func control(s *subscription, kind messageKind, name string, content map[string]any) *message {
	body, _ := json.Marshal(content)
	return &message{sub: s, kind: kind, id: messageID(name), body: body}
}

// cursor is the position from which the subscriber misses nothing if it polls. It
// is empty for events that cannot be polled.
func (s *subscription) cursor() string {
	if s.name() != messageAdded {
		return ""
	}
	return strconv.FormatInt(s.position, 10)
}
