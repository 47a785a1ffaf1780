package twilioapi

import (
	"context"
	"sync"
)

// A keyedMutex has a mutex for each scope that is in use.
type keyedMutex struct {
	mu      sync.Mutex
	mutexes map[requestScope]*countedMutex
}

// A countedMutex is a mutex with the number of calls that hold it or wait for it.
type countedMutex struct {
	held  chan struct{} // full while the mutex is held; waiting calls get it in order
	users int
}

func newKeyedMutex() *keyedMutex {
	return &keyedMutex{mutexes: map[requestScope]*countedMutex{}}
}

// lock waits for the mutex of a key, or returns the context's error.
func (k *keyedMutex) lock(ctx context.Context, key requestScope) (unlock func(), err error) {
	m := k.acquire(key)
	select {
	case m.held <- struct{}{}:
		return func() { <-m.held; k.release(key, m) }, nil
	case <-ctx.Done():
		k.release(key, m)
		return nil, ctx.Err()
	}
}

func (k *keyedMutex) acquire(key requestScope) *countedMutex {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.mutexes[key]
	if m == nil {
		m = &countedMutex{held: make(chan struct{}, 1)}
		k.mutexes[key] = m
	}
	m.users++
	return m
}

func (k *keyedMutex) release(key requestScope, m *countedMutex) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m.users--; m.users == 0 {
		delete(k.mutexes, key)
	}
}
