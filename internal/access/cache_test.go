package access

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAVerifiedTokenIsAcceptedUntilItExpires(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	token := s.token("exp", s.clock.Now().Add(30*time.Second).Unix())
	for range 2 {
		require.Equal(t, "admitted sub=alice client_id=ci", s.send("/write", token).body)
	}
	s.clock.advance(89 * time.Second) // a minute of leeway
	require.Equal(t, 200, s.send("/", token).status)
	s.clock.advance(2 * time.Second)
	require.Equal(t, 401, s.send("/", token).status)
}

func TestAVerifiedTokenIsForgottenWhenTheKeysChange(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	before := s.token()
	require.Equal(t, 200, s.send("/", before).status)
	s.issuer.publish("k2", rsaKey(1).Public())
	s.clock.advance(fetchInterval)
	require.Equal(t, 200, s.send("/", before).status, "the new keys have not been fetched yet")
	require.Equal(t, 200, s.send("/", sign(t, signature{key: rsaKey(1), keyID: "k2"}, s.claims())).status)
	require.Equal(t, 401, s.send("/", before).status)
}

func TestScopesOfOneTokenAreNotThoseOfAnother(t *testing.T) {
	t.Parallel()
	s := newOAuthTest(t)
	reader, writer := s.token("scope", ScopeRead), s.token("scope", ScopeWrite)
	for range 2 {
		require.Equal(t, 403, s.send("/write", reader).status)
		require.Equal(t, 200, s.send("/write", writer).status)
		require.Equal(t, 401, s.send("/write", forge(writer)).status)
		require.Equal(t, 401, s.send("/write", writer+"A").status)
	}
}

func TestTheCacheIsBounded(t *testing.T) {
	t.Parallel()
	c, now := newTokenCache(), time.Now()
	add := func(token string, valid time.Duration) { c.add(token, Caller{Name: token}, now, now.Add(valid)) }
	for i := range 10 * maxCachedTokens {
		add(fmt.Sprint(i), time.Hour)
		require.LessOrEqual(t, len(c.callers), maxCachedTokens)
	}
	caller, ok := c.find(fmt.Sprint(10*maxCachedTokens-1), now)
	require.True(t, ok)
	require.Equal(t, fmt.Sprint(10*maxCachedTokens-1), caller.Name)

	add("long", time.Hour)
	add("short", time.Second)
	for _, row := range []struct {
		token string
		after time.Duration
		found bool
	}{
		{"long", cacheTime - 1, true},
		{"long", cacheTime, false},
		{"short", time.Second - 1, true},
		{"short", time.Second, false},
		{"unknown", 0, false},
	} {
		_, ok := c.find(row.token, now.Add(row.after))
		require.Equal(t, row.found, ok, "%s after %s", row.token, row.after)
	}
}
