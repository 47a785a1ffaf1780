package tools

import (
	"context"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var deleteConversationWebhook = operation[schemas.DeleteConversationWebhookInput]{
	contract: schemas.DeleteConversationWebhook,
	title:    "Delete a webhook of a conversation",
	description: "Deletes a webhook of a Twilio conversation; it cannot be restored. " +
		"Delete only what the user asks to, or what you have just created by mistake.",
	hints:        hints{destructive: true, idempotent: true},
	afterFailure: "Whether the webhook was deleted is unknown; the call may be repeated.",
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.DeleteConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.DeleteWebhook(ctx, in.ConversationSid, in.Sid)
	},
}
