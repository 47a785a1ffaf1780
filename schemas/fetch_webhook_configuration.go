package schemas

// FetchWebhookConfiguration is the contract of the tool of that name.
const FetchWebhookConfiguration Contract[FetchWebhookConfigurationInput] = "fetch_webhook_configuration"

// FetchWebhookConfigurationInput is the path parameter of
// GET /v1/Services/{ChatServiceSid}/Configuration/Webhooks. Without it the request is
// GET /v1/Configuration/Webhooks.
type FetchWebhookConfigurationInput struct {
	ChatService
}

// FetchWebhookConfigurationOutput is the documented response, status 200.
type FetchWebhookConfigurationOutput struct {
	WebhookConfiguration
}

// ChatService says whose configuration is meant.
type ChatService struct {
	// The Service: IS and 32 hexadecimal digits. Left out: the account.
	ChatServiceSid string `json:"ChatServiceSid,omitempty" jsonschema:"minLength=34,maxLength=34,pattern=^IS[0-9a-fA-F]{32}$"`
}

// WebhookConfiguration is Twilio's webhook configuration of an account or of a
// Service.
type WebhookConfiguration struct {
	// The account it belongs to.
	AccountSID *string `json:"account_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^AC[0-9a-fA-F]{32}$"`
	// The Service it belongs to, if it is a Service's.
	ChatServiceSID *string `json:"chat_service_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^IS[0-9a-fA-F]{32}$"`
	// GET or POST.
	Method *string `json:"method,omitempty" jsonschema:"nullable"`
	// The events that are sent.
	Filters *[]string `json:"filters,omitempty" jsonschema:"nullable"`
	// What Twilio calls before an action.
	PreWebhookURL *string `json:"pre_webhook_url,omitempty" jsonschema:"nullable"`
	// What Twilio calls after an action.
	PostWebhookURL *string `json:"post_webhook_url,omitempty" jsonschema:"nullable"`
	// webhook or flex, of an account.
	Target *string `json:"target,omitempty" jsonschema:"nullable"`
	// API address of this configuration.
	URL *string `json:"url,omitempty" jsonschema:"nullable"`
}
