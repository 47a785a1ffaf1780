package tools

import (
	"context"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var updateConversationWebhook = operation[schemas.UpdateConversationWebhookInput]{
	contract: schemas.UpdateConversationWebhook,
	title:    "Update a webhook of a conversation",
	description: "Changes a webhook of a Twilio conversation, if the user named it or you created it. Give at least one Configuration parameter; " +
		"what is left out stays as it is. Target cannot be changed, and nothing can be cleared or replayed: " +
		"for that, create another webhook, then delete this one; if the conversation is full, delete first, after asking.",
	hints:        hints{destructive: true, idempotent: true},
	scope:        scopeWrite,
	refusesEmpty: true,
	lost:         lostUpdate,
	reconciled:   "Twilio's response to the update was lost, but the webhook was read afterwards and shows what was asked for.",
	notFound:     checkWebhook,
	check: func(in schemas.UpdateConversationWebhookInput, problems *problems) {
		problems.addURL("Configuration.Url", in.URL)
		if in.URL == nil && in.Method == nil && in.Filters == nil && in.Triggers == nil && in.FlowSID == nil && len(*problems) == 0 {
			problems.addGeneral("At least one Configuration parameter is required.")
		}
	},
	note: func(in schemas.UpdateConversationWebhookInput) string { return noteURL(in.URL) },
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.UpdateConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.UpdateWebhook(ctx, in.ConversationSid, in.Sid, twilioapi.WebhookUpdate{
			URL:      in.URL,
			Method:   in.Method,
			Filters:  in.Filters,
			Triggers: in.Triggers,
			FlowSID:  in.FlowSID,
		})
	},
}
