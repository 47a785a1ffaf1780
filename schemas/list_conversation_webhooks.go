package schemas

// ListConversationWebhooks is the contract of the tool of that name.
const ListConversationWebhooks Contract[ListConversationWebhooksInput] = "list_conversation_webhooks"

// ListConversationWebhooksInput are the path and query parameters of
// GET /v1/Conversations/{ConversationSid}/Webhooks.
type ListConversationWebhooksInput struct {
	Conversation

	// Webhooks per page, 1 to 5. Default 5, so one page shows all that a
	// conversation can hold.
	PageSize *int64 `json:"PageSize,omitempty" jsonschema:"minimum=1,maximum=5"`

	Continuation
}

// ListConversationWebhooksOutput is the documented response, status 200.
type ListConversationWebhooksOutput struct {
	// The webhooks of this page, in no set order.
	Webhooks []Webhook `json:"webhooks,omitempty"`

	// Pagination metadata.
	Meta Meta `json:"meta,omitzero"`
}

// Meta says which page of a list this is, and where the others are.
type Meta struct {
	// The first page.
	FirstPageURL string `json:"first_page_url,omitempty"`

	// Property holding the items.
	Key string `json:"key,omitempty"`

	// The next page; null on the last one.
	NextPageURL *string `json:"next_page_url,omitempty" jsonschema:"nullable"`

	// The index of this page.
	Page int64 `json:"page,omitempty"`

	// Maximum items per page.
	PageSize int64 `json:"page_size,omitempty"`

	// The page before; null on the first one.
	PreviousPageURL *string `json:"previous_page_url,omitempty" jsonschema:"nullable"`

	// This page.
	URL string `json:"url,omitempty"`
}
