package tools

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// hint says what the arguments of a call show about a refusal with Twilio's code,
// or "".
func (o offered) hint(in any, code int) string {
	switch code {
	case 50365:
		return hintEvents(in)
	case 20404, 50350, 50360:
		return o.hintConversation(argument[string](in, "ConversationSid"))
	default:
		return ""
	}
}

// argument returns the argument that a field of an Input holds, or its zero value if
// there is no such field.
func argument[T any](in any, field string) (value T) {
	if v := reflect.ValueOf(in); v.Kind() == reflect.Struct {
		if f := v.FieldByName(field); f.IsValid() {
			value, _ = f.Interface().(T)
		}
	}
	return value
}

// hintEvents names the events that do not exist.
func hintEvents(in any) string {
	var unknown []string
	for _, event := range argument[[]string](in, "Filters") {
		if !slices.Contains(Events(), event) && len(unknown) < 5 {
			unknown = append(unknown, quote(event))
		}
	}
	if len(unknown) == 0 {
		return ""
	}
	return "There is no event " + strings.Join(unknown, ", ") + "."
}

// kinds are what SIDs name that is often taken for a conversation.
var kinds = map[string]string{
	"IS": "a Conversation Service", "MB": "a participant", "WH": "a webhook", "IM": "a message", "AC": "an account", "US": "a user", "MG": "a Messaging Service",
}

// hintConversation says what a ConversationSid is if it is none.
func (o offered) hintConversation(conversation string) string {
	digits, isNumber := strings.CutPrefix(conversation[strings.LastIndexByte(conversation, ':')+1:], "+") // whatsapp:+1...
	switch kind := kinds[conversation[:min(2, len(conversation))]]; {
	case kind != "" && len(conversation) == 34 && strings.Trim(conversation[2:], "0123456789abcdefABCDEF") == "":
		return fmt.Sprintf("%s is the SID of %s, not of a conversation.", conversation, kind)
	case isNumber && len(digits) >= 7 && strings.Trim(digits, "0123456789 -().") == "":
		return fmt.Sprintf("ConversationSid looks like a phone number, %s: ", quote(conversation)) +
			o.render("[list_participant_conversations finds its conversations|a conversation is named by its SID (CH...) or its unique name].")
	default:
		return ""
	}
}
