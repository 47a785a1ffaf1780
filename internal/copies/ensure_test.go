package copies_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/copies"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const (
	room       = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	nameOfRoom = "empty room"
)

// A fakeTwilio is the sandbox behind a handler that may do something else.
type fakeTwilio struct {
	*httptest.Server
	handle  atomic.Pointer[func(w http.ResponseWriter, r *http.Request, sandbox http.Handler)]
	creates atomic.Int32 // requests
}

func newFakeTwilio(t *testing.T) *fakeTwilio {
	t.Helper()
	f := &fakeTwilio{}
	fake := sandbox.New(sandbox.Options{})
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			f.creates.Add(1)
		}
		if r.URL.Path == "/v1/Conversations/"+nameOfRoom {
			_, _ = io.WriteString(w, `{"sid":"`+room+`"}`)
			return
		}
		if handle := f.handle.Load(); handle != nil {
			(*handle)(w, r, fake)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *fakeTwilio) do(handle func(w http.ResponseWriter, r *http.Request, sandbox http.Handler)) {
	f.handle.Store(&handle)
}

// copyOf returns the client of a copy.
func (f *fakeTwilio) copyOf(t *testing.T, store twilioapi.Store, username string) *twilioapi.Client {
	t.Helper()
	c, err := twilioapi.New(twilioapi.Config{
		BaseURL: f.URL, Store: store, Timeout: 5 * time.Second,
		Credentials: func() (twilioapi.Credentials, error) {
			return twilioapi.Credentials{Username: username, Password: "secret"}, nil
		},
	})
	require.NoError(t, err)
	return c
}

// applyAndLose carries out a request, and closes the connection.
func applyAndLose(r *http.Request, fake http.Handler) {
	fake.ServeHTTP(httptest.NewRecorder(), r)
	panic(http.ErrAbortHandler)
}

var (
	accountSID = "AC" + strings.Repeat("a", 32)
	apiKey     = "SK" + strings.Repeat("b", 32)
	address    = "https://example.com/hook"
	newWebhook = twilioapi.NewWebhook{Target: "webhook", URL: &address, Filters: []string{"onMessageAdded"}}
)

func outcomeOf(t *testing.T, err error) twilioapi.Outcome {
	t.Helper()
	var failure *twilioapi.Error
	require.ErrorAs(t, err, &failure)
	return failure.Outcome
}

// A conversation has a SID and a unique name, and an account several credentials.
func TestEnsuresOfAllCopiesCreateOneWebhook(t *testing.T) {
	t.Parallel()
	e, f := startEngine(t), newFakeTwilio(t)
	var wait sync.WaitGroup
	var sids sync.Map
	for i := range 4 {
		client := f.copyOf(t, e.store(), []string{accountSID, apiKey}[i%2])
		for range 5 {
			wait.Go(func() {
				result, err := client.EnsureWebhook(t.Context(), []string{room, nameOfRoom}[i/2], newWebhook)
				if err != nil {
					t.Error(err)
					return
				}
				sids.Store(string(result.JSON), true)
			})
		}
	}
	wait.Wait()
	n := 0
	sids.Range(func(any, any) bool { n++; return true })
	require.Equal(t, 1, n)
	require.EqualValues(t, 1, f.creates.Load())
}

// Without the SID, two copies could take different locks.
func TestAnEnsureNeedsTheSIDOfTheConversation(t *testing.T) {
	t.Parallel()
	e, f := startEngine(t), newFakeTwilio(t)
	f.do(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		if strings.HasSuffix(r.URL.Path, "/Webhooks") {
			_, _ = io.WriteString(w, `{"webhooks":[]}`)
			return
		}
		http.Error(w, `{"code":70051}`, http.StatusForbidden)
	})
	_, err := f.copyOf(t, e.store(), apiKey).EnsureWebhook(t.Context(), "another", newWebhook)
	require.ErrorContains(t, err, "70051), so nothing was created; give the SID (CH...)")
	require.Equal(t, twilioapi.NotSent, outcomeOf(t, err))
	require.Zero(t, f.creates.Load())
}

func TestAnEnsureThatHasLostItsLockCreatesNothing(t *testing.T) {
	t.Parallel()
	e, f := startEngine(t), newFakeTwilio(t)
	lists := 0
	f.do(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		if lists++; lists == 2 { // the one that is read with the lock
			e.cli("DEL", e.cli("KEYS", "*:lock:*"))
		}
		fake.ServeHTTP(w, r)
	})
	_, err := f.copyOf(t, e.store(), accountSID).EnsureWebhook(t.Context(), room, newWebhook)
	require.ErrorContains(t, err, "the lock was lost")
	require.ErrorContains(t, err, "nothing was created; try again")
	require.Equal(t, twilioapi.NotSent, outcomeOf(t, err))
	require.Zero(t, f.creates.Load())
}

// Another copy may get the lock when its time is over.
func TestTheCreateOfAnEnsureEndsBeforeItsLock(t *testing.T) {
	t.Parallel()
	e, f := startEngine(t), newFakeTwilio(t)
	took := make(chan time.Duration, 1)
	f.do(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		if r.Method == http.MethodPost {
			began := time.Now()
			_ = r.ParseForm() // or the server does not notice that the client is gone
			<-r.Context().Done()
			took <- time.Since(began)
			return
		}
		fake.ServeHTTP(w, r)
	})
	_, err := f.copyOf(t, e.store(), accountSID).EnsureWebhook(t.Context(), room, newWebhook)
	require.Equal(t, twilioapi.Unknown, outcomeOf(t, err))
	require.Less(t, <-took, 2*time.Second)
}

