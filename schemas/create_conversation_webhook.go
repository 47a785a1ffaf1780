package schemas

// CreateConversationWebhook is the contract of the tool of that name.
const CreateConversationWebhook Contract[CreateConversationWebhookInput] = "create_conversation_webhook"

// CreateConversationWebhookInput are the path and form parameters of
// POST /v1/Conversations/{ConversationSid}/Webhooks. A nil field was not given
// and is not sent; 0 is a value.
type CreateConversationWebhookInput struct {
	Conversation

	// webhook: Twilio calls Configuration.Url on the events in
	// Configuration.Filters (needs both). trigger: Twilio calls
	// Configuration.Url when a message contains a keyword in
	// Configuration.Triggers (needs both). studio: Twilio runs the Flow
	// Configuration.FlowSid (needed). Leave out what another target needs:
	// Twilio ignores it.
	Target string `json:"Target" jsonschema:"required,enum=webhook,enum=trigger,enum=studio"`

	// For webhook and trigger: the absolute URL to call, http or https, at most
	// 512 characters.
	URL *string `json:"Configuration.Url,omitempty"`

	// For webhook and trigger: get or post. Default post. Results show it in
	// upper case.
	Method *string `json:"Configuration.Method,omitempty" jsonschema:"enum=get,enum=post"`

	// For webhook: the events, all in one call. For studio: give onMessageAdded to
	// run the Flow on messages; the default is not documented. Valid:
	// onMessageAdded, onMessageUpdated, onMessageRemoved,
	// onConversationUpdated, onConversationStateUpdated,
	// onConversationRemoved, onParticipantAdded, onParticipantUpdated,
	// onParticipantRemoved, onDeliveryUpdated. Closing a conversation is
	// onConversationStateUpdated; delivery and read receipts are
	// onDeliveryUpdated.
	Filters []string `json:"Configuration.Filters,omitempty"`

	// For trigger: the keywords, all in one call, one per string, commas
	// included; at most 5, of 1 to 248 characters each. More need a second
	// webhook: ask the user. Twilio does not document whether case and whole
	// words matter.
	Triggers []string `json:"Configuration.Triggers,omitempty"`

	// For studio: the Studio Flow's SID, FW and 32 hexadecimal digits.
	FlowSID *string `json:"Configuration.FlowSid,omitempty" jsonschema:"minLength=34,maxLength=34,pattern=^FW[0-9a-fA-F]{32}$"`

	// For any target. Set it only if the user asks for past messages: Twilio
	// also delivers those from this message index on; 0 is all past messages.
	ReplayAfter *int64 `json:"Configuration.ReplayAfter,omitempty"`
}

// CreateConversationWebhookOutput is the documented response, status 201: the
// webhook that was created.
type CreateConversationWebhookOutput struct {
	Webhook
}
