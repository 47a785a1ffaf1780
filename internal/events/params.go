package events

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"twilio-conversations-mcp/twilioapi"
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

// conversation returns the SID of the conversation, without CH. If the arguments
// have its unique name, it asks Twilio.
func (p *params) conversation(ctx context.Context, twilio *twilioapi.Client) (digits [16]byte, err error) {
	for name := range p.Arguments.Others {
		if !strings.HasPrefix(name, "_") { // which clients add on their own
			return digits, invalid("arguments.%.64s is not an argument; the only one is ConversationSid", name)
		}
	}
	sid := p.Arguments.Conversation
	if sid == "" {
		return digits, invalid("arguments.ConversationSid must be the SID of a conversation (CH...) or its unique name")
	}
	if !isSID("CH", sid) {
		found, err := twilio.Read(ctx, twilioapi.FetchConversation, twilioapi.Parameters{"ConversationSid": {sid}})
		if err != nil {
			return digits, err
		}
		var conversation struct {
			SID string `json:"sid"`
		}
		if jsonv2.Unmarshal(found.JSON, &conversation) != nil || !isSID("CH", conversation.SID) {
			return digits, errors.New("the conversation in Twilio's response has no SID")
		}
		sid = conversation.SID
	}
	_, err = hex.Decode(digits[:], []byte(sid[2:]))
	return digits, err
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
