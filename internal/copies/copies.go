// Package copies keeps in Redis, or Valkey, what the copies of a server must know of
// each other: locks, and sets whose members expire.
//
// The engine is one that may fail at any time, and lose what it was last told: it is
// restarted, or a replica takes its place. Each connection therefore asks for the
// engine's run ID, and the engine keeps the run ID of the engine that the copies used
// last. Where the two differ, or where a copy that has used an engine finds none, data
// may have been lost at that moment. For as long as a lock lives no lock is granted
// then, because a lost one may still be held; and [Store.Members] returns an error as
// long as what was lost may be asked for.
//
// What remains: a copy that is stopped between the check of its lock and the system
// call that sends the create sends it when it continues, although another copy may have
// the lock by then; the same if the machine is suspended and its monotonic clock stops.
// A copy that alone cannot reach the engine creates webhooks that the others do not
// know of. If the engine loses all its data and the first to reach it then is a copy
// that has just been started, the loss is noticed when another copy reaches it. And two
// engines that both accept writes, each for a part of the copies, exclude nothing.
package copies

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gomodule/redigo/redis"
)

const (
	prefix  = "twilio-conversations-mcp:"
	timeout = time.Second // of a request, and of the connection that it may need
	pause   = time.Second // without requests after one that got no answer
	// DefaultLease is how long a lock is held after it was last renewed.
	DefaultLease = 15 * time.Second
)

// Options say where the engine is.
type Options struct {
	URL   string        // redis:// or rediss://, with user and password
	TLS   *tls.Config   // for rediss://
	Lease time.Duration // of a lock; zero means [DefaultLease]
	Log   *slog.Logger

	// OnRequest is called after each request, with "" or the kind of error. If nil,
	// it is not called.
	OnRequest func(operation, problem string, d time.Duration)
	// OnLock is called with "free" or "waited" when a lock was got, with "refused"
	// when it was not, and with "lost" when it was lost while it was held.
	OnLock func(outcome string)
}

// A Store is a twilioapi.Store in an engine.
type Store struct {
	Options
	owner string // names this process
	idle  chan *conn

	mu      sync.Mutex
	known   bool      // an engine has answered this process
	failing error     // the last request's error
	failed  time.Time // when it failed
}

// New returns a store, or an error that says what is wrong with the URL without
// repeating it. It connects to the engine in the background, and logs if that fails.
func New(o Options) (*Store, error) {
	if u, err := url.Parse(o.URL); err != nil || u.Scheme != "redis" && u.Scheme != "rediss" || u.Host == "" || strings.Trim(u.Path, "/0123456789") != "" {
		return nil, errors.New("the value must be a URL such as redis://:PASSWORD@HOST:6379 or, with TLS, rediss://USER:PASSWORD@HOST:6379/0")
	}
	if o.Lease == 0 {
		o.Lease = DefaultLease
	}
	if o.OnRequest == nil {
		o.OnRequest = func(string, string, time.Duration) {}
	}
	if o.OnLock == nil {
		o.OnLock = func(string) {}
	}
	s := &Store{Options: o, owner: rand.Text(), idle: make(chan *conn, 16)}
	go func() { _, _ = s.Members(context.Background(), 0) }()
	return s, nil
}

// name returns the engine's key, which shows nothing of the key that it stands for.
func name(kind, key string) string {
	sum := sha256.Sum256([]byte(key))
	return prefix + kind + ":" + hex.EncodeToString(sum[:16])
}

// Add adds a member to the set of a key for a time. It reports false if another
// process has added it.
func (s *Store) Add(ctx context.Context, key, member string, d time.Duration) (bool, error) {
	return redis.Bool(s.run(ctx, "add", addScript, name("set", key), member, d.Milliseconds(), s.owner))
}

// Remove removes a member.
func (s *Store) Remove(ctx context.Context, key, member string) error {
	_, err := s.run(ctx, "remove", removeScript, name("set", key), member)
	return err
}

// Members returns the members of the set of each key. It returns an error if members
// that were added within the time before now may have been lost.
func (s *Store) Members(ctx context.Context, within time.Duration, keys ...string) ([][]string, error) {
	args := []any{within.Milliseconds()}
	for _, key := range keys {
		args = append(args, name("set", key))
	}
	sets, err := redis.Values(s.run(ctx, "members", membersScript, "", args...))
	if err != nil {
		return nil, err
	}
	if len(sets) == 0 && len(keys) > 0 {
		return nil, errors.New("the store may have lost what it was told a short time ago")
	}
	all := make([][]string, len(sets))
	for i := range sets {
		if all[i], err = redis.Strings(sets[i], nil); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// run runs a script. Scripts can be run twice: if an idle connection turns out to be
// closed, the script is sent once more on a new one.
func (s *Store) run(ctx context.Context, operation string, script string, key string, args ...any) (any, error) {
	if err := s.paused(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	began := time.Now()
	reply, err := s.try(ctx, script, key, args)
	problem := problemOf(err)
	if problem == "closed" {
		reply, err = s.try(ctx, script, key, args)
		problem = problemOf(err)
	}
	s.OnRequest(operation, problem, time.Since(began))
	return reply, s.note(problem)
}

// try sends a script on an idle connection or a new one.
func (s *Store) try(ctx context.Context, script string, key string, args []any) (any, error) {
	c, err := s.connect(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	reply, err := redis.NewScript(2, script).DoContext(ctx, c, append([]any{prefix + "engine", key, c.run, known}, args...)...)
	s.put(c, err)
	return reply, err
}

// paused returns the error of the last request for a while, so that an engine that does
// not answer takes no time of each call.
func (s *Store) paused() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil && time.Since(s.failed) < pause {
		return s.failing
	}
	return nil
}

// note records how a request ended, and logs a change. It returns an error that shows
// nothing of the URL.
func (s *Store) note(problem string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if problem == "" {
		if s.failing != nil {
			s.Log.Info("MCP_REDIS_URL: the engine answers again")
		}
		s.known, s.failing = true, nil
		return nil
	}
	if s.failing == nil {
		s.Log.Warn("MCP_REDIS_URL: the engine does not answer as it should; webhooks are not ensured until it does", "problem", problem)
	}
	s.failing, s.failed = fmt.Errorf("the store that the copies of this server share does not answer (%s)", problem), time.Now()
	return s.failing
}
