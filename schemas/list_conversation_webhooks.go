package schemas

// ListConversationWebhooks is the contract of the tool of that name.
const ListConversationWebhooks Contract[ListConversationWebhooksInput] = "list_conversation_webhooks"

// ListConversationWebhooksInput are the path and query parameters of
// GET /v1/Conversations/{ConversationSid}/Webhooks.
type ListConversationWebhooksInput struct {
	Conversation

	// Webhooks per page. Default 5, so one page shows all that a conversation
	// can hold.
	PageSize *Integer `json:"PageSize,omitempty" jsonschema:"minimum=1,maximum=5"`

	// To continue a listing: the Page in the last answer's meta.next_page_url.
	// Always together with PageToken and the same PageSize; alone it shows the
	// first page again.
	Page *Integer `json:"Page,omitempty" jsonschema:"minimum=0"`

	// To continue a listing: the PageToken in the same meta.next_page_url,
	// percent-decoded.
	PageToken *string `json:"PageToken,omitempty"`
}

// ListConversationWebhooksOutput is the documented answer, status 200.
type ListConversationWebhooksOutput struct {
	// The webhooks of this page, in no set order.
	Webhooks []Webhook `json:"webhooks,omitempty"`

	// Where this page stands.
	Meta Meta `json:"meta,omitzero"`
}

// Meta places a page in its list.
type Meta struct {
	// The first page.
	FirstPageURL string `json:"first_page_url,omitempty"`

	// Where the items stand in the answer.
	Key string `json:"key,omitempty"`

	// The next page; null on the last one.
	NextPageURL *string `json:"next_page_url,omitempty" jsonschema:"nullable"`

	// The index of this page.
	Page Integer `json:"page,omitempty"`

	// The most items a page.
	PageSize Integer `json:"page_size,omitempty"`

	// The page before; null on the first one.
	PreviousPageURL *string `json:"previous_page_url,omitempty" jsonschema:"nullable"`

	// This page.
	URL string `json:"url,omitempty"`
}
