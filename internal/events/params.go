package events

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// params are the parameters of all methods. What is left out is its zero value, and
// null is left out, except for TTL.
type params struct {
	Name      string `json:"name"`
	Arguments struct {
		Conversation string                    `json:"ConversationSid"`
		Others       map[string]jsontext.Value `json:",embed"`
	} `json:"arguments"`
	Delivery struct {
		Mode   string `json:"mode"`
		URL    string `json:"url"`
		Secret string `json:"secret"`
	} `json:"delivery"`
	Cursor    string         `json:"cursor"`
	TTL       jsontext.Value `json:"ttlMs"`
	MaxAge    *int64         `json:"maxAgeMs"`
	MaxEvents *int64         `json:"maxEvents"`
}

func readParams(raw json.RawMessage) (*params, error) {
	p := &params{}
	if raw == nil {
		return p, nil
	}
	err := jsonv2.Unmarshal(raw, p)
	if wrong, ok := errors.AsType[*jsonv2.SemanticError](err); ok {
		name := strings.ReplaceAll(strings.TrimPrefix("params"+string(wrong.JSONPointer), "params/"), "/", ".")
		kind := map[reflect.Kind]string{reflect.String: "a string", reflect.Struct: "an object"}[wrong.GoType.Kind()]
		if kind == "" {
			kind = "an integer"
		}
		return nil, invalid("%.64s must be %s", name, kind)
	}
	return p, err
}

// event returns the index of the event that name names.
func (p *params) event() (byte, error) {
	event := eventIndex(p.Name)
	if event < 0 {
		return 0, &Error{codeNotFound, fmt.Sprintf("there is no event %.64q; events/list has all of them", p.Name), map[string]any{"kind": "event"}}
	}
	return byte(event), nil
}

// conversation returns the SID in arguments, without CH.
func (p *params) conversation() (sid [16]byte, err error) {
	for name := range p.Arguments.Others {
		if !strings.HasPrefix(name, "_") { // which clients add on their own
			return sid, invalid("arguments.%.64s is not an argument; the only one is ConversationSid", name)
		}
	}
	if !isSID("CH", p.Arguments.Conversation) {
		return sid, invalid("arguments.ConversationSid must be the SID of a conversation: CH and 32 hexadecimal digits")
	}
	_, err = hex.Decode(sid[:], []byte(p.Arguments.Conversation[2:]))
	return sid, err
}

// position returns the index of a message that the cursor is. Without a cursor it
// is not ok, and means from now on.
func (p *params) position() (index int64, ok bool, err error) {
	if p.Cursor == "" {
		return 0, false, nil
	}
	index, err = strconv.ParseInt(p.Cursor, 10, 32)
	if err != nil || index < -1 || p.Cursor != strconv.FormatInt(index, 10) {
		return 0, false, invalid("cursor must be one that this server has returned, or null")
	}
	return index, true, nil
}
