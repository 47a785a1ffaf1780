package tools

import (
	"strings"
	"unicode"
)

// checkURL says what is wrong with a URL that is to be called, or "". Models write Markdown
// links, and white space around a URL; Twilio would accept both.
func checkURL(url *string) string {
	switch {
	case url == nil:
		return ""
	case !hasScheme(*url, "http") && !hasScheme(*url, "https"):
		return "must be an absolute URL that begins with http:// or https://, not " + quote(*url) + "."
	case strings.ContainsFunc(*url, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "must have no white space and no control characters in it, as " + quote(*url) + " has."
	default:
		return ""
	}
}

// addURL adds what is wrong with an argument that is a URL.
func (p *problems) addURL(name string, url *string) {
	if problem := checkURL(url); problem != "" {
		p.add(path{name: name}, "%s", problem)
	}
}

func hasScheme(url, scheme string) bool {
	prefix := scheme + "://"
	return len(url) > len(prefix) && strings.EqualFold(url[:len(prefix)], prefix)
}

// noteURL is the note about a Configuration.Url that is sent as it is, but that
// probably is not what was meant, or "".
func noteURL(url *string) string {
	if url == nil || !strings.Contains(*url, "&amp;") {
		return ""
	}
	return "Configuration.Url has &amp; in it, which is how HTML writes &. It was sent as given: if & was meant, update the webhook."
}
