package serve

import "sync"

// A budget bounds the bytes of the messages that are held at once, by all
// clients together.
type budget struct {
	mu          sync.Mutex
	freed       sync.Cond
	total, free int
}

func newBudget(total int) *budget {
	b := &budget{total: total, free: total}
	b.freed.L = &b.mu
	return b
}

// try takes n bytes if that leaves a quarter of all, which is for take.
func (b *budget) try(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.free-n < b.total/4 {
		return false
	}
	b.free -= n
	return true
}

// take takes n bytes as soon as they are there.
func (b *budget) take(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.free < n {
		b.freed.Wait()
	}
	b.free -= n
}

// give gives n bytes back.
func (b *budget) give(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free += n
	b.freed.Broadcast()
}
