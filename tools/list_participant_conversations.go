package tools

import (
	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var listParticipantConversations = operation[schemas.ListParticipantConversationsInput]{
	contract: schemas.ListParticipantConversations,
	title:    "List the conversations of a participant",
	description: "Lists the Twilio conversations that somebody takes part in, found by the Identity of a chat user, " +
		"or by an Address: a phone number, or whatsapp: and one. Give exactly one of the two. " + untrusted,
	hints: hints{readOnly: true, idempotent: true},
	scope: scopeRead,
	check: func(in schemas.ListParticipantConversationsInput, problems *problems) {
		if (in.Identity == "") == (in.Address == "") && len(*problems) == 0 {
			problems.addGeneral("Exactly one of Identity and Address is required.")
		}
	},
	call: reads[schemas.ListParticipantConversationsInput](twilioapi.ListParticipantConversations),
}
