package events

import (
	"context"
	"encoding/binary"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyAddressesOfTheInternetArePublic(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255",
		"192.168.0.1", "169.254.169.254", "169.254.0.1", "100.64.0.1", "100.127.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
		"64:ff9b::10.0.0.1", "64:ff9b:1::1", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
		"2001::1", "2002:7f00:1::", "2002:a00:1::1", "3fff::1", "5f00::1", "100::1", "4000::1",
	} {
		require.False(t, isPublic(netip.MustParseAddr(inside)), inside)
	}
	for _, outside := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1", "192.0.1.1",
		"198.17.255.255", "198.20.0.1", "223.255.255.255", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888",
	} {
		require.True(t, isPublic(netip.MustParseAddr(outside)), outside)
	}
	require.False(t, isPublic(netip.Addr{}))
}

// Every spelling of an address of the inside, and every name that leads to one, is
// refused when it is dialled.
func TestNoConnectionIsMadeToTheInside(t *testing.T) {
	t.Parallel()
	var connections atomic.Int32
	listener := httptest.NewUnstartedServer(http.NotFoundHandler())
	listener.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	listener.StartTLS()
	t.Cleanup(listener.Close)
	_, port, _ := net.SplitHostPort(listener.Listener.Addr().String())

	c := newCallbacks(Options{})
	names := startNames(t)
	c.transport.DialContext = (&net.Dialer{Control: c.control, Resolver: names.resolver()}).DialContext
	for _, host := range []string{
		"127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "0.0.0.0", "0", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001",
		"localhost", "LOCALHOST", "localhost.", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[::127.0.0.1]",
		"10.0.0.1", "192.168.1.1", "172.16.0.1", "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "inside.example", "mapped.example", "changing.example", "changing.example", "mixed.example",
	} {
		_, _, err := c.post(t.Context(), example(func(s *subscription) { s.callback = "https://" + host + ":" + port + "/" }), "id", []byte("{}"))
		require.Error(t, err, host)
		require.Equal(t, "connection_refused", reasonOf(err), host)
	}
	require.Zero(t, connections.Load())
	require.Positive(t, names.asked.Load())

	c.allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	c.transport.TLSClientConfig.RootCAs = listener.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	status, _, err := c.post(t.Context(), example(func(s *subscription) { s.callback = listener.URL }), "id", []byte("{}"))
	require.NoError(t, err)
	require.Equal(t, 404, status)
	require.EqualValues(t, 1, connections.Load())
}

// A redirect is not followed, and no proxy is asked.
func TestNothingLeadsACallbackElsewhere(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	t.Cleanup(inside.Close)
	for _, status := range []int{301, 302, 303, 307, 308} {
		redirect := httptest.NewServer(http.RedirectHandler(inside.URL, status))
		t.Cleanup(redirect.Close)
		c := newCallbacks(Options{AllowedCallbacks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
		got, _, err := c.post(t.Context(), example(func(s *subscription) { s.callback = redirect.URL }), "id", []byte("{}"))
		require.NoError(t, err)
		require.Equal(t, status, got)
	}
	require.Zero(t, elsewhere.Load())
	require.Nil(t, newCallbacks(Options{}).transport.Proxy)
}

func TestAURLThatIsNoCallbackIsRefused(t *testing.T) {
	t.Parallel()
	c := newCallbacks(Options{})
	for _, text := range []string{
		"", "x", "/hook", "ftp://example.com", "http://example.com", "http://127.0.0.1", "http://localhost", "https://", "https:///path",
		"https://user@example.com", "https://user:password@example.com", "https://example.com/#", "https://example.com/#fragment", "https://exa mple.com", "https://example.com:port", "https://[::1",
	} {
		require.Error(t, c.check(text), text)
	}
	for _, text := range []string{"https://example.com", "https://example.com:8443/a?b=c", "HTTPS://EXAMPLE.COM", "https://[2606:4700::1111]/"} {
		require.NoError(t, c.check(text), text)
	}
	c.allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	require.NoError(t, c.check("http://127.0.0.1:1234/hook"))
	require.NoError(t, c.check("http://[::1]/hook"))
	for _, text := range []string{"http://localhost/hook", "http://10.0.0.1/hook", "http://example.com/hook"} {
		require.Error(t, c.check(text), text)
	}
}

// names is a name server that knows names of the inside.
type names struct {
	address string
	asked   atomic.Int32
	changed atomic.Bool
}

func startNames(t *testing.T) *names {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	n := &names{address: conn.LocalAddr().String()}
	go n.serve(conn)
	return n
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", n.address)
	}}
}

func (n *names) serve(conn net.PacketConn) {
	buffer := make([]byte, 512)
	for {
		length, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		_, _ = conn.WriteTo(n.answer(buffer[:length]), from)
	}
}

// answer answers a question for an address. The address of changing.example is
// another one after the first answer.
func (n *names) answer(question []byte) []byte {
	end := 12 + strings.IndexByte(string(question[12:]), 0) + 5
	name := string(question[13 : end-5])
	isA := binary.BigEndian.Uint16(question[end-4:]) == 1
	answer := append([]byte(nil), question[:end]...)
	binary.BigEndian.PutUint16(answer[2:], 0x8180)
	binary.BigEndian.PutUint16(answer[6:], 0)
	clear(answer[8:12])
	addresses := map[string][]string{
		"inside\aexample": {"127.0.0.1"}, "mapped\aexample": {"127.0.0.1"}, "changing\aexample": {"127.0.0.1"}, "mixed\aexample": {"10.0.0.1", "127.0.0.1"},
	}[name]
	if !isA || addresses == nil {
		return answer
	}
	n.asked.Add(1)
	if name == "changing\aexample" && !n.changed.Swap(true) {
		addresses = []string{"203.0.113.1"}
	}
	binary.BigEndian.PutUint16(answer[6:], uint16(len(addresses)))
	for _, address := range addresses {
		ip := netip.MustParseAddr(address).As4()
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
		answer = append(answer, ip[:]...)
	}
	return answer
}
