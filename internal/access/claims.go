package access

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// claims are what an access token says in addition to what go-oidc reads.
type claims struct {
	NotBefore float64 `json:"nbf"` // seconds since 1970

	// Issuers name the client in different claims.
	ClientID        string `json:"client_id"`
	AuthorizedParty string `json:"azp"`
	CID             string `json:"cid"`

	// Issuers list the scopes in either.
	Scope scopeList `json:"scope"`
	SCP   scopeList `json:"scp"`

	// Some issuers grant the scopes of this server as roles of an application or
	// as permissions of a user instead.
	Roles       scopeList `json:"roles"`
	Permissions scopeList `json:"permissions"`
}

// caller returns the caller that a token is for. The scopes of this server may
// have a prefix.
func (c claims) caller(subject, prefix string) Caller {
	caller := Caller{
		Name:    callerName(subject, cmp.Or(c.ClientID, c.AuthorizedParty, c.CID)),
		limited: true,
	}
	for _, scope := range append(c.Scope, c.SCP...) {
		own, ok := ownScope(scope, prefix)
		if !ok {
			own = scope
		}
		caller.scopes = append(caller.scopes, own)
	}
	for _, role := range append(c.Roles, c.Permissions...) {
		if own, ok := ownScope(role, prefix); ok {
			caller.scopes = append(caller.scopes, own)
		}
	}
	if subject != "" {
		caller.Principal = "subject " + subject
	}
	return caller
}

// ownScope removes the prefix of a scope, and reports whether the rest is a scope of
// this server.
func ownScope(scope, prefix string) (string, bool) {
	own := strings.TrimPrefix(scope, prefix)
	return own, own == ScopeRead || own == ScopeWrite || own == ScopeMessages
}

// A scopeList is a list of scopes: in JSON, a string with spaces between them,
// or an array of strings. Anything else lists none.
type scopeList []string

// UnmarshalJSON implements [json.Unmarshaler].
func (l *scopeList) UnmarshalJSON(raw []byte) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		*l = strings.Fields(text)
		return nil
	}
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		*l = list
	}
	return nil
}

// scopeToken is the syntax of a scope in RFC 6749, section 3.3.
var scopeToken = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[!#-\[\]-~]{1,100}$`) })

// maxChallengeScopes bounds the scopes that a challenge repeats.
const maxChallengeScopes = 32

// scopesWith returns the granted scopes and the needed ones. It leaves out
// offline_access, which a challenge should not name.
func (c Caller) scopesWith(needed []string) []string {
	var scopes []string
	for _, scope := range c.scopes {
		if len(scopes) < maxChallengeScopes && scope != "offline_access" && !slices.Contains(needed, scope) &&
			scopeToken().MatchString(scope) && !slices.Contains(scopes, scope) {
			scopes = append(scopes, scope)
		}
	}
	return append(scopes, needed...)
}
