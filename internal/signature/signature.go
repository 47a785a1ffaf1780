// Package signature computes and checks the signatures of Twilio's webhook
// requests, https://www.twilio.com/docs/usage/webhooks/webhooks-security.
package signature

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Header is the name of the header that holds the signature.
const Header = "X-Twilio-Signature"

// Sign returns the signature of a request to a URL, with its query, and with the
// parameters of a form in its body. Of a parameter that is repeated, each value
// counts once. The key is the Auth Token of the account.
func Sign(key, address string, form url.Values) string { return sign(sha1.New, key, address, form) }

// SignSHA256 is Sign with the algorithm HMAC_SHA256 of Twilio's webhook settings, whose
// key is a shared one.
func SignSHA256(key, address string, form url.Values) string {
	return sign(sha256.New, key, address, form)
}

func sign(algorithm func() hash.Hash, key, address string, form url.Values) string {
	mac := hmac.New(algorithm, []byte(key))
	mac.Write([]byte(address))
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			mac.Write([]byte(name + value))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Valid reports whether a signature is that of a request, by the algorithm that its
// length tells. The URL is tried with and without the default port, because Twilio and
// proxies differ in that.
func Valid(signature, key, address string, form url.Values) bool {
	sign := Sign
	if len(signature) == base64.StdEncoding.EncodedLen(sha256.Size) {
		sign = SignSHA256
	}
	valid := false
	for _, address := range spellings(address) {
		valid = hmac.Equal([]byte(signature), []byte(sign(key, address, form))) || valid
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
