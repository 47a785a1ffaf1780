package listen

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"

	"twilio-conversations-mcp/internal/signature"
)

// settingsHeader names the shared key that signed a request, if one did.
const settingsHeader = "X-Twilio-Webhooks-Signature-Settings"

// check returns the most likely reason why the signature of a request is not valid,
// or an empty string if it is.
func (rc *receiver) check(r *http.Request, called string, form url.Values, body []byte) string {
	key, setting := rc.AuthToken, "TWILIO_AUTH_TOKEN"
	if r.Header.Get(settingsHeader) != "" {
		key, setting = rc.Key, "TWILIO_WEBHOOK_KEY"
	}
	signed := r.Header.Get(signature.Header)
	switch {
	case signed == "":
		return "there is no " + signature.Header + ": Twilio did not send this request, or a proxy removed the header"
	case key == "":
		return "the request is signed with a key of the webhook settings; set " + setting
	case isJSON(r) && !isBodyHash(r.URL.Query().Get("bodySHA256"), body):
		return "bodySHA256 in the query is not the hash of the body: the body was changed on the way"
	case signature.Valid(signed, key, called, form):
		return ""
	}
	for _, other := range rc.otherURLs(r, called) {
		if signature.Valid(signed, key, other.url, form) {
			return "the signature is that of " + other.url + ": " + other.reason
		}
	}
	if len(form) > 0 && signature.Valid(signed, key, called, nil) {
		return "the signature is that of a request without these fields: the body was changed on the way"
	}
	return "the signature is made with another token than " + setting + ", or of another URL than " + called +
		"; give the URL that the webhook has with --public-url"
}

func isBodyHash(want string, body []byte) bool {
	hash := sha256.Sum256(body)
	return strings.EqualFold(want, hex.EncodeToString(hash[:]))
}

// An otherURL is a URL that Twilio may have called instead, and what changed it.
type otherURL struct{ url, reason string }

// otherURLs returns what proxies and tunnels make of a URL.
func (rc *receiver) otherURLs(r *http.Request, called string) (others []otherURL) {
	const advice = "; give the base URL that Twilio calls with --public-url"
	scheme, rest, _ := strings.Cut(called, "://")
	_, path, _ := strings.Cut(rest, "/")
	swapped := map[string]string{"http": "https", "https": "http"}[scheme]
	others = append(others, otherURL{swapped + "://" + rest, "a proxy changed the scheme" + advice})
	for _, host := range []string{r.Header.Get("X-Forwarded-Host"), r.Header.Get("X-Original-Host"), r.Host} {
		for _, scheme := range []string{"https", "http"} {
			others = append(others, otherURL{scheme + "://" + host + "/" + path, "a proxy changed the host" + advice})
		}
	}
	for _, o := range append([]otherURL{{url: called}}, others...) {
		bare, query, _ := strings.Cut(o.url, "?")
		others = append(others,
			otherURL{bare, "a proxy added the query"},
			otherURL{strings.TrimSuffix(bare, "/") + withQuery(query), "a proxy added the slash at the end"},
			otherURL{strings.TrimSuffix(bare, "/") + "/" + withQuery(query), "a proxy removed the slash at the end"})
	}
	return others
}

func withQuery(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}
