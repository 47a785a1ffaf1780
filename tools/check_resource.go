package tools

import (
	"encoding/json"
	"strings"
	"unicode"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A resource is a JSON object of Twilio's whose members are read one by one. One of
// another type than documented reads as empty.
type resource map[string]jsontext.Value

func newResource(raw []byte) (r resource) {
	_ = jsonv2.Unmarshal(raw, &r)
	return r
}

// member returns a member as a T, or the zero T.
func member[T any](r resource, name string) (value T) {
	if jsonv2.Unmarshal(r[name], &value) != nil {
		var zero T
		return zero
	}
	return value
}

func (r resource) object(name string) resource { return member[resource](r, name) }

func (r resource) list(name string) (all []resource) {
	for _, raw := range member[[]json.RawMessage](r, name) {
		all = append(all, newResource(raw))
	}
	return all
}

// text returns a string on one line, at most maxText characters of it.
func (r resource) text(name string) string { return oneLine(member[string](r, name), maxText) }

func (r resource) texts(name string) []string {
	all := []string{}
	for _, text := range member[[]string](r, name) {
		all = append(all, oneLine(text, maxText))
	}
	return all[:min(len(all), maxTexts)]
}

// isEmpty reports whether a member is missing, null, "" or [].
func (r resource) isEmpty(name string) bool {
	value := strings.Join(strings.Fields(string(r[name])), "")
	return value == "" || value == "null" || value == `""` || value == "[]"
}

const (
	maxText  = 512 // characters, as a webhook's URL has at most
	maxTexts = 30  // of a list; there are about twenty events
)

// oneLine returns at most n characters of a text that others wrote, without those
// that have no shape.
func oneLine(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsGraphic(r):
			return -1
		default:
			return r
		}
	}, text)
	return clip(text, n)
}
