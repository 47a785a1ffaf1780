package config

import (
	"errors"
	"fmt"

	"twilio-conversations-mcp/twilioapi"
)

// credentials returns the Twilio credentials of the environment: an API key, or
// else the credentials of the account. Missing credentials are an error of each
// call rather than of the start, so that a client can always list the tools.
func credentials(lookup LookupFunc) twilioapi.CredentialsFunc {
	found, err := firstPair(lookup,
		[2]string{"TWILIO_API_KEY", "TWILIO_API_SECRET"},
		[2]string{"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"})
	return func() (twilioapi.Credentials, error) { return found, err }
}

// firstPair returns the first pair of variables of which both are set. If there
// is none, the error speaks of the first pair of which one is set.
func firstPair(lookup LookupFunc, pairs ...[2]string) (twilioapi.Credentials, error) {
	err := errors.New("the server has no Twilio credentials; " +
		"ask the user to set TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, " +
		"in its environment, or to start it with --sandbox")
	var incomplete error
	for _, pair := range pairs {
		username, password := lookup.value(pair[0]), lookup.value(pair[1])
		switch {
		case username != "" && password != "":
			return twilioapi.Credentials{Username: username, Password: password}, nil
		case incomplete != nil:
		case username != "":
			incomplete = missing(pair[0], pair[1])
		case password != "":
			incomplete = missing(pair[1], pair[0])
		}
	}
	if incomplete != nil {
		err = incomplete
	}
	return twilioapi.Credentials{}, err
}

func missing(set, unset string) error {
	return fmt.Errorf("the server's environment has %s but not %s; ask the user to set %[2]s too", set, unset)
}
