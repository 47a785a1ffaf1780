package twilioapi_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi"
)

const service = "IS0123456789abcdef0123456789abcdef"

func TestAnOperationHasItsDocumentedRequest(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		operation  twilioapi.Operation
		parameters twilioapi.Parameters
		answer     string
		plain      string // the target without a Service
		inService  string // the target with one; "": the same
	}{
		{twilioapi.ListConversations, twilioapi.Parameters{"State": {"closed"}, "PageSize": {"100"}}, `{"conversations":[]}`,
			"/v1/Conversations?PageSize=100&State=closed", "/v1/Services/" + service + "/Conversations?PageSize=100&State=closed"},
		{twilioapi.FetchConversation, twilioapi.Parameters{"ConversationSid": {"a/b c"}}, `{"sid":"` + conversation + `"}`,
			"/v1/Conversations/a%2Fb%20c", "/v1/Services/" + service + "/Conversations/a%2Fb%20c"},
		{twilioapi.ListParticipantConversations, twilioapi.Parameters{"Address": {"whatsapp:+15558675310"}}, `{"conversations":[]}`,
			"/v1/ParticipantConversations?Address=whatsapp%3A%2B15558675310", "/v1/Services/" + service + "/ParticipantConversations?Address=whatsapp%3A%2B15558675310"},
		{twilioapi.ListServices, nil, `{"services":[]}`, "/v1/Services", ""},
		{twilioapi.FetchAccountWebhooks, nil, `{"account_sid":null}`, "/v1/Configuration/Webhooks", ""},
		{twilioapi.FetchServiceWebhooks, twilioapi.Parameters{"ChatServiceSid": {service}}, `{"chat_service_sid":"` + service + `"}`,
			"/v1/Services/" + service + "/Configuration/Webhooks", ""},
		{twilioapi.ListAddressConfigurations, twilioapi.Parameters{"Type": {"sms"}}, `{"address_configurations":[]}`, "/v1/Configuration/Addresses?Type=sms", ""},
		{twilioapi.ListAlerts, twilioapi.Parameters{"StartDate": {"2026-11-26T00:00:00Z"}}, `{"alerts":[]}`, "/v1/Alerts?StartDate=2026-11-26T00%3A00%3A00Z", ""},
		{twilioapi.FetchAlert, twilioapi.Parameters{"Sid": {"NO1"}}, `{"sid":"NO1"}`, "/v1/Alerts/NO1", ""},
	} {
		for _, serviceSID := range []string{"", service} {
			client, got := record(t, twilioapi.Config{ServiceSID: serviceSID}, reply(http.StatusOK, row.answer))
			result, err := client.Read(t.Context(), row.operation, row.parameters)
			require.NoError(t, err)
			require.JSONEq(t, row.answer, string(result.JSON))
			want := row.plain
			if serviceSID != "" && row.inService != "" {
				want = row.inService
			}
			r := <-got
			require.Equal(t, http.MethodGet+" "+want, r.method+" "+r.target)
			require.Empty(t, r.body)
		}
	}
}

func TestAnOperationRefusesNamesThatCannotBePathElements(t *testing.T) {
	t.Parallel()
	client, got := record(t, twilioapi.Config{}, reply(http.StatusOK, "{}"))
	for _, name := range []string{"", ".", ".."} {
		_, err := client.Read(t.Context(), twilioapi.FetchConversation, twilioapi.Parameters{"ConversationSid": {name}})
		requireOutcome(t, twilioapi.NotSent, err)
		require.ErrorContains(t, err, "ConversationSid must not be empty")
	}
	require.Empty(t, got)
}

func TestAResponseThatIsNotTheResourceIsAnError(t *testing.T) {
	t.Parallel()
	other := strings.Replace(conversation, "CH0", "CH1", 1)
	for _, row := range []struct {
		operation  twilioapi.Operation
		parameters twilioapi.Parameters
		body, want string
	}{
		{twilioapi.ListConversations, nil, `<html>`, "not a JSON object"},
		{twilioapi.ListConversations, nil, `{"services":[]}`, "not a list of conversations"},
		{twilioapi.ListConversations, nil, `{"conversations":[1]}`, "with something else in it"},
		{twilioapi.ListConversations, nil, `{"conversations":[{"attributes":"` + strings.Repeat("x", 4<<20) + `"}]}`, "too large"},
		{twilioapi.FetchConversation, twilioapi.Parameters{"ConversationSid": {conversation}}, `{}`, "no sid"},
		{twilioapi.FetchConversation, twilioapi.Parameters{"ConversationSid": {conversation}}, `{"sid":"` + other + `"}`, "another resource"},
		{twilioapi.FetchConversation, twilioapi.Parameters{"ConversationSid": {"name"}}, `{"sid":7}`, "another resource"},
		{twilioapi.FetchServiceWebhooks, twilioapi.Parameters{"ChatServiceSid": {service}}, `{"chat_service_sid":"IS` + other[2:] + `"}`, "another resource"},
		{twilioapi.FetchAccountWebhooks, nil, `{"access":"denied"}`, "no account_sid"},
	} {
		client, got := record(t, twilioapi.Config{}, reply(http.StatusOK, row.body))
		_, err := client.Read(t.Context(), row.operation, row.parameters)
		requireOutcome(t, twilioapi.Failed, err)
		require.ErrorContains(t, err, row.want)
		require.Len(t, got, 1, "it would be the same again")
	}
}

func TestAnOperationIsRetriedAsReadsAre(t *testing.T) {
	t.Parallel()
	answers := []http.HandlerFunc{reply(http.StatusTooManyRequests, `{}`), reply(http.StatusServiceUnavailable, `{}`), reply(http.StatusOK, `{"alerts":[]}`)}
	client, got := record(t, twilioapi.Config{}, func(w http.ResponseWriter, r *http.Request) {
		answers[0](w, r)
		answers = answers[1:]
	})
	result, err := client.Read(t.Context(), twilioapi.ListAlerts, nil)
	require.NoError(t, err)
	require.Equal(t, 3, result.Info.Attempts)
	require.Len(t, got, 3)
}
