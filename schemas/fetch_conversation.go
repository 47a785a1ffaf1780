package schemas

// FetchConversation is the contract of the tool of that name.
const FetchConversation Contract[FetchConversationInput] = "fetch_conversation"

// FetchConversationInput is the path parameter of GET /v1/Conversations/{Sid}, named
// as for the webhooks.
type FetchConversationInput struct {
	Conversation
}

// FetchConversationOutput is the documented response, status 200.
type FetchConversationOutput struct {
	ConversationResource
}

// ConversationResource is Twilio's Conversation resource.
type ConversationResource struct {
	// The conversation's SID.
	SID *string `json:"sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^CH[0-9a-fA-F]{32}$"`
	// The account it belongs to.
	AccountSID *string `json:"account_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^AC[0-9a-fA-F]{32}$"`
	// The Conversation Service it is in.
	ChatServiceSID *string `json:"chat_service_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^IS[0-9a-fA-F]{32}$"`
	// The Messaging Service it uses.
	MessagingServiceSID *string `json:"messaging_service_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^MG[0-9a-fA-F]{32}$"`
	// Its name for people.
	FriendlyName *string `json:"friendly_name,omitempty" jsonschema:"nullable"`
	// A name that can take the place of the SID.
	UniqueName *string `json:"unique_name,omitempty" jsonschema:"nullable"`
	// Data of the application, as JSON in a string.
	Attributes *string `json:"attributes,omitempty" jsonschema:"nullable"`
	// initializing, active, inactive or closed.
	State *string `json:"state,omitempty" jsonschema:"nullable"`
	// When timers change the state: date_inactive, date_closed.
	Timers map[string]any `json:"timers,omitempty" jsonschema:"nullable"`
	// The addresses it is bound to.
	Bindings map[string]any `json:"bindings,omitempty" jsonschema:"nullable"`
	// API address of this conversation.
	URL *string `json:"url,omitempty" jsonschema:"nullable"`
	// API addresses of its participants, messages and webhooks.
	Links map[string]any `json:"links,omitempty" jsonschema:"nullable"`
	Dates
}
