package events

import "sync"

// A counter counts what is in progress, by key. Its zero value is ready to use.
type counter struct {
	mu     sync.Mutex
	counts map[string]int
}

// enter counts one more, and reports false if there are limit already.
func (c *counter) enter(key string, limit int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[key] >= limit {
		return false
	}
	if c.counts == nil {
		c.counts = map[string]int{}
	}
	c.counts[key]++
	return true
}

// leave undoes enter.
func (c *counter) leave(key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts[key]--; c.counts[key] == 0 {
		delete(c.counts, key)
	}
}
