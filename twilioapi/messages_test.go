package twilioapi_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

func TestMessagesAreReadAPageAtATime(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"messages":[{"sid":"IM1","index":7,"body":"a","author":null,"media":[{"sid":"ME1"}],"conversation_sid":"`+strings.ToUpper(conversation[2:3])+conversation[3:]+`"}]}`)
	})
	_, _, err := client.Messages(t.Context(), conversation, 50, "")
	require.ErrorContains(t, err, "another conversation")
	require.Equal(t, "/v1/Conversations/"+conversation+"/Messages?Order=desc&PageSize=50", (<-got).target)

	client, got = record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"messages":[{"sid":"IM1","index":7,"body":"a","author":null,"media":[{"sid":"ME1"}]}],"meta":{"next_page_url":"https://x/y?PageToken=a%2Bb"}}`)
	})
	page, next, err := client.Messages(t.Context(), "a/b", 1, "t&")
	require.NoError(t, err)
	require.Equal(t, []twilioapi.Message{{SID: "IM1", Index: 7, Body: "a", Media: []byte(`[{"sid":"ME1"}]`)}}, page)
	require.Equal(t, "a+b", next)
	require.Equal(t, "/v1/Conversations/a%2Fb/Messages?Order=desc&PageSize=1&PageToken=t%26", (<-got).target)
}

func TestAPageOfMessagesThatIsNoneIsAnError(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`: "not a list of messages", `{"messages":{}}`: "not a list", `{"messages":[{"index":"x"}]}`: "not a list",
		`{"messages":[{"body":"` + strings.Repeat("x", 4<<20) + `"}]}`: "too large",
	} {
		client, _ := record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		_, _, err := client.Messages(t.Context(), conversation, 50, "")
		require.ErrorContains(t, err, want)
	}
	client, _ := record(t, twilioapi.Config{}, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"messages":[{"body":"`+strings.Repeat("x", 1<<20)+`"}],"meta":{"next_page_url":null}}`)
	})
	page, next, err := client.Messages(t.Context(), conversation, 50, "")
	require.NoError(t, err, "longer than a page of webhooks")
	require.Len(t, page, 1)
	require.Empty(t, next)
}

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
