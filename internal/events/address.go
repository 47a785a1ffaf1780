package events

import (
	"net/netip"
	"slices"
)

// special are the networks within 0.0.0.0/0 and 2000::/3 whose addresses are not
// globally reachable, or lead to another address, by the registries
// https://www.iana.org/assignments/iana-ipv4-special-registry/ and
// https://www.iana.org/assignments/iana-ipv6-special-registry/.
var special = []string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
}

// nat64 is the network whose addresses end with the IPv4 address that they lead to.
const nat64 = "64:ff9b::/96"

// isPublic reports whether an address is one of the Internet.
func isPublic(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	if netip.MustParsePrefix(nat64).Contains(ip) {
		b := ip.As16()
		ip = netip.AddrFrom4([4]byte(b[12:]))
	}
	if ip.Is6() && !netip.MustParsePrefix("2000::/3").Contains(ip) {
		return false
	}
	return ip.IsValid() && !slices.ContainsFunc(special, func(network string) bool {
		return netip.MustParsePrefix(network).Contains(ip)
	})
}
