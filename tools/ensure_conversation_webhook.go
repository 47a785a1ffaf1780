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
		"Identical: same target, url, method, filters and triggers, in any order; " +
		"for studio the same flow_sid, and filters only if given. " +
		"One with more or fewer filters or triggers is not: a second is created, and what matches both is delivered twice" +
		"[; if one may be there, call list_conversation_webhooks first, and update it or ask|]. " +
		"ReplayAfter is not compared, and an existing webhook replays nothing. " +
		"A conversation holds at most five.",
	hints:        hints{idempotent: true},
	scope:        scopeWrite,
	view:         true,
	afterFailure: "Nothing was created.",
	lost:         lostCreate,
	reconciled:   createReconciled,
	ensures:      true,
	check: func(in schemas.CreateConversationWebhookInput, problems *problems) {
		problems.addURL("Configuration.Url", in.URL)
	},
	note: func(in schemas.CreateConversationWebhookInput) string { return noteURL(in.URL) },
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.CreateConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.EnsureWebhook(ctx, in.ConversationSid, newWebhook(in))
	},
}
