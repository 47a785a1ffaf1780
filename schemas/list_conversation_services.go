package schemas

// ListConversationServices is the contract of the tool of that name.
const ListConversationServices Contract[ListConversationServicesInput] = "list_conversation_services"

// ListConversationServicesInput are the query parameters of GET /v1/Services.
type ListConversationServicesInput struct {
	// Services per page, 1 to 100. Default 50.
	PageSize *int64 `json:"PageSize,omitempty" jsonschema:"minimum=1,maximum=100"`
	Continuation
}

// ListConversationServicesOutput is the documented response, status 200.
type ListConversationServicesOutput struct {
	// The Services of this page.
	Services []Service `json:"services,omitempty"`
	// Pagination metadata.
	Meta Meta `json:"meta,omitzero"`
}

// Service is Twilio's Conversation Service resource.
type Service struct {
	// The account it belongs to.
	AccountSID *string `json:"account_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^AC[0-9a-fA-F]{32}$"`
	// The Service's SID.
	SID *string `json:"sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^IS[0-9a-fA-F]{32}$"`
	// Its name for people.
	FriendlyName *string `json:"friendly_name,omitempty" jsonschema:"nullable"`
	// API address of this Service.
	URL *string `json:"url,omitempty" jsonschema:"nullable"`
	// API addresses of what it has.
	Links map[string]any `json:"links,omitempty" jsonschema:"nullable"`
	Dates
}
