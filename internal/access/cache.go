package access

import (
	"crypto/sha256"
	"sync"
	"time"
)

const (
	maxCachedTokens = 1000
	cacheTime       = time.Minute
)

// A tokenCache remembers the callers of verified access tokens, because a
// signature costs about as much to verify as the rest of a call. Tokens are
// stored as hashes.
type tokenCache struct {
	mu      sync.Mutex
	callers map[[sha256.Size]byte]cachedCaller
}

type cachedCaller struct {
	caller  Caller
	expires time.Time
}

func newTokenCache() *tokenCache {
	return &tokenCache{callers: map[[sha256.Size]byte]cachedCaller{}}
}

// find returns the caller of a token that was added and has not expired.
func (c *tokenCache) find(token string, now time.Time) (Caller, bool) {
	sum := sha256.Sum256([]byte(token))
	c.mu.Lock()
	defer c.mu.Unlock()
	cached := c.callers[sum]
	return cached.caller, now.Before(cached.expires)
}

// add remembers the caller of a token until it expires, for at most cacheTime.
// A full cache is emptied first.
func (c *tokenCache) add(token string, caller Caller, now, expires time.Time) {
	if latest := now.Add(cacheTime); expires.After(latest) {
		expires = latest
	}
	sum := sha256.Sum256([]byte(token))
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.callers) >= maxCachedTokens {
		clear(c.callers)
	}
	c.callers[sum] = cachedCaller{caller, expires}
}
