package schemas

// CheckConversationWebhooks is the contract of the tool of that name.
const CheckConversationWebhooks Contract[CheckConversationWebhooksInput] = "check_conversation_webhooks"

// CheckConversationWebhooksInput says what to check.
type CheckConversationWebhooksInput struct {
	Conversation
	// How many hours of alerts to read, 1 to 720. Default 24.
	Hours *int64 `json:"Hours,omitempty" jsonschema:"minimum=1,maximum=720"`
}

// CheckConversationWebhooksOutput is what a check found.
type CheckConversationWebhooksOutput struct {
	// The conversation.
	Conversation CheckedConversation `json:"conversation"`
	// Its webhooks.
	Webhooks []CheckedWebhook `json:"webhooks"`
	// What the account and the Service call too.
	OtherLevels []CheckedLevel `json:"other_levels"`
	// What is wrong or worth knowing, the worst first.
	Findings []Finding `json:"findings"`
	// Failures that Twilio reported for these URLs, by webhook and code.
	Alerts []AlertGroup `json:"alerts"`
	// What could not be read, and so was not checked.
	Unavailable []Unavailable `json:"unavailable"`
}

// CheckedConversation is a conversation.
type CheckedConversation struct {
	// Its SID.
	SID string `json:"sid,omitempty"`
	// Its unique name.
	UniqueName string `json:"unique_name,omitempty"`
	// Its name for people.
	FriendlyName string `json:"friendly_name,omitempty"`
	// initializing, active, inactive or closed.
	State string `json:"state,omitempty"`
	// The Conversation Service it is in.
	ChatServiceSID string `json:"chat_service_sid,omitempty"`
}

// CheckedWebhook is a webhook of the conversation.
type CheckedWebhook struct {
	// Its SID.
	SID string `json:"sid,omitempty"`
	// webhook, trigger or studio.
	Target string `json:"target,omitempty"`
	// The URL that it calls, or the Studio Flow that it runs.
	Calls string `json:"calls,omitempty"`
	// The events on which it does so.
	Events []string `json:"events"`
	// The keywords of a trigger.
	Keywords []string `json:"keywords,omitempty"`
}

// CheckedLevel is a URL that the account or the Service calls.
type CheckedLevel struct {
	// account or service.
	Level string `json:"level"`
	// The URL.
	URL string `json:"url"`
	// The events that are sent to it.
	Events []string `json:"events"`
}

// Finding is something that a check found.
type Finding struct {
	// problem, warning or note.
	Severity string `json:"severity"`
	// The webhook that it is about.
	Webhook string `json:"webhook,omitempty"`
	// What is wrong, and what to do.
	Text string `json:"text"`
	// The page of the documentation to read.
	Page string `json:"page"`
}

// AlertGroup is the alerts about one URL with one code.
type AlertGroup struct {
	// The webhook that calls the URL, if exactly one does.
	Webhook string `json:"webhook,omitempty"`
	// The URL.
	URL string `json:"url,omitempty"`
	// Twilio's code.
	Code string `json:"code"`
	// What the code means.
	Meaning string `json:"meaning"`
	// How many alerts there are.
	Count int `json:"count"`
	// When the first one was generated.
	First string `json:"first,omitempty"`
	// When the last one was.
	Last string `json:"last,omitempty"`
	// What the receiver answered to the last one.
	Response *AlertResponse `json:"response,omitempty"`
}

// AlertResponse is what a receiver answered.
type AlertResponse struct {
	// The HTTP status.
	Status int `json:"status,omitzero"`
	// The beginning of the body: untrusted text.
	Body string `json:"body,omitempty"`
}

// Unavailable is something that could not be read.
type Unavailable struct {
	// What it is.
	What string `json:"what"`
	// Why it could not be read.
	Why string `json:"why"`
}
