package twilioapi_test

import (
	"fmt"
	"io"
	"net/http"
	"testing"

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
