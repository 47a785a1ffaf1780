package schemas

// UpdateWebhookConfiguration is the contract of the tool of that name.
const UpdateWebhookConfiguration Contract[UpdateWebhookConfigurationInput] = "update_webhook_configuration"

// UpdateWebhookConfigurationInput are the path and form parameters of
// POST /v1/Configuration/Webhooks and its twin of a Service. A field that is empty
// was not given and is not sent.
type UpdateWebhookConfigurationInput struct {
	ChatService
	// GET or POST.
	Method string `json:"Method,omitempty" jsonschema:"enum=GET,enum=POST"`
	// The complete new list of events: those of a conversation's webhooks,
	// onConversationAdded, and the pre-action names, such as onMessageAdd, which go
	// to PreWebhookUrl.
	Filters []string `json:"Filters,omitempty" jsonschema:"minItems=1"`
	// New absolute URL that Twilio calls before an action, and whose response can
	// change or refuse it.
	PreWebhookURL string `json:"PreWebhookUrl,omitempty" jsonschema:"minLength=1"`
	// New absolute URL that Twilio calls after an action.
	PostWebhookURL string `json:"PostWebhookUrl,omitempty" jsonschema:"minLength=1"`
	// Of the account only: webhook, or flex to send events to Flex.
	Target string `json:"Target,omitempty" jsonschema:"enum=webhook,enum=flex"`
}

// UpdateWebhookConfigurationOutput is the documented response, status 200.
type UpdateWebhookConfigurationOutput struct {
	WebhookConfiguration
}
