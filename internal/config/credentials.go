package config

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"twilio-conversations-mcp/twilioapi"
)

// serverCredentials reads Twilio's from the environment: an API key, or else the
// account's own. What is missing is an error of each call rather than of the
// start, so that a client can always list the tools.
func serverCredentials(lookup LookupFunc) twilioapi.CredentialsFunc {
	credentials, err := fromPairs(lookup,
		[2]string{"TWILIO_API_KEY", "TWILIO_API_SECRET"},
		[2]string{"TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"})
	return func() (twilioapi.Credentials, error) { return credentials, err }
}

func fromPairs(lookup LookupFunc, pairs ...[2]string) (twilioapi.Credentials, error) {
	var half error
	for _, pair := range pairs {
		username, _ := lookup(pair[0])
		password, _ := lookup(pair[1])
		switch {
		case username != "" && password != "":
			return twilioapi.Credentials{Username: username, Password: password}, nil
		case half != nil:
		case username != "":
			half = missing(pair[0], pair[1])
		case password != "":
			half = missing(pair[1], pair[0])
		}
	}
	if half != nil {
		return twilioapi.Credentials{}, half
	}
	return twilioapi.Credentials{}, errors.New("the server has no Twilio credentials; " +
		"ask the user to set TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, " +
		"in its environment, or to start it with --sandbox")
}

func missing(set, unset string) error {
	return fmt.Errorf("the server's environment has %s but not %s; ask the user to set %[2]s too", set, unset)
}

// tokens reads the bearer tokens that callers over HTTP must bring, from
// MCP_AUTH_TOKEN and the file that MCP_AUTH_TOKEN_FILE names: separated by
// commas or lines. It returns none if neither variable is set.
func tokens(lookup LookupFunc) ([]string, error) {
	text, _ := lookup("MCP_AUTH_TOKEN")
	file, _ := lookup("MCP_AUTH_TOKEN_FILE")
	if text == "" && file == "" {
		return nil, nil
	}
	if file != "" {
		read, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("MCP_AUTH_TOKEN_FILE: %w", err)
		}
		text += "\n" + string(read)
	}
	all := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
	if len(all) == 0 {
		return nil, errors.New("MCP_AUTH_TOKEN and MCP_AUTH_TOKEN_FILE hold no token")
	}
	return all, nil
}
