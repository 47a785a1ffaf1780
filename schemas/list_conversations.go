package schemas

// ListConversations is the contract of the tool of that name.
const ListConversations Contract[ListConversationsInput] = "list_conversations"

// ListConversationsInput are the query parameters of GET /v1/Conversations.
type ListConversationsInput struct {
	// active, inactive or closed: only conversations in this state.
	State string `json:"State,omitempty" jsonschema:"enum=active,enum=inactive,enum=closed"`
	// The first day of creation, YYYY-MM-DD.
	StartDate string `json:"StartDate,omitempty"`
	// The last day of creation, YYYY-MM-DD.
	EndDate string `json:"EndDate,omitempty"`
	// Conversations per page, 1 to 100. Default 50.
	PageSize *int64 `json:"PageSize,omitempty" jsonschema:"minimum=1,maximum=100"`
	Continuation
}

// ListConversationsOutput is the documented response, status 200.
type ListConversationsOutput struct {
	// The conversations of this page.
	Conversations []ConversationResource `json:"conversations,omitempty"`
	// Pagination metadata.
	Meta Meta `json:"meta,omitzero"`
}
