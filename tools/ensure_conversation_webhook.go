package tools

import (
	"context"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var ensureConversationWebhook = operation[schemas.CreateConversationWebhookInput]{
	contract: schemas.EnsureConversationWebhook,
	title:    "Ensure that a conversation has a webhook",
	description: "Returns the identical webhook of a Twilio conversation if there is one, or creates it. " +
		"Identical: same target, url, method, flow_sid, filters and triggers, in any order; " +
		"ReplayAfter is not compared, and an existing webhook replays nothing. " +
		"A conversation holds at most five.",
	hints:        hints{idempotent: true},
	afterFailure: "Nothing was created.",
	reconciled:   createReconciled,
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.CreateConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.EnsureWebhook(ctx, in.ConversationSid, newWebhook(in))
	},
}
