package copies_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/copies"
	"twilio-conversations-mcp/twilioapi"
)

var _ twilioapi.Store = (*copies.Store)(nil)

func TestAMemberIsAddedByOneCopy(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	a, b := e.store(), e.store()
	first, err := a.Add(t.Context(), "key", "member", time.Minute)
	require.NoError(t, err)
	require.True(t, first)
	again, err := a.Add(t.Context(), "key", "member", time.Minute)
	require.NoError(t, err)
	require.True(t, again, "the same copy asks twice if it got no reply")
	other, err := b.Add(t.Context(), "key", "member", time.Minute)
	require.NoError(t, err)
	require.False(t, other)
	_, err = b.Add(t.Context(), "key", "more", time.Minute)
	require.NoError(t, err)
	sets, err := b.Members(t.Context(), 0, "key", "none")
	require.NoError(t, err)
	require.Len(t, sets, 2)
	require.ElementsMatch(t, []string{"member", "more"}, sets[0])
	require.Empty(t, sets[1])
	require.NoError(t, b.Remove(t.Context(), "key", "member"))
	sets, err = a.Members(t.Context(), 0, "key")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"more"}}, sets)
}

func TestAMemberIsForgottenWhenItsTimeIsOver(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	a, b := e.store(), e.store()
	_, err := a.Add(t.Context(), "key", "short", 50*time.Millisecond)
	require.NoError(t, err)
	_, err = a.Add(t.Context(), "key", "long", time.Minute)
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		sets, err := b.Members(t.Context(), 0, "key")
		return err == nil && len(sets[0]) == 1 && sets[0][0] == "long"
	}, 10*time.Second, 10*time.Millisecond)
	added, err := b.Add(t.Context(), "key", "short", time.Minute)
	require.NoError(t, err)
	require.True(t, added)
}

// What the engine is told shows no key, and everything expires.
func TestTheEngineHoldsHashesThatExpire(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	s := e.store()
	_, err := s.Add(t.Context(), "https://example.com/secret", "member", time.Minute)
	require.NoError(t, err)
	lock, err := s.Lock(t.Context(), "https://example.com/secret")
	require.NoError(t, err)
	defer lock.Release()
	keys := strings.Fields(e.cli("KEYS", "*"))
	require.Len(t, keys, 3)
	for _, key := range keys {
		require.True(t, strings.HasPrefix(key, "twilio-conversations-mcp:"), key)
		require.NotContains(t, key, "secret")
		require.NotEqual(t, "-1", e.cli("PTTL", key), key)
	}
}

// Three copies ask for one lock over and over. It is never held twice, and all get it.
func TestALockIsHeldByOneCopyAndAllGetIt(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	var held sync.Mutex
	var copies [3]int
	var wait sync.WaitGroup
	done := make(chan struct{})
	for i := range copies {
		s := e.store()
		wait.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				lock, err := s.Lock(t.Context(), "key")
				if err != nil {
					t.Error(err)
					return
				}
				if !held.TryLock() {
					t.Error("the lock is held twice")
					return
				}
				copies[i]++
				enough := min(copies[0], copies[1], copies[2]) >= 5
				held.Unlock()
				lock.Release()
				if enough {
					once(done)
				}
			}
		})
	}
	wait.Wait()
}

func once(done chan struct{}) {
	select {
	case <-done:
	default:
		close(done)
	}
}

func TestALockWhoseTimeIsOverIsGrantedToAnother(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	var outcomes sync.Map
	a := e.store()
	b := e.store(func(o *copies.Options) { o.OnLock = func(outcome string) { outcomes.Store(outcome, true) } })
	began := time.Now()
	dead, err := a.Lock(t.Context(), "key")
	require.NoError(t, err)
	until, err := dead.Check(t.Context())
	require.NoError(t, err)
	require.Greater(t, until, began)
	e.cli("DEL", e.cli("KEYS", "*:lock:*")) // as if its time were over
	lock, err := b.Lock(t.Context(), "key")
	require.NoError(t, err)
	_, err = dead.Check(t.Context())
	require.ErrorContains(t, err, "the lock was lost")
	dead.Release()
	_, err = lock.Check(t.Context())
	require.NoError(t, err, "the copy that lost the lock does not release it")
	_, free := outcomes.Load("free")
	require.True(t, free)
}

