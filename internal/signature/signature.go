// Package signature computes and checks the signatures of Twilio's webhook
// requests, https://www.twilio.com/docs/usage/webhooks/webhooks-security.
package signature

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Header is the name of the header that holds the signature.
const Header = "X-Twilio-Signature"

// Sign returns the signature of a request to a URL, with its query, and with the
// parameters of a form in its body. Of a parameter that is repeated, each value
// counts once.
func Sign(authToken, address string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(authToken))
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			mac.Write([]byte(name + value))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Valid reports whether a signature is that of a request. The URL is tried with and
// without the default port, because Twilio and proxies differ in that.
func Valid(signature, authToken, address string, form url.Values) bool {
	valid := false
	for _, address := range spellings(address) {
		valid = hmac.Equal([]byte(signature), []byte(Sign(authToken, address, form))) || valid
	}
	return valid
}

// spellings returns a URL with and without a port.
func spellings(address string) []string {
	scheme, rest, _ := strings.Cut(address, "://")
	host, path, _ := strings.Cut(rest, "/")
	name, port, hasPort := strings.Cut(host, ":")
	if strings.HasPrefix(host, "[") {
		at := strings.IndexByte(host, ']') + 1
		name, port, hasPort = host[:at], strings.TrimPrefix(host[at:], ":"), len(host) > at
	}
	if !hasPort {
		port = map[string]string{"https": "443", "http": "80"}[scheme]
	}
	return []string{scheme + "://" + name + "/" + path, scheme + "://" + name + ":" + port + "/" + path}
}
