package tools

import (
	"context"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

func createConversationWebhook() Tool {
	return define(schemas.CreateConversationWebhook, mcp.Tool{
		Title: "Create a webhook on a conversation",
		Description: "Creates a webhook on a Twilio conversation, which holds at most five. " +
			"Every call makes another one, even with the same arguments, and these tools cannot change or delete it: " +
			"call list_conversation_webhooks first, and do not create if one is there with the same target, url, method, " +
			"flow_sid, filters and triggers, in any order, unless the user wants two.",
		Annotations: mcp.ToolAnnotation{
			ReadOnlyHint:    new(false),
			DestructiveHint: new(false),
			IdempotentHint:  new(false),
			OpenWorldHint:   new(true),
		},
	}, func(ctx context.Context, twilio *twilioapi.Client, in schemas.CreateConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.CreateWebhook(ctx, in.ConversationSid, twilioapi.NewWebhook{
			Target:      in.Target,
			URL:         in.URL,
			Method:      in.Method,
			Filters:     in.Filters,
			Triggers:    in.Triggers,
			FlowSID:     in.FlowSID,
			ReplayAfter: (*int64)(in.ReplayAfter),
		})
	})
}
