package schemas

// Conversation is the path parameter that every operation has.
type Conversation struct {
	// The conversation's SID (CH...) or its exact unique name; not empty, never
	// percent-encoded.
	ConversationSid string `json:"ConversationSid" jsonschema:"required,minLength=1"`
}

// WebhookSid is the path parameter of the operations on one webhook.
type WebhookSid struct {
	// The webhook's SID: WH and 32 hexadecimal digits.
	Sid string `json:"Sid" jsonschema:"required,minLength=34,maxLength=34,pattern=^WH[0-9a-fA-F]{32}$"`
}

// Continuation continues a list.
type Continuation struct {
	// To continue a list: Page as in the last meta.next_page_url, with
	// PageToken and the same PageSize. Alone it shows the first page again.
	Page *int64 `json:"Page,omitempty" jsonschema:"minimum=0"`
	// To continue a list: PageToken as in the last meta.next_page_url
	// (...?PageSize=2&Page=1&PageToken=TOKEN), percent-decoded.
	PageToken *string `json:"PageToken,omitempty"`
}

// Dates are of most resources.
type Dates struct {
	// When it was created.
	DateCreated *string `json:"date_created,omitempty" jsonschema:"nullable,format=date-time"`
	// When it was last updated.
	DateUpdated *string `json:"date_updated,omitempty" jsonschema:"nullable,format=date-time"`
}

// Webhook is Twilio's Conversation Scoped Webhook resource. Every field may be
// null, and new fields may appear.
//
// The documented format "uri" of URL and of the URLs in Meta is left out:
// clients that assert formats would hide a result whose URL contains a unique
// name that is not percent-encoded.
type Webhook struct {
	// The webhook's SID.
	SID *string `json:"sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^WH[0-9a-fA-F]{32}$"`

	// The account it belongs to.
	AccountSID *string `json:"account_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^AC[0-9a-fA-F]{32}$"`

	// The conversation it belongs to.
	ConversationSID *string `json:"conversation_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^CH[0-9a-fA-F]{32}$"`

	// webhook, trigger or studio.
	Target *string `json:"target,omitempty" jsonschema:"nullable"`

	// API address of this webhook; what Twilio calls is configuration.url.
	URL *string `json:"url,omitempty" jsonschema:"nullable"`

	// By target: url, method, filters, triggers, flow_sid, replay_after.
	Configuration map[string]any `json:"configuration,omitempty" jsonschema:"nullable"`

	Dates
}
