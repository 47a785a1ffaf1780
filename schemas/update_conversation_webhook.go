package schemas

// UpdateConversationWebhook is the contract of the tool of that name.
const UpdateConversationWebhook Contract[UpdateConversationWebhookInput] = "update_conversation_webhook"

// UpdateConversationWebhookInput are the path and form parameters of
// POST /v1/Conversations/{ConversationSid}/Webhooks/{Sid}. A nil field was not
// given and is not sent: its value stays as it is. Twilio ignores empty values, so
// none is valid.
type UpdateConversationWebhookInput struct {
	Conversation
	WebhookSid

	// New absolute URL, http or https, at most 512 characters.
	URL *string `json:"Configuration.Url,omitempty" jsonschema:"minLength=1"`

	// get or post.
	Method *string `json:"Configuration.Method,omitempty" jsonschema:"enum=get,enum=post"`

	// For webhook and studio: the complete new list of events.
	Filters []string `json:"Configuration.Filters,omitempty" jsonschema:"minItems=1"`

	// For trigger: the complete new list of keywords, at most 5, of 1 to 248
	// characters each.
	Triggers []string `json:"Configuration.Triggers,omitempty" jsonschema:"minItems=1"`

	// For studio: FW and 32 hexadecimal digits.
	FlowSID *string `json:"Configuration.FlowSid,omitempty" jsonschema:"minLength=34,maxLength=34,pattern=^FW[0-9a-fA-F]{32}$"`
}

// UpdateConversationWebhookOutput is the documented response, status 200.
type UpdateConversationWebhookOutput struct {
	Webhook
}
