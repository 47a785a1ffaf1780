package tools

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// An urlProblem is what is wrong with a URL: the end of a sentence that begins with
// the URL's name.
type urlProblem struct{ severity, text string }

// judgeURL says what is wrong with a URL that Twilio is to call, or the sandbox if
// isSandbox is true, which calls receivers on its own machine.
func judgeURL(address string, isSandbox bool) (problems []urlProblem) {
	add := func(severity, text string) { problems = append(problems, urlProblem{severity, text}) }
	switch {
	case strings.Contains(address, "&amp;"):
		add(severe, "contains &amp; where & belongs, as in HTML: correct it.")
	case strings.Contains(address, "](") || strings.HasPrefix(address, "["):
		add(severe, "looks like a Markdown link: give the address alone.")
	case strings.ContainsFunc(address, unicode.IsSpace):
		add(severe, "has white space in it: remove it.")
	case strings.ContainsAny(address, "<>\"\\^`{|}") || strings.ContainsFunc(address, func(r rune) bool { return !unicode.IsGraphic(r) }):
		add(severe, "has characters that a URL cannot have: correct it.")
	}
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		if problems == nil {
			add(severe, "is not an absolute https URL.")
		}
		return problems
	}
	if isSandbox && isLoopback(u.Hostname()) {
		add(note, "is on this machine: the sandbox calls it, Twilio cannot. Give Twilio a public https URL.")
		return problems
	}
	if u.Scheme == "http" {
		add(severe, "is http. Twilio's security page says that it calls no http URL unless that is configured for development: use https.")
	}
	if why := unreachable(u.Hostname()); why != "" {
		add(severe, why+": Twilio cannot reach it. Use a public host, or a tunnel to the local one.")
	}
	if u.User != nil {
		add(warning, "has a user name or password in it, which everybody who can list the webhooks can read. Check X-Twilio-Signature instead.")
	}
	if _, fragment, found := strings.Cut(address, "#"); found {
		problems = append(problems, judgeFragment(fragment))
	}
	return problems
}

// overrides are the names of connection overrides:
// https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides
var overrides = []string{"ct", "rt", "tt", "rc", "rp", "sni", "e"}

func judgeFragment(fragment string) urlProblem {
	for pair := range strings.SplitSeq(fragment, "&") {
		if name, _, found := strings.Cut(pair, "="); !found || !slices.Contains(overrides, name) {
			return urlProblem{warning, "ends with a fragment (#...) that is no connection override. The receiver never sees it: remove it."}
		}
	}
	return urlProblem{note, "has connection overrides (#...). Twilio does not document whether webhooks of conversations honour them."}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// unreachable says why a host is not on the internet, or "".
func unreachable(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return unreachableIP(ip.Unmap())
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	switch {
	case !strings.Contains(host, ".") && host != "localhost":
		return "has a host without a dot"
	case slices.Contains([]string{"localhost", "local", "internal", "lan", "test", "example", "invalid", "onion"}, last) || strings.HasSuffix(host, ".home.arpa"):
		return "has the local host " + clip(host, 100)
	case strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x"):
		return "has a host that is neither a name nor an IP address"
	default:
		return ""
	}
}

// notPublic are networks that netip does not know as private or local.
var notPublic = []string{"0.0.0.0/8", "100.64.0.0/10", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "2001:db8::/32"}

func unreachableIP(ip netip.Addr) string {
	isLocal := ip.IsLoopback() || ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast()
	isLocal = isLocal || slices.ContainsFunc(notPublic, func(network string) bool { return netip.MustParsePrefix(network).Contains(ip) })
	if !isLocal {
		return ""
	}
	return "has the address " + ip.String() + ", which is not on the internet"
}

// withoutPassword returns a URL with its user name and password hidden.
func withoutPassword(address string) string {
	scheme, rest, found := strings.Cut(address, "://")
	if !found {
		return address
	}
	end := len(rest)
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		end = i
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		return scheme + "://[secret]" + rest[at:]
	}
	return address
}
