package copies

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"

	"twilio-conversations-mcp/twilioapi"
)

// margin is how much earlier a lock counts as lost here than in the engine, whose clock
// may run faster.
const margin = 500 * time.Millisecond

var errLost = errors.New("the lock was lost: the store that the copies of this server share did not answer for too long, or was restarted")

// A lock is renewed until it is released or lost.
type lock struct {
	store       *Store
	name, token string
	stop        context.CancelFunc
	lost        sync.Once
}

// Lock waits until no other holder has the lock of a key, or ctx is done. The processes
// that wait get it in the order in which they asked for it.
func (s *Store) Lock(ctx context.Context, key string) (twilioapi.Lock, error) {
	renewing, stop := context.WithCancel(context.Background())
	l := &lock{store: s, name: name("lock", key), stop: stop, token: fmt.Sprintf("%016x %s %x", time.Now().UnixNano(), s.owner, rand.Uint64())}
	outcome, err := l.acquire(ctx)
	s.OnLock(outcome)
	if err != nil {
		l.Release()
		return nil, err
	}
	go l.renew(renewing)
	return l, nil
}

func (l *lock) acquire(ctx context.Context) (outcome string, err error) {
	outcome = "free"
	for wait := 5 * time.Millisecond; ; wait = min(wait*2, 100*time.Millisecond) {
		granted, err := redis.Bool(l.run(ctx, "lock", lockScript))
		switch {
		case err != nil:
			return "refused", err
		case granted:
			return outcome, nil
		}
		outcome = "waited"
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-ctx.Done():
			return "refused", context.Cause(ctx)
		}
	}
}

func (l *lock) run(ctx context.Context, operation string, script string) (any, error) {
	return l.store.run(ctx, operation, script, l.name, l.token, l.store.Lease.Milliseconds())
}

// renew renews the lock until ctx is done or the lock is lost.
func (l *lock) renew(ctx context.Context) {
	for {
		select {
		case <-time.After(l.store.Lease / 3):
		case <-ctx.Done():
			return
		}
		if _, err := l.Check(ctx); errors.Is(err, errLost) {
			return
		}
	}
}

// Check asks the engine whether the lock is still held, renews it, and returns until
// when it is held at least.
func (l *lock) Check(ctx context.Context) (until time.Time, err error) {
	until = time.Now().Add(l.store.Lease - margin)
	held, err := redis.Bool(l.run(ctx, "renew", renewScript))
	if err == nil && !held {
		l.lost.Do(func() { l.store.OnLock("lost") })
		err = errLost
	}
	return until, err
}

// Release releases the lock.
func (l *lock) Release() {
	l.stop()
	_, _ = l.run(context.Background(), "release", releaseScript)
}
