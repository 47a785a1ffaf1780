package schemas

// FetchConversationWebhook is the contract of the tool of that name.
const FetchConversationWebhook Contract[FetchConversationWebhookInput] = "fetch_conversation_webhook"

// FetchConversationWebhookInput are the path parameters of
// GET /v1/Conversations/{ConversationSid}/Webhooks/{Sid}.
type FetchConversationWebhookInput struct {
	Conversation
	WebhookSid
}

// FetchConversationWebhookOutput is the documented response, status 200.
type FetchConversationWebhookOutput struct {
	Webhook
}
