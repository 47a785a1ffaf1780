package access

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyRequestsToTheServersOwnNamesAreAdmitted(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{
		AllowedHosts: []string{"mcp.example.com", "Other.example:443", "10.0.0.1", "2001:db8::1"},
		PublicURL:    "http://Public.example:8080/tools",
		HostHint:     "--allowed-host adds a host",
	}))
	for host, status := range map[string]int{
		"localhost":               200,
		"LOCALHOST:1":             200,
		"127.0.0.1:8080":          200,
		"127.1.2.3":               200,
		"[::1]":                   200,
		"[::1]:8080":              200,
		"[0:0::1]:1":              200,
		"MCP.example.com:8443":    200,
		"other.example":           200,
		"other.example:443":       200,
		"10.0.0.1":                200,
		"[2001:DB8:0::1]:8080":    200,
		"public.example":          200,
		"evil.example":            403,
		"localhost.evil.example":  403,
		"localhost:evil":          403,
		"[localhost]":             403,
		"[127.0.0.1]":             403,
		"a@localhost":             403,
		"localhost/a":             403,
		"localhost.":              403,
		"mcp.example.com.evil":    403,
		"10.0.0.10":               403,
		"0.0.0.0":                 403,
		"[::1":                    400, // refused by net/http, or by the policy
		"example.com mcp.example": 400,
	} {
		t.Run(host, func(t *testing.T) {
			t.Parallel()
			if status == 400 {
				_, ok := hostname(host)
				require.False(t, ok)
				return
			}
			res := send(t, s, "POST", "/", header{"Host": host})
			require.Equal(t, status, res.status, res.body)
			if status == 403 {
				require.Contains(t, res.body, "is not allowed; --allowed-host adds a host")
			}
		})
	}
}

func TestARefusalOfAHostWithoutHintIsShort(t *testing.T) {
	t.Parallel()
	res := send(t, serve(t, newPolicy(t, Options{})), "POST", "/", header{"Host": "evil.example"})
	require.Equal(t, "Host \"evil.example\" is not allowed\n", res.body)
}
