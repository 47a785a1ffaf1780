package tools

import (
	"cmp"
	"context"
	"fmt"
	"strings"

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
	question:     askAboutDelete,
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.DeleteConversationWebhookInput) (twilioapi.Result, error) {
		return twilio.DeleteWebhook(ctx, in.ConversationSid, in.Sid)
	},
}

func askAboutDelete(ctx context.Context, twilio *twilioapi.Client, in schemas.DeleteConversationWebhookInput) (question, error) {
	result, err := twilio.FetchWebhook(ctx, in.ConversationSid, in.Sid)
	if err != nil {
		return question{info: result.Info}, err
	}
	w := describeWebhook(newResource(result.JSON))
	return question{
		text: fmt.Sprintf("Delete the webhook %s of the conversation %s? It cannot be restored.\nTarget: %s\nCalls: %s\nOn: %s",
			in.Sid, oneLine(in.ConversationSid, maxText), w.Target, cmp.Or(w.Calls, "nothing"), cmp.Or(strings.Join(append(w.Events, w.Keywords...), ", "), "no event")),
		about:     about(in, result.JSON),
		unchanged: fmt.Appendf(nil, `{"sid":%q,"deleted":false}`, in.Sid), // valid by its pattern
		info:      result.Info,
	}, nil
}
