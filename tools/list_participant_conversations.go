package tools

import (
	"context"

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
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.ListParticipantConversationsInput) (twilioapi.Result, error) {
		if (in.Identity == "") == (in.Address == "") {
			return twilioapi.Result{}, argumentError{"Exactly one of Identity and Address is required."}
		}
		return twilio.Read(ctx, twilioapi.ListParticipantConversations, parametersOf(in))
	},
}
