package schemas

// ListAddressConfigurations is the contract of the tool of that name.
const ListAddressConfigurations Contract[ListAddressConfigurationsInput] = "list_address_configurations"

// ListAddressConfigurationsInput are the query parameters of
// GET /v1/Configuration/Addresses.
type ListAddressConfigurationsInput struct {
	// sms, whatsapp or another: only such addresses.
	Type string `json:"Type,omitempty"`
	// Addresses per page, 1 to 50. Default 50.
	PageSize *int64 `json:"PageSize,omitempty" jsonschema:"minimum=1,maximum=50"`
	Continuation
}

// ListAddressConfigurationsOutput is the documented response, status 200.
type ListAddressConfigurationsOutput struct {
	// The addresses of this page.
	AddressConfigurations []AddressConfiguration `json:"address_configurations,omitempty"`
	// Pagination metadata.
	Meta Meta `json:"meta,omitzero"`
}

// AddressConfiguration is Twilio's Address Configuration resource.
type AddressConfiguration struct {
	// The configuration's SID.
	SID *string `json:"sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^IG[0-9a-fA-F]{32}$"`
	// The account it belongs to.
	AccountSID *string `json:"account_sid,omitempty" jsonschema:"nullable,minLength=34,maxLength=34,pattern=^AC[0-9a-fA-F]{32}$"`
	// sms, whatsapp, and others.
	Type *string `json:"type,omitempty" jsonschema:"nullable"`
	// The address.
	Address *string `json:"address,omitempty" jsonschema:"nullable"`
	// Its name for people.
	FriendlyName *string `json:"friendly_name,omitempty" jsonschema:"nullable"`
	// What happens when a message creates a conversation: enabled, type
	// (webhook, studio or default), conversation_service_sid, webhook_url,
	// webhook_method, webhook_filters, studio_flow_sid, studio_retry_count.
	AutoCreation map[string]any `json:"auto_creation,omitempty" jsonschema:"nullable"`
	// The country of a short code.
	AddressCountry *string `json:"address_country,omitempty" jsonschema:"nullable"`
	// API address of this configuration.
	URL *string `json:"url,omitempty" jsonschema:"nullable"`
	Dates
}
