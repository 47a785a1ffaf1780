package tools

import (
	"context"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var createConversationWebhook = operation[schemas.CreateConversationWebhookInput]{
	contract: schemas.CreateConversationWebhook,
	title:    "Create a webhook on a conversation",
	description: "Creates a webhook on a Twilio conversation, which holds at most five. " +
		"Every call creates another one, even with the same arguments" +
		"[: use ensure_conversation_webhook unless the user wants two.|" +
		", and these tools cannot change or delete it: call list_conversation_webhooks first, and do not create " +
		"if one is there with the same target, url, method, flow_sid, filters and triggers, in any order, " +
		"whatever its replay_after, unless the user wants two. " +
		"If one differs only in filters or triggers, ask: what matches both would be delivered twice.|.]",
	scope:      scopeWrite,
	view:       true,
	lost:       lostCreate,
	reconciled: createReconciled,
	check: func(in schemas.CreateConversationWebhookInput, problems *problems) {
		problems.addURL("Configuration.Url", in.URL)
	},
	note: func(in schemas.CreateConversationWebhookInput) string { return noteURL(in.URL) },
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.CreateConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.CreateWebhook(ctx, in.ConversationSid, newWebhook(in))
	},
}

func newWebhook(in schemas.CreateConversationWebhookInput) twilioapi.NewWebhook {
	return twilioapi.NewWebhook{
		Target:      in.Target,
		URL:         in.URL,
		Method:      in.Method,
		Filters:     in.Filters,
		Triggers:    in.Triggers,
		FlowSID:     in.FlowSID,
		ReplayAfter: in.ReplayAfter,
	}
}
