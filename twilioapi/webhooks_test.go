package twilioapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

func TestAllWebhooksAreRead(t *testing.T) {
	t.Parallel()
	body := `{"webhooks":[{"sid":"` + webhookSID + `","target":"webhook","configuration":{"url":"https://example.com","filters":["onMessageAdded"]}}]}`
	client, _ := record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	all, err := client.Webhooks(t.Context(), conversation)
	require.NoError(t, err)
	require.Equal(t, []twilioapi.Webhook{{SID: webhookSID, Target: "webhook", URL: "https://example.com", Filters: []string{"onMessageAdded"}}}, all)
	for _, unreadable := range []string{`{"sid":"WH1"}`, fmt.Sprintf(`{"sid":%q,"configuration":{"url":1}}`, webhookSID), `{}`} {
		body := `{"webhooks":[` + unreadable + `]}`
		client, _ := record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, err := client.Webhooks(t.Context(), conversation)
		require.ErrorContains(t, err, "cannot be read", unreadable)
	}
}

// A lock and an ensure of one conversation keep each other waiting.
func TestALockKeepsEnsuresWaiting(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, emptyList) })
	unlock, err := client.Lock(t.Context(), conversation)
	require.NoError(t, err)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = client.EnsureWebhook(t.Context(), conversation, twilioapi.NewWebhook{Target: "studio"})
	}()
	other, err := client.Lock(t.Context(), "CH00000000000000000000000000000001")
	require.NoError(t, err, "of another conversation")
	other()
	require.Empty(t, got)
	unlock()
	<-done
	require.NotEmpty(t, got)
}

// sharedLock is a store that only has locks.
type sharedLock struct {
	keys chan string // that are locked
	err  error
}

func (s *sharedLock) Add(context.Context, string, string, time.Duration) (bool, error) {
	return true, nil
}
func (s *sharedLock) Remove(context.Context, string, string) error { return nil }
func (s *sharedLock) Members(_ context.Context, _ time.Duration, keys ...string) ([][]string, error) {
	return make([][]string, len(keys)), nil
}

func (s *sharedLock) Lock(_ context.Context, key string) (twilioapi.Lock, error) {
	if s.err == nil {
		s.keys <- key
	}
	return s, s.err
}

func (s *sharedLock) Check(context.Context) (time.Time, error) {
	return time.Now().Add(time.Minute), nil
}
func (s *sharedLock) Release() { <-s.keys }

// With a store, a lock is one of all processes, for callers who have access to the
// conversation.
func TestALockIsShared(t *testing.T) {
	t.Parallel()
	store, status := &sharedLock{keys: make(chan string, 1)}, 200
	client, _ := record(t, twilioapi.Config{Store: store}, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, emptyList)
	})
	unlock, err := client.Lock(t.Context(), conversation)
	require.NoError(t, err)
	require.Len(t, store.keys, 1)
	unlock()
	require.Empty(t, store.keys)

	store.err = errors.New("no answer")
	_, err = client.Lock(t.Context(), conversation)
	require.ErrorContains(t, err, "no answer")
	store.err, status = nil, 403
	_, err = client.Lock(t.Context(), conversation)
	require.ErrorContains(t, err, "403")
	require.Empty(t, store.keys)
	status = 200
	unlock, err = client.Lock(t.Context(), conversation)
	require.NoError(t, err, "nothing is left locked")
	unlock()
}