func TestALockIsRenewedWhileItIsHeld(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	s := e.store(func(o *copies.Options) { o.Lease = 600 * time.Millisecond })
	lock, err := s.Lock(t.Context(), "key")
	require.NoError(t, err)
	key := e.cli("KEYS", "*:lock:*")
	e.cli("PEXPIRE", key, "300")
	require.Eventually(t, func() bool { return e.cli("PTTL", key) > "300" && len(e.cli("PTTL", key)) == 3 }, 10*time.Second, 5*time.Millisecond)
	lock.Release()
	require.Empty(t, e.cli("KEYS", "*:lock:*"))
}

func TestWaitingForALockEndsWithTheContext(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	a, b := e.store(), e.store()
	_, err := a.Lock(t.Context(), "key")
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := os.ErrDeadlineExceeded
	cancel(cause)
	_, err = b.Lock(ctx, "key")
	require.ErrorIs(t, err, cause)
	require.Empty(t, e.cli("KEYS", "*:waiters"))
}

// An engine that is restarted has lost the locks, which may still be held.
func TestNoLockIsGrantedForTheTimeOfALeaseAfterARestart(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	a, b := e.store(), e.store()
	held, err := a.Lock(t.Context(), "key")
	require.NoError(t, err)
	until, err := held.Check(t.Context())
	require.NoError(t, err)
	e.kill()
	e.start()
	var lock twilioapi.Lock
	require.Eventually(t, func() bool {
		lock, err = b.Lock(t.Context(), "key")
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	require.Greater(t, time.Now(), until)
	_, err = held.Check(t.Context())
	require.ErrorContains(t, err, "the lock was lost")
	_, err = b.Members(t.Context(), time.Minute, "set")
	require.ErrorContains(t, err, "may have lost")
	_, err = b.Members(t.Context(), time.Millisecond, "set")
	require.NoError(t, err)
	lock.Release()
}

// A replica that takes the place of its master has not got its last writes.
func TestNoLockIsGrantedForTheTimeOfALeaseAfterAFailover(t *testing.T) {
	t.Parallel()
	master := startEngine(t)
	host, port, _ := strings.Cut(master.address, ":")
	replica := startEngine(t, "--replicaof", host, port)
	a := master.store()
	_, err := a.Add(t.Context(), "set", "member", time.Minute)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return strings.Contains(replica.cli("KEYS", "*"), ":set:") }, 10*time.Second, 10*time.Millisecond)
	b := replica.store(func(o *copies.Options) { o.OnRequest = func(string, string, time.Duration) {} })
	_, err = b.Lock(t.Context(), "key")
	require.ErrorContains(t, err, "READONLY")
	master.kill()
	replica.cli("REPLICAOF", "NO", "ONE")
	promoted := time.Now()
	require.Eventually(t, func() bool {
		_, err := b.Lock(t.Context(), "key")
		return err == nil
	}, 20*time.Second, 10*time.Millisecond)
	require.Greater(t, time.Since(promoted), 1900*time.Millisecond)
	_, err = b.Members(t.Context(), time.Minute, "set")
	require.ErrorContains(t, err, "may have lost")
}

