package events

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// params reads the members of an object. It keeps the first problem.
type params struct {
	path    string // of the members
	members map[string]jsontext.Value
	problem *Error
}

func readParams(raw json.RawMessage) *params {
	p := &params{}
	if raw != nil && jsonv2.Unmarshal(raw, &p.members) != nil {
		p.problem = invalid("params must be an object")
	}
	return p
}

// keep keeps a problem, unless it is nil or there is another one.
func (p *params) keep(problem *Error) {
	if p.problem == nil {
		p.problem = problem
	}
}

func (p *params) refuse(name, problem string) { p.keep(invalid("%s%s %s", p.path, name, problem)) }

// has reports whether a member is given and is not null.
func (p *params) has(name string) bool { v, ok := p.members[name]; return ok && v.Kind() != 'n' }

// object returns the members of an object, which may be left out.
func (p *params) object(name string) *params {
	o := &params{path: p.path + name + "."}
	if p.has(name) && (p.members[name].Kind() != '{' || jsonv2.Unmarshal(p.members[name], &o.members) != nil) {
		p.refuse(name, "must be an object")
	}
	return o
}

// text returns a string; it is empty if it is left out.
func (p *params) text(name string) (text string) {
	if p.has(name) && jsonv2.Unmarshal(p.members[name], &text) != nil {
		p.refuse(name, "must be a string")
	}
	return text
}

// integer returns an integer of at least 0, or the default value if it is left out.
func (p *params) integer(name string, otherwise int64) int64 {
	if !p.has(name) {
		return otherwise
	}
	n, err := strconv.ParseInt(string(p.members[name]), 10, 64)
	if err != nil || n < 0 {
		p.refuse(name, "must be an integer of at least 0")
	}
	return n
}

// event returns the index of the event that name names.
func (p *params) event() int {
	name := p.text("name")
	event := eventIndex(name)
	if event < 0 {
		p.keep(&Error{
			Code: codeNotFound, Message: fmt.Sprintf("there is no event %.64q; events/list has all of them", name), Data: map[string]any{"kind": "event"},
		})
	}
	return event
}

// conversation returns the SID of the conversation in arguments.
func (p *params) conversation() string {
	arguments := p.object("arguments")
	sid := arguments.text("ConversationSid")
	if !isSID("CH", sid) {
		arguments.refuse("ConversationSid", "must be the SID of a conversation: CH and 32 hexadecimal digits")
	}
	for name := range arguments.members {
		if name != "ConversationSid" && !strings.HasPrefix(name, "_") {
			arguments.refuse(fmt.Sprintf("%.64s", name), "is not an argument; the only one is ConversationSid")
		}
	}
	p.keep(arguments.problem)
	return "CH" + strings.ToLower(strings.TrimPrefix(sid, "CH"))
}

// position returns the index of a message that cursor is; it is absent if there is
// no cursor, which means from now on.
func (p *params) position() (index int64, ok bool) {
	text := p.text("cursor")
	if text == "" {
		return 0, false
	}
	index, err := strconv.ParseInt(text, 10, 32)
	if err != nil || index < -1 || slices.Contains([]byte{'+', '0'}, text[0]) && text != "0" {
		p.refuse("cursor", "must be one that this server has returned, or null")
	}
	return index, true
}
