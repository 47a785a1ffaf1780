package twilioapi

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Limits on waiting: a call that waits counts as one of the concurrent calls that
// the server allows.
const (
	maxUsers = 16              // calls that hold one mutex or wait for it
	maxWait  = 2 * time.Minute // of one call
)

var errBusy = errors.New("other calls that ensure a webhook of this conversation are in progress; try again later")

// A keyedMutex has a mutex for each scope that is in use.
type keyedMutex struct {
	mu      sync.Mutex
	mutexes map[requestScope]*countedMutex
}

// A countedMutex is a mutex with the number of calls that hold it or wait for it.
type countedMutex struct {
	locked chan struct{} // full while the mutex is locked; waiting calls get it in order
	users  int
}

func newKeyedMutex() *keyedMutex {
	return &keyedMutex{mutexes: map[requestScope]*countedMutex{}}
}

// lock waits for the mutex of a key. It returns errBusy if that takes too long or
// too many calls wait, or the context's error.
func (k *keyedMutex) lock(ctx context.Context, key requestScope) (unlock func(), err error) {
	m := k.acquire(key)
	if m == nil {
		return nil, errBusy
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errBusy)
	defer cancel()
	select {
	case m.locked <- struct{}{}:
		return func() { <-m.locked; k.release(key, m) }, nil
	case <-ctx.Done():
		k.release(key, m)
		return nil, context.Cause(ctx)
	}
}

// acquire returns the mutex of a key, or nil if it has too many users.
func (k *keyedMutex) acquire(key requestScope) *countedMutex {
	k.mu.Lock()
	defer k.mu.Unlock()
	m := k.mutexes[key]
	if m == nil {
		m = &countedMutex{locked: make(chan struct{}, 1)}
		k.mutexes[key] = m
	}
	if m.users == maxUsers {
		return nil
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