func TestWithoutTheEngineOnlyNewWebhooksAreNotEnsured(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func(*engine){
		"gone":    (*engine).kill,
		"hanging": func(e *engine) { _ = e.cmd.Process.Signal(syscall.SIGSTOP) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := startEngine(t), newFakeTwilio(t)
			client := f.copyOf(t, e.store(), accountSID)
			fail(e)
			created, err := client.CreateWebhook(t.Context(), room, newWebhook)
			require.NoError(t, err)
			found, err := client.EnsureWebhook(t.Context(), room, newWebhook)
			require.NoError(t, err)
			require.True(t, found.Existing)
			require.JSONEq(t, string(created.JSON), string(found.JSON))
			other := newWebhook
			other.Target, other.Triggers = "trigger", []string{"help"}
			_, err = client.EnsureWebhook(t.Context(), room, other)
			require.ErrorContains(t, err, "the store that the copies of this server share does not answer")
			require.Equal(t, twilioapi.NotSent, outcomeOf(t, err))
			_, err = client.ListWebhooks(t.Context(), room, twilioapi.Page{})
			require.NoError(t, err)
			require.EqualValues(t, 1, f.creates.Load())
		})
	}
}

// What another copy has returned, or may have created, is not the webhook of a create
// whose response was lost.
func TestALostCreateTakesThoseOfOtherCopiesIntoAccount(t *testing.T) {
	t.Parallel()
	lose := func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
		if r.Method == http.MethodPost {
			panic(http.ErrAbortHandler) // not carried out
		}
		fake.ServeHTTP(w, r)
	}
	t.Run("returned while it is looked for", func(t *testing.T) {
		t.Parallel()
		e, f := startEngine(t), newFakeTwilio(t)
		a, b := f.copyOf(t, e.store(), accountSID), f.copyOf(t, e.store(), apiKey)
		first := true
		f.do(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
			if r.Method == http.MethodPost && first {
				first = false
				if _, err := b.CreateWebhook(t.Context(), room, newWebhook); err != nil {
					t.Error(err)
				}
				panic(http.ErrAbortHandler)
			}
			fake.ServeHTTP(w, r)
		})
		_, err := a.CreateWebhook(t.Context(), room, newWebhook)
		require.Equal(t, twilioapi.Unknown, outcomeOf(t, err))
		require.ErrorContains(t, err, "it was not applied so far")
	})
	t.Run("in flight", func(t *testing.T) {
		t.Parallel()
		e, f := startEngine(t), newFakeTwilio(t)
		a, b := f.copyOf(t, e.store(), accountSID), f.copyOf(t, e.store(), apiKey)
		var posts atomic.Int32
		done, ended := make(chan struct{}), make(chan struct{})
		f.do(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
			switch {
			case r.Method != http.MethodPost:
				fake.ServeHTTP(w, r)
			case posts.Add(1) == 1:
				go func() {
					defer close(ended)
					_, _ = b.CreateWebhook(context.WithoutCancel(t.Context()), room, newWebhook)
				}()
				for posts.Load() < 2 {
					time.Sleep(time.Millisecond)
				}
				applyAndLose(r, fake)
			default:
				<-done
				fake.ServeHTTP(w, r)
			}
		})
		_, err := a.CreateWebhook(t.Context(), room, newWebhook)
		close(done)
		<-ended
		require.Equal(t, twilioapi.Unknown, outcomeOf(t, err))
		require.ErrorContains(t, err, "webhooks that may be the created one: 1")
	})
	for name, row := range map[string]struct {
		before func(e *engine, a, b *copies.Store)
		found  bool
	}{
		"none":                     {func(*engine, *copies.Store, *copies.Store) {}, true},
		"the engine was restarted": {func(e *engine, _, _ *copies.Store) { e.kill(); e.start() }, false},
		"the engine is gone":       {func(e *engine, _, _ *copies.Store) { e.kill() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, f := startEngine(t), newFakeTwilio(t)
			a, b := e.store(), e.store()
			client := f.copyOf(t, a, accountSID)
			f.do(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
				if r.Method == http.MethodPost {
					row.before(e, a, b)
					applyAndLose(r, fake)
				}
				fake.ServeHTTP(w, r)
			})
			result, err := client.CreateWebhook(t.Context(), room, newWebhook)
			if row.found {
				require.NoError(t, err)
				require.True(t, result.Info.Reconciled)
				return
			}
			require.Equal(t, twilioapi.Unknown, outcomeOf(t, err))
			require.ErrorContains(t, err, "webhooks that may be the created one: 1")
		})
	}
	t.Run("of unknown outcome", func(t *testing.T) {
		t.Parallel()
		e, f := startEngine(t), newFakeTwilio(t)
		a, b := f.copyOf(t, e.store(), accountSID), f.copyOf(t, e.store(), apiKey)
		f.do(lose)
		_, err := b.CreateWebhook(t.Context(), room, newWebhook)
		require.Equal(t, twilioapi.Unknown, outcomeOf(t, err))
		f.do(func(w http.ResponseWriter, r *http.Request, fake http.Handler) {
			if r.Method == http.MethodPost {
				applyAndLose(r, fake)
			}
			fake.ServeHTTP(w, r)
		})
		_, err = a.CreateWebhook(t.Context(), room, newWebhook)
		require.ErrorContains(t, err, "webhooks that may be the created one: 1")
	})
}
