package tools_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyWhatIsGivenIsUpdated(t *testing.T) {
	t.Parallel()
	requests := make(chan string, 10)
	s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- r.Method + " " + r.URL.Path + " " + string(body)
		_, _ = io.WriteString(w, `{"account_sid":"AC1","chat_service_sid":"`+service+`","method":"GET","filters":["onMessageAdded","onMessageAdd"],"post_webhook_url":"https://a.com/","target":"flex"}`)
	}))
	s.tools = choose(t, "all")
	for _, row := range []struct{ arguments, want, note string }{
		{`{"Method":"get"}`, "POST /v1/Configuration/Webhooks Method=GET", ""},
		{`{"Filters":["onMessageAdd","onMessageAdded"],"Target":"flex"}`, "POST /v1/Configuration/Webhooks Filters=onMessageAdd&Filters=onMessageAdded&Target=flex", ""},
		{`{"ChatServiceSid":"` + service + `","PostWebhookUrl":"https://A.com"}`, "POST /v1/Services/" + service + "/Configuration/Webhooks PostWebhookUrl=https%3A%2F%2FA.com", ""},
		{`{"PreWebhookUrl":"https://a.com/","Method":"POST"}`, "POST /v1/Configuration/Webhooks Method=POST&PreWebhookUrl=https%3A%2F%2Fa.com%2F",
			"the configuration does not match the request in Method, PreWebhookUrl."},
	} {
		_, notes := s.succeeds(updateConfig, row.arguments)
		require.Equal(t, row.want, <-requests)
		require.Contains(t, strings.Join(notes, "\n"), row.note)
		require.Equal(t, row.note == "", len(notes) == 0)
	}
}

func TestAnUpdateOfTheConfigurationIsChecked(t *testing.T) {
	t.Parallel()
	s, targets := answering(t, http.StatusOK, `{}`)
	for arguments, want := range map[string]string{
		`{}`:                                   "At least one of Method, Filters, PreWebhookUrl, PostWebhookUrl and Target is required.",
		`{"ChatServiceSid":"` + service + `"}`: "At least one of",
		`{"ChatServiceSid":"` + service + `","Target":"webhook"}`: "Target is the account's only",
		`{"Filters":[]}`:                   "Filters must not be empty.",
		`{"PostWebhookUrl":""}`:            "PostWebhookUrl must not be empty.",
		`{"PostWebhookUrl":"example.com"}`: "PostWebhookUrl must be an absolute URL",
		`{"Method":null}`:                  "Method must be",
		`{"Target":"studio"}`:              "Target must be webhook or flex",
		`{"ChatServiceSid":"x"}`:           "ChatServiceSid must be IS and 32 hexadecimal digits",
	} {
		text, _ := s.fails(updateConfig, arguments)
		require.Contains(t, text, want)
	}
	require.Empty(t, targets)
}

func TestAnUpdateOfTheConfigurationIsReadBack(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ after, want string }{
		{`{"account_sid":"AC1","method":"GET"}`, ""},
		{`{"account_sid":"AC1","method":"POST"}`, "Whether the update was applied is unknown: the configuration's Method does not match the request. Ten seconds from now or later, call fetch_webhook_configuration"},
		{`{"account_sid":"AC1","method":7}`, "the configuration's Method cannot be read."},
		{`<html>`, "reading it back failed too (HTTP 200)"},
	} {
		var writes atomic.Int64
		s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				writes.Add(1)
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = io.WriteString(w, row.after)
		}))
		s.tools = choose(t, "all")
		if row.want == "" {
			_, notes := s.succeeds(updateConfig, `{"Method":"GET"}`)
			require.Contains(t, notes[0], "was lost, but the configuration was read afterwards")
		} else {
			text, details := s.fails(updateConfig, `{"Method":"GET"}`)
			require.Contains(t, text, row.want)
			require.Equal(t, "unknown", details["outcome"])
			require.Equal(t, false, details["retryable"])
		}
		require.EqualValues(t, 1, writes.Load(), "it is not sent again")
	}
}
