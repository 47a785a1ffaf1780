package schemas

// ListParticipantConversations is the contract of the tool of that name.
const ListParticipantConversations Contract[ListParticipantConversationsInput] = "list_participant_conversations"

// ListParticipantConversationsInput are the query parameters of
// GET /v1/ParticipantConversations.
type ListParticipantConversationsInput struct {
	// The identity of a chat user. Give either this or Address.
	Identity string `json:"Identity,omitempty"`
	// Where another participant is reached: +15558675310 (SMS) or
	// whatsapp:+15558675310, not percent-encoded.
	Address string `json:"Address,omitempty"`
	// Conversations per page, 1 to 50. Default 50.
	PageSize *int64 `json:"PageSize,omitempty" jsonschema:"minimum=1,maximum=50"`
	Continuation
}

// ListParticipantConversationsOutput is the documented response, status 200.
type ListParticipantConversationsOutput struct {
	// The conversations of the participant.
	Conversations []ParticipantConversation `json:"conversations,omitempty"`
	// Pagination metadata.
	Meta Meta `json:"meta,omitzero"`
}

// ParticipantConversation is Twilio's Participant Conversation resource.
type ParticipantConversation struct {
	// The account it belongs to.
	AccountSID *string `json:"account_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^AC[0-9a-fA-F]{32}$"`
	// The Conversation Service of the conversation.
	ChatServiceSID *string `json:"chat_service_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^IS[0-9a-fA-F]{32}$"`
	// The participant.
	ParticipantSID *string `json:"participant_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^MB[0-9a-fA-F]{32}$"`
	// The chat user, if the participant is one.
	ParticipantUserSID *string `json:"participant_user_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^US[0-9a-fA-F]{32}$"`
	// The identity of the chat user.
	ParticipantIdentity *string `json:"participant_identity,omitempty" jsonschema:"nullable"`
	// How another participant is reached: type, address, proxy_address.
	ParticipantMessagingBinding map[string]any `json:"participant_messaging_binding,omitempty" jsonschema:"nullable"`
	// The conversation's SID.
	ConversationSID *string `json:"conversation_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^CH[0-9a-fA-F]{32}$"`
	// Its unique name.
	ConversationUniqueName *string `json:"conversation_unique_name,omitempty" jsonschema:"nullable"`
	// Its name for people.
	ConversationFriendlyName *string `json:"conversation_friendly_name,omitempty" jsonschema:"nullable"`
	// Data of the application, as JSON in a string.
	ConversationAttributes *string `json:"conversation_attributes,omitempty" jsonschema:"nullable"`
	// When it was created.
	ConversationDateCreated *string `json:"conversation_date_created,omitempty" jsonschema:"nullable,format=date-time"`
	// When it was last updated.
	ConversationDateUpdated *string `json:"conversation_date_updated,omitempty" jsonschema:"nullable,format=date-time"`
	// Who created it.
	ConversationCreatedBy *string `json:"conversation_created_by,omitempty" jsonschema:"nullable"`
	// inactive, active or closed.
	ConversationState *string `json:"conversation_state,omitempty" jsonschema:"nullable"`
	// When timers change the state: date_inactive, date_closed.
	ConversationTimers map[string]any `json:"conversation_timers,omitempty" jsonschema:"nullable"`
	// API addresses of the participant and the conversation.
	Links map[string]any `json:"links,omitempty" jsonschema:"nullable"`
}
