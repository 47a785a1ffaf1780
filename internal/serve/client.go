package serve

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// addressOf returns the address of an address with or without a port. It is not
// valid if text is something else.
func addressOf(text string) netip.Addr {
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	address, _ := netip.ParseAddr(text)
	return address.Unmap()
}

// clientOf returns the address of the client of a request: the one that is
// connected or, if that is a proxy that is trusted, the last one in X-Forwarded-For
// that is not.
func clientOf(r *http.Request, proxies []netip.Prefix) string {
	client := r.RemoteAddr
	if len(proxies) == 0 {
		return client
	}
	trusted := func(text string) bool {
		address := addressOf(text)
		return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(address) })
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && trusted(client); i-- {
		address := addressOf(strings.TrimSpace(forwarded[i]))
		if !address.IsValid() {
			break
		}
		client = address.String()
	}
	return client
}
