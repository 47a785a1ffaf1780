package schemas

// EnsureConversationWebhook is the contract of the tool of that name. It takes what
// CreateConversationWebhook takes.
const EnsureConversationWebhook Contract[CreateConversationWebhookInput] = "ensure_conversation_webhook"

// EnsureConversationWebhookOutput is the webhook that was there already, or the new
// one.
type EnsureConversationWebhookOutput struct {
	Webhook
}
