package access

import (
	"slices"
	"strings"
	"unicode"
)

// The scopes of access tokens. ScopeWrite implies ScopeRead. ScopeNone stands for
// none: it is what a call needs that every caller may make.
const (
	ScopeNone     = "none"
	ScopeRead     = "webhooks:read"
	ScopeWrite    = "webhooks:write"
	ScopeMessages = "messages:read"
)

// A Caller is who sent an admitted request.
type Caller struct {
	// Name identifies the caller in the log: with OAuth, the subject and the
	// client ID of the access token, printable and at most 150 characters. It
	// is empty otherwise.
	Name string
	// Principal identifies the caller among all callers of the server: the subject
	// of the access token, the bearer token, as a hash, or the user name of the
	// Twilio credentials. It is empty if the policy requires no credentials.
	Principal string
	// Username and Password are the caller's own Twilio credentials. They are
	// empty unless the policy requires them.
	Username, Password string

	limited bool     // whether the caller may do only what scopes allow
	scopes  []string // granted by the access token
}

// Allows reports whether the caller may do what requires scopes, which are
// separated by spaces. It is true for ScopeNone, and for every scope where OAuth
// is not used. No access token has the empty scope.
func (c Caller) Allows(scopes string) bool {
	if !c.limited || scopes == ScopeNone {
		return true
	}
	for scope := range strings.FieldsSeq(scopes) {
		if !slices.Contains(c.scopes, scope) && (scope != ScopeRead || !slices.Contains(c.scopes, ScopeWrite)) {
			return false
		}
	}
	return scopes != ""
}

// String hides the credentials from fmt and from logs.
func (Caller) String() string { return "caller" }

// GoString hides the credentials from fmt's %#v.
func (Caller) GoString() string { return "caller" }

// callerName returns a name for the log that is safe to print and short.
func callerName(subject, client string) string {
	return "sub=" + printable(subject) + " client_id=" + printable(client)
}

// printable replaces what is not printable or is white space, and cuts text
// after 64 characters.
func printable(text string) string {
	runes := []rune(strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text))
	if len(runes) > 64 {
		return string(runes[:64]) + "…"
	}
	return string(runes)
}