func TestWhateverTheEngineFailsWithIsAnErrorAndItRecovers(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		fail, recover func(e *engine)
		problem       string
	}{
		"gone":    {(*engine).kill, (*engine).start, "connection refused"},
		"full":    {func(e *engine) { e.cli("CONFIG", "SET", "maxmemory", "1") }, func(e *engine) { e.cli("CONFIG", "SET", "maxmemory", "0") }, "OOM"},
		"hanging": {func(e *engine) { _ = e.cmd.Process.Signal(syscall.SIGSTOP) }, func(e *engine) { _ = e.cmd.Process.Signal(syscall.SIGCONT) }, "timeout"},
		"protected": {func(e *engine) {
			e.cli("CONFIG", "SET", "requirepass", "x")
			_ = e.cli("-a", "x", "CLIENT", "KILL", "TYPE", "normal")
		}, func(e *engine) { e.cli("-a", "x", "CONFIG", "SET", "requirepass", "") }, "NOAUTH"},
		"a replica": {func(e *engine) { e.cli("REPLICAOF", "127.0.0.1", "1") }, func(e *engine) { e.cli("REPLICAOF", "NO", "ONE") }, "READONLY"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := startEngine(t)
			var problems sync.Map
			s := e.store(func(o *copies.Options) {
				o.OnRequest = func(operation, problem string, d time.Duration) { problems.Store(problem, operation) }
			})
			_, err := s.Add(t.Context(), "key", "member", time.Minute)
			require.NoError(t, err)
			row.fail(e)
			_, err = s.Lock(t.Context(), "key")
			require.ErrorContains(t, err, row.problem)
			_, counted := problems.Load(row.problem)
			require.True(t, counted)
			row.recover(e)
			require.Eventually(t, func() bool {
				_, err := s.Add(t.Context(), "key", "another", time.Minute)
				return err == nil
			}, 20*time.Second, 10*time.Millisecond)
		})
	}
}

// While the engine does not answer, a call waits for it once, not for each request.
func TestAnEngineThatHangsTakesLittleTimeOfACall(t *testing.T) {
	t.Parallel()
	e := startEngine(t)
	asked := make(chan string, 100)
	s := e.store(func(o *copies.Options) {
		o.OnRequest = func(operation, _ string, _ time.Duration) { asked <- operation }
	})
	require.NoError(t, e.cmd.Process.Signal(syscall.SIGSTOP))
	defer func() { _ = e.cmd.Process.Signal(syscall.SIGCONT) }()
	require.Error(t, s.Remove(t.Context(), "key", "member"))
	for len(asked) > 0 {
		<-asked
	}
	for range 10 {
		require.Error(t, s.Remove(t.Context(), "key", "member"))
	}
	require.Empty(t, asked)
}

func TestAPasswordAndTLSWorkAndAreNotShown(t *testing.T) {
	t.Parallel()
	certFile, keyFile := certificate(t)
	e := startEngine(t, "--requirepass", "hunter2")
	address := e.address
	secure := startEngine(t, "--port", "0", "--tls-port", "the free port", "--tls-cert-file", certFile, "--tls-key-file", keyFile, "--tls-auth-clients", "no", "--requirepass", "hunter2")
	pem, err := os.ReadFile(certFile)
	require.NoError(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	for name, row := range map[string]struct {
		url     string
		roots   *x509.CertPool
		problem string
	}{
		"password":       {"redis://:hunter2@" + address, nil, ""},
		"wrong password": {"redis://:hunter3@" + address, nil, "WRONGPASS"},
		"no password":    {"redis://" + address, nil, "NOAUTH"},
		"TLS":            {"rediss://:hunter2@" + secure.address + "/1", roots, ""},
		"unknown":        {"rediss://:hunter2@" + secure.address, nil, "certificate"},
		"no TLS there":   {"rediss://:hunter2@" + address, roots, "does not answer"},
		"no host":        {"redis://:hunter2@host.invalid", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			s, err := copies.New(copies.Options{URL: row.url, TLS: &tls.Config{RootCAs: row.roots}, Log: slog.New(slog.NewTextHandler(&log, nil))})
			require.NoError(t, err)
			_, err = s.Add(t.Context(), "key", name, time.Minute)
			if row.problem == "" && name != "no host" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.problem)
			for _, secret := range []string{"hunter", "127.0.0.1", "invalid", "redis:"} {
				require.NotContains(t, err.Error(), secret)
				require.NotContains(t, log.String(), secret)
			}
		})
	}
}

func TestAnInvalidURLIsNotRepeated(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "host:6379", "http://:hunter2@host", "redis://:hunter2@", "redis://:hunter2@host/x", "redis://:hunter2@host:port", "redis://hunter2 @%"} {
		_, err := copies.New(copies.Options{URL: url, Log: slog.New(slog.DiscardHandler)})
		require.ErrorContains(t, err, "redis://:PASSWORD@HOST:6379", url)
		require.NotContains(t, err.Error(), "hunter2")
	}
}
