package serve

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheClientIsTheLastAddressThatIsNotATrustedProxy(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, row := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"10.0.0.1:5000", []string{"192.0.2.1"}, "192.0.2.1"},
		{"10.0.0.1:5000", []string{"203.0.113.9, 192.0.2.1"}, "192.0.2.1"},
		{"10.0.0.1:5000", []string{"203.0.113.9", "192.0.2.1, 10.2.3.4"}, "192.0.2.1"},
		{"10.0.0.1:5000", []string{"10.9.9.9"}, "10.9.9.9"},
		{"10.0.0.1:5000", []string{"192.0.2.1:4711"}, "192.0.2.1"},
		{"10.0.0.1:5000", []string{"2001:db8::1"}, "2001:db8::1"},
		{"[fd00::1]:5000", []string{"[2001:db8::1]:4711"}, "2001:db8::1"},
		{"[::ffff:10.0.0.1]:5000", []string{"192.0.2.1"}, "192.0.2.1"},
		{"10.0.0.1:5000", nil, "10.0.0.1:5000"},
		{"10.0.0.1:5000", []string{"192.0.2.1, nonsense"}, "10.0.0.1:5000"},
		{"10.0.0.1:5000", []string{"192.0.2.1, "}, "10.0.0.1:5000"},
		{"192.0.2.7:5000", []string{"203.0.113.9"}, "192.0.2.7:5000"},
	} {
		r := &http.Request{RemoteAddr: row.remote, Header: http.Header{"X-Forwarded-For": row.forwarded}}
		require.Equal(t, row.want, clientOf(r, proxies), "%v", row)
		require.Equal(t, row.remote, clientOf(r, nil), "no proxy is trusted")
	}
	require.Equal(t, keyOf(&request{client: "192.0.2.1", transport: "tcp"}), keyOf(&request{client: "192.0.2.1:1", transport: "tcp"}))
}
