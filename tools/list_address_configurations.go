package tools

import (
	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

var listAddressConfigurations = operation[schemas.ListAddressConfigurationsInput]{
	contract: schemas.ListAddressConfigurations,
	title:    "List address configurations",
	description: "Lists the addresses of the Twilio account on which a new message creates a conversation, " +
		"and the webhook or Flow that each such conversation gets. " + untrusted,
	hints: hints{readOnly: true, idempotent: true},
	scope: scopeRead,
	call:  reads[schemas.ListAddressConfigurationsInput](twilioapi.ListAddressConfigurations),
}
