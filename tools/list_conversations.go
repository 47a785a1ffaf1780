package tools

import (
	"time"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var listConversations = operation[schemas.ListConversationsInput]{
	contract: schemas.ListConversations,
	title:    "List conversations",
	description: "Lists the Twilio conversations of the account's default Service, or of the Service that the server is set to. " +
		"[To find one by a phone number or an identity, use list_participant_conversations. |]" + untrusted,
	hints: hints{readOnly: true, idempotent: true},
	scope: scopeRead,
	check: func(in schemas.ListConversationsInput, problems *problems) {
		problems.addDate("StartDate", in.StartDate)
		problems.addDate("EndDate", in.EndDate)
	},
	call: reads[schemas.ListConversationsInput](twilioapi.ListConversations),
}

// addDate adds a problem if an argument is neither empty nor a date.
func (p *problems) addDate(name, value string) {
	if _, err := time.Parse(time.DateOnly, value); value != "" && err != nil {
		p.add(path{name: name}, "must be a date, YYYY-MM-DD, not %s.", quote(value))
	}
}
