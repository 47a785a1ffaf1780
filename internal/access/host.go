package access

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// setHosts takes the accepted hosts from AllowedHosts and PublicURL.
func (p *Policy) setHosts(o Options) error {
	for _, text := range o.AllowedHosts {
		host, ok := hostname(text)
		if !ok || strings.Contains(host, "*") {
			return &OptionError{"AllowedHosts", fmt.Errorf("%.100q is not a host name, such as mcp.example.com", text)}
		}
		p.hosts = append(p.hosts, host)
	}
	if o.PublicURL == "" {
		return nil
	}
	u, err := parseBaseURL(o.PublicURL)
	if err != nil {
		return &OptionError{"PublicURL", err}
	}
	host, ok := hostname(u.Host)
	if !ok {
		return &OptionError{"PublicURL", errors.New("must be a URL such as https://mcp.example.com")}
	}
	p.hosts = append(p.hosts, host)
	return nil
}

// admitHost refuses a request that was sent to another host name, so that a web
// page cannot reach the server under a name of its own (DNS rebinding).
func (p *Policy) admitHost(w http.ResponseWriter, r *http.Request) bool {
	if host, ok := hostname(r.Host); ok && (IsLoopback(host) || slices.Contains(p.hosts, host)) {
		return true
	}
	http.Error(w, withHint(fmt.Sprintf("Host %.100q is not allowed", r.Host), p.hostHint), http.StatusForbidden)
	return false
}

// hostname returns the host of a Host header, HOST or HOST:PORT, in lower case
// and with IP addresses in one spelling. It accepts IPv6 addresses without
// brackets too, and reports false if text is something else.
func hostname(text string) (string, bool) {
	if ip, err := netip.ParseAddr(text); err == nil {
		return ip.String(), true
	}
	u, err := url.Parse("//" + text)
	if err != nil || u.Host != text || u.Hostname() == "" {
		return "", false
	}
	host := strings.ToLower(u.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String(), true
	}
	return host, true
}

// IsLoopback reports whether a host name or address in lower case is that of
// this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
