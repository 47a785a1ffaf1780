package tools

import (
	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var listConversationServices = operation[schemas.ListConversationServicesInput]{
	contract: schemas.ListConversationServices,
	title:    "List Conversation Services",
	description: "Lists the Conversation Services of the Twilio account. The other tools see the conversations of one Service only, " +
		"which the server's TWILIO_CHAT_SERVICE_SID sets.",
	hints: hints{readOnly: true, idempotent: true},
	scope: scopeRead,
	call:  reads[schemas.ListConversationServicesInput](twilioapi.ListServices),
}
