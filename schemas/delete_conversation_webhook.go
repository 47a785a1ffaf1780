package schemas

// DeleteConversationWebhook is the contract of the tool of that name.
const DeleteConversationWebhook Contract[DeleteConversationWebhookInput] = "delete_conversation_webhook"

// DeleteConversationWebhookInput are the path parameters of
// DELETE /v1/Conversations/{ConversationSid}/Webhooks/{Sid}.
type DeleteConversationWebhookInput struct {
	Conversation
	WebhookSid
}

// DeleteConversationWebhookOutput stands for the documented response, status 204,
// which has no body.
type DeleteConversationWebhookOutput struct {
	// The SID of the deleted webhook.
	SID string `json:"sid" jsonschema:"minLength=34,maxLength=34,pattern=^WH[0-9a-fA-F]{32}$"`

	// False only if the user was asked and declined.
	Deleted bool `json:"deleted"`
}
