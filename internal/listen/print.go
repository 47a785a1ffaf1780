package listen

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// An event is a request that was received, as it is printed.
type event struct {
	Time   time.Time  `json:"time"`
	Method string     `json:"method"`
	URL    string     `json:"url"`
	Valid  bool       `json:"valid"`            // whether the signature is
	Reason string     `json:"reason,omitempty"` // why not
	Status int        `json:"status"`           // of the answer
	Fields url.Values `json:"fields"`
}

// print prints an event on one line. An error of the writer is ignored: there is
// nowhere else to report it.
func (rc *receiver) print(e event) {
	line := e.text()
	if rc.JSON {
		line = e.json()
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	_, _ = rc.Out.Write(append(line, '\n'))
}

// json returns the event as JSON that has no character which controls a terminal.
func (e event) json() (line []byte) {
	text, _ := json.Marshal(e) // no field can fail
	for _, r := range string(text) {
		if unicode.IsGraphic(r) {
			line = utf8.AppendRune(line, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			line = fmt.Appendf(line, `\u%04x`, unit)
		}
	}
	return line
}

// shown are the fields that a line of text has, in this order.
var shown = []string{"EventType", "ConversationSid", "MessageSid", "ParticipantSid", "Author", "Body", "StateFrom", "StateTo", "Status"}

// These limit the length of a value and of a reason, which has a URL in it, in a line
// of text, in characters.
const (
	maxShown  = 200
	maxReason = 600
)

func (e event) text() []byte {
	line := fmt.Appendf(nil, "%s %s %s", e.Time.Local().Format(time.TimeOnly), plain(e.Method), plain(e.URL))
	for _, name := range shown {
		if e.Fields.Has(name) {
			line = fmt.Appendf(line, " %s=%s", name, plain(e.Fields.Get(name)))
		}
	}
	line = fmt.Appendf(line, " → %d %s", e.Status, http.StatusText(e.Status))
	if e.Valid {
		return append(line, ", signature valid"...)
	}
	return fmt.Appendf(line, ": %s", visible(clip(e.Reason, maxReason)))
}

// plain returns a value as it is if it is one word, and otherwise in quotes.
func plain(value string) string {
	value = clip(value, maxShown)
	if value == visible(value) && value != "" && !strings.ContainsAny(value, " =") {
		return value
	}
	return `"` + visible(value) + `"`
}

func clip(text string, characters int) string {
	if runes := []rune(text); len(runes) > characters {
		return string(runes[:characters]) + "…"
	}
	return text
}

// visible returns text with escapes for what is not to be seen, so that it does not
// control the terminal.
func visible(text string) string {
	quoted := strconv.QuoteToGraphic(text)
	return quoted[1 : len(quoted)-1]
}

func size(bytes int64) string { return fmt.Sprintf("%d KiB", bytes>>10) }
