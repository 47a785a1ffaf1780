package twilioapi

import (
	"context"
	"time"
)

// A Store keeps what the clients of several processes, the copies of a server, must
// know of each other. Its methods return within a short time, except for Lock, and
// are safe for concurrent use. An error means that the store does not answer, or that
// what it knows may be incomplete.
//
// It has sets, whose members are forgotten when their time is over, and locks. Both
// are named by keys, which are arbitrary strings.
type Store interface {
	// Add adds a member to the set of a key for a time. It reports false if another
	// process has added it.
	Add(ctx context.Context, key, member string, d time.Duration) (bool, error)
	// Remove removes a member.
	Remove(ctx context.Context, key, member string) error
	// Members returns the members of the set of each key. It returns an error if
	// members that were added within the time before now may have been lost.
	Members(ctx context.Context, within time.Duration, keys ...string) ([][]string, error)
	// Lock waits until no other holder has the lock of a key, or ctx is done. The
	// processes that wait get it in the order in which they asked for it.
	Lock(ctx context.Context, key string) (Lock, error)
}

// A Lock is held until it is released, its process ends, or the store cannot be
// reached for a while.
type Lock interface {
	// Check asks the store whether the lock is still held, and returns until when it
	// is at least.
	Check(ctx context.Context) (until time.Time, err error)
	// Release releases the lock.
	Release()
}
