package tools

import (
	"net/http"
	"slices"
	"strings"
)

// events are the event names that Configuration.Filters accepts, as Twilio's
// AutoCreation.WebhookFilters lists them.
const events = "onMessageAdded, onMessageUpdated, onMessageRemoved, onConversationUpdated, " +
	"onConversationStateUpdated, onConversationRemoved, onParticipantAdded, onParticipantUpdated, " +
	"onParticipantRemoved, onDeliveryUpdated"

const (
	checkCredentials = "Ask the user to check the credentials: the server's TWILIO_API_KEY and TWILIO_API_SECRET, " +
		"or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or those that the caller sends. They belong to one region."
	checkPermission = "The server's credentials do not allow this. Ask the user to give the API key " +
		"the permission for conversation webhooks, and to check that key and account match."
	checkConversation = "Check ConversationSid: a SID, or the exact unique name, not percent-encoded. " +
		"If it is right, the conversation was deleted, or is in another account or another Service than the server's " +
		"(TWILIO_CHAT_SERVICE_SID): tell the user, and do not use a different one."
	checkWebhook = "The conversation has no such webhook, or does not exist[: list_conversation_webhooks shows which|]. " +
		"After a delete this means that the webhook is gone. Otherwise tell the user, and do not use a different one."
	checkAddress = "This does not look like a response of Twilio's API: a proxy, a CDN or a firewall may have sent it. " +
		"Ask the user to check the network, and the server's TWILIO_BASE_URL."
	checkProxy       = "The proxy between the server and Twilio wants credentials. Ask the user to put them into the server's HTTPS_PROXY."
	checkBlocked     = "Something between the server and Twilio blocks this place or this address: tell the user."
	checkReach       = "Ask the user to check that the server reaches the proxy in its HTTPS_PROXY, and that it lets it connect to Twilio."
	checkCertificate = "Ask the user to check the server's clock and network. If a proxy has a certificate of its own, " +
		"--ca-file (MCP_CA_FILE) names the file with its authority."
	checkArguments = "Correct the arguments as Twilio says; the same call fails again."
	tryLater       = "Try again later."
)

// advice is what to try next, by Twilio's code
// (https://www.twilio.com/docs/api/errors). See [offered.render].
var advice = map[int]string{
	20001: checkArguments,
	20003: checkCredentials,
	20004: checkAddress,
	20007: "Use a PageSize of 1 to 5.",
	20161: checkArguments,
	20403: checkPermission,
	20404: checkConversation,
	20409: tryLater,
	20422: checkArguments,
	20429: tryLater,
	20500: tryLater,
	20503: tryLater,
	21481: "Take Page and PageToken from the last meta.next_page_url, percent-decoded, or leave both out to start again.",
	50002: tryLater,
	50063: tryLater,
	50074: tryLater,
	50334: tryLater,
	50350: checkConversation,
	50351: "Give ConversationSid.",
	50360: checkWebhook,
	50361: "The conversation already has the maximum of five webhooks; nothing was created. " +
		"[Call list_conversation_webhooks: if one does what was asked for, use it. |]" +
		"[If another one is needed, ask the user which to change with update_conversation_webhook or to remove with delete_conversation_webhook.|" +
		"If not, tell the user that one must be deleted first, which these tools cannot do.]",
	50362: "Give at most five Configuration.Triggers. More keywords need a second webhook, which uses another of the conversation's five " +
		"and is called too when a message matches both: ask the user.",
	50363: "A webhook's SID is WH and 32 hexadecimal digits[; list_conversation_webhooks shows it|].",
	50364: "Target is webhook, trigger or studio.",
	50365: "Valid Configuration.Filters: " + events + ". If none of them is what the user wants, say so.",
	50366: "Each of Configuration.Triggers has 1 to 248 characters.",
	50367: "Target studio needs Configuration.FlowSid: FW and 32 hexadecimal digits.",
	50368: "Give Target: webhook, trigger or studio.",
	50369: "Targets webhook and trigger need Configuration.Url, an absolute URL.",
	50370: "Target webhook needs at least one of Configuration.Filters: " + events + ".",
	50371: "Target trigger needs at least one keyword in Configuration.Triggers.",
	50372: "Configuration.Url has at most 512 characters.",
	50377: "The conversation is closed; ask the user.",
	50385: "Conversations are not offered in this region; ask the user to check TWILIO_REGION and TWILIO_EDGE.",
	70051: checkPermission,
}

// adviceByStatus applies to codes that are not in advice.
var adviceByStatus = map[int]string{
	401: checkCredentials,
	403: checkPermission,
	404: checkConversation,
}

// adviceWithoutCode is about a response that has no code of Twilio's, and that
// something else may have sent. What Twilio may mean by the status follows.
func adviceWithoutCode(status int) string {
	switch status {
	case http.StatusProxyAuthRequired:
		return checkProxy
	case http.StatusUnavailableForLegalReasons:
		return checkBlocked
	default:
		return checkAddress
	}
}

// Advice returns what to try next after a call of a tool failed, by Twilio's code.
// It mentions any tool.
func Advice(tool string) map[int]string {
	all, _ := definitions(Selection{Toolsets: []string{"all"}}) // a valid name
	explain := &explainer{offered: namesOf(all)}
	if i := slices.Index(explain.offered, tool); i >= 0 {
		explain = all[i].explainer(explain.offered)
	}
	texts := map[int]string{}
	for code := range advice {
		texts[code] = explain.advice(0, code)
	}
	if lost := explain.offered.render(explain.lost.next); lost != "" { // a write may have been carried out
		texts[20500], texts[20503] = lost, lost
	}
	return texts
}

// Events returns the event names that Configuration.Filters accepts.
func Events() []string { return strings.Split(events, ", ") }
