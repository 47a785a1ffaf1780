package tools

import (
	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var fetchConversation = operation[schemas.FetchConversationInput]{
	contract:    schemas.FetchConversation,
	title:       "Fetch a conversation",
	description: "Fetches a Twilio conversation: its state, names, timers and Service (chat_service_sid). " + untrusted,
	hints:       hints{readOnly: true, idempotent: true},
	scope:       scopeRead,
	call:        reads[schemas.FetchConversationInput](twilioapi.FetchConversation),
}
