package tools

import (
	"context"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var deleteConversationWebhook = operation[schemas.DeleteConversationWebhookInput]{
	contract: schemas.DeleteConversationWebhook,
	title:    "Delete a webhook of a conversation",
	description: "Deletes a webhook of a Twilio conversation; it cannot be restored: " +
		"fetch it first, so that you can create it again. " +
		"Delete only what the user names, or what you have just created (not what ensure found already there).",
	hints:        hints{destructive: true, idempotent: true},
	scope:        scopeWrite,
	afterFailure: "Whether the webhook was deleted is unknown; the call may be repeated.",
	notFound:     checkWebhook,
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.DeleteConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.DeleteWebhook(ctx, in.ConversationSid, in.Sid)
	},
}
