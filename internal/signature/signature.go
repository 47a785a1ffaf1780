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
func Sign(key, address string, form url.Values) string {
	return sign(sha1.New, key, address, parameters(form))
}

// SignSHA256 is Sign with the algorithm HMAC_SHA256 of Twilio's webhook settings, whose
// key is a shared one.
func SignSHA256(key, address string, form url.Values) string {
	return sign(sha256.New, key, address, parameters(form))
}

func sign(algorithm func() hash.Hash, key, address, parameters string) string {
	mac := hmac.New(algorithm, []byte(key))
	mac.Write([]byte(address))
	mac.Write([]byte(parameters))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// parameters returns what is signed of a form.
func parameters(form url.Values) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			b.WriteString(name)
			b.WriteString(value)
		}
	}
	return b.String()
}

// Valid reports whether a signature is that of a request, by the algorithm that its
// length tells. The URL is tried with and without the port, and with an apostrophe in
// its query escaped and not, because Twilio, proxies and frameworks differ in that.
func Valid(signature, key, address string, form url.Values) bool {
	algorithm := sha1.New
	if len(signature) == base64.StdEncoding.EncodedLen(sha256.Size) {
		algorithm = sha256.New
	}
	valid, parameters := false, parameters(form)
	for _, address := range spellings(address) {
		valid = hmac.Equal([]byte(signature), []byte(sign(algorithm, key, address, parameters))) || valid
	}
	return valid
}

// spellings returns the ways to write a URL that are tried.
func spellings(address string) (all []string) {
	before, query, hasQuery := strings.Cut(address, "?")
	for _, before := range ports(before) {
		if !hasQuery {
			all = append(all, before)
			continue
		}
		unescaped := strings.ReplaceAll(query, "%27", "'")
		all = append(all, before+"?"+query, before+"?"+unescaped, before+"?"+strings.ReplaceAll(unescaped, "'", "%27"))
	}
	return all
}

// ports returns a URL that has no query as it is, and with and without a port.
func ports(address string) []string {
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
	return []string{address, scheme + "://" + name + "/" + path, scheme + "://" + name + ":" + port + "/" + path}
}
