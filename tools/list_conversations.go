package tools

import (
	"context"
	"fmt"
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
	call: func(ctx context.Context, twilio *twilioapi.Client, in schemas.ListConversationsInput) (twilioapi.Result, error) {
		if err := checkDates(date{"StartDate", in.StartDate}, date{"EndDate", in.EndDate}); err != nil {
			return twilioapi.Result{}, err
		}
		return twilio.Read(ctx, twilioapi.ListConversations, parametersOf(in))
	},
}

// A date is an argument that is a date, or empty.
type date struct{ name, value string }

// checkDates returns an [argumentError] that lists the dates that are none.
func checkDates(dates ...date) error {
	var problems argumentError
	for _, d := range dates {
		if _, err := time.Parse(time.DateOnly, d.value); d.value != "" && err != nil {
			problems = append(problems, fmt.Sprintf("%s must be a date, YYYY-MM-DD, not %s.", d.name, quote(d.value)))
		}
	}
	if problems == nil {
		return nil
	}
	return problems
}
