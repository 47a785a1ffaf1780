package config

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

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
// is none, the error speaks of the first pair that is set in part.
func firstPair(lookup LookupFunc, pairs ...[2]string) (twilioapi.Credentials, error) {
	var problem error
	for _, pair := range pairs {
		username, password := lookup.value(pair[0]), lookup.value(pair[1])
		if isReal(username) && isReal(password) && formError(pair, username, password) == nil {
			return twilioapi.Credentials{Username: username, Password: password}, nil
		}
		if problem == nil {
			problem = incomplete(lookup, pair)
		}
	}
	if problem == nil {
		problem = errors.New("the server has no Twilio credentials; " +
			"ask the user to set TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, " +
			"in its environment, or to start it with --sandbox")
	}
	return twilioapi.Credentials{}, problem
}

// incomplete returns what is wrong with a pair of variables that cannot be used,
// or nil if neither is set. It does not repeat their values, which may be secret.
func incomplete(lookup LookupFunc, pair [2]string) error {
	for _, name := range pair {
		if value := lookup.value(name); value != "" && !isReal(value) {
			return fmt.Errorf("the server got a placeholder instead of a value for %s; "+
				"ask the user to set %[1]s in the environment of the AI tool, or to write its value into the tool's configuration file, "+
				"and to restart the tool", name)
		}
	}
	switch username, password := lookup.value(pair[0]), lookup.value(pair[1]); {
	case username != "" && password != "":
		return formError(pair, username, password)
	case username != "":
		return missing(pair[0], pair[1])
	case password != "":
		return missing(pair[1], pair[0])
	}
	return nil
}

// formError returns why the values of a pair cannot be what the variables are for,
// or nil. It tells what is visible of a value without repeating it.
func formError(pair [2]string, username, password string) error {
	prefix, what := "SK", "an API key's SID"
	if pair[0] == "TWILIO_ACCOUNT_SID" {
		prefix, what = "AC", "an account SID"
	}
	switch {
	case isQuoted(username):
		return quoted(pair[0])
	case isQuoted(password):
		return quoted(pair[1])
	case !isSID(prefix, username):
		return fmt.Errorf("%s of the server must be %s: %s and 32 hexadecimal digits; the value has %d characters%s; ask the user to correct %[1]s and to restart the server",
			pair[0], what, prefix, utf8.RuneCountInString(username), startsWith(prefix, username))
	}
	return nil
}

func startsWith(prefix, value string) string {
	if strings.HasPrefix(value, prefix) {
		return " and starts with " + prefix
	}
	return " and does not start with " + prefix
}

func isSID(prefix, value string) bool {
	digits, ok := strings.CutPrefix(value, prefix)
	_, err := hex.DecodeString(digits)
	return ok && len(digits) == 32 && err == nil
}

// isQuoted reports whether quotation marks enclose a value, which docker's
// --env-file keeps.
func isQuoted(value string) bool {
	return len(value) > 1 && value[0] == value[len(value)-1] && (value[0] == '"' || value[0] == '\'')
}

func quoted(name string) error {
	return fmt.Errorf("the value of %s has quotation marks around it, which some files of variables keep; "+
		"ask the user to remove them and to restart the server", name)
}

func missing(set, unset string) error {
	return fmt.Errorf("the server's environment has %s but not %s; ask the user to set %[2]s too", set, unset)
}

// placeholders match what configuration files hold instead of a secret:
// references that an AI tool passes on literally if it cannot resolve them, such
// as ${env:NAME}, ${input:NAME}, ${NAME:-}, $NAME and %NAME%; and what
// documentation shows for a user to replace, such as YOUR_NAME,
// your-api-key-secret, SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx and SK... .
var placeholders = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^(\$\{.*\}|\$[A-Za-z_]\w*|%[A-Za-z_]\w*%|(?i:your)[_-][A-Za-z_-]*|(SK|AC)?([xX]{8,}|\.\.\.))$`)
})

// isReal reports whether a value can be a secret: it is neither empty nor a
// placeholder.
func isReal(value string) bool { return value != "" && !placeholders().MatchString(value) }
