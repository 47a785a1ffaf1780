package sdktest_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go/client"
	conversations "github.com/twilio/twilio-go/rest/conversations/v1"

	"twilio-conversations-mcp/twilioapi/sandbox"
)

func TestTheResourcesAroundWebhooks(t *testing.T) {
	t.Parallel()
	api := sdk(t, "SK1")

	found, err := api.ListParticipantConversation((&conversations.ListParticipantConversationParams{}).SetAddress("+15558675310"))
	require.NoError(t, err)
	require.Len(t, found, 2)
	require.Equal(t, support, *found[0].ConversationSid)

	created, err := api.CreateConversation((&conversations.CreateConversationParams{}).SetFriendlyName("New").SetAttributes(`{"a":1}`))
	require.NoError(t, err)
	participant, err := api.CreateConversationParticipant(*created.Sid, (&conversations.CreateConversationParticipantParams{}).SetIdentity("bob"))
	require.NoError(t, err)
	_, err = api.UpdateConversationParticipant(*created.Sid, *participant.Sid, (&conversations.UpdateConversationParticipantParams{}).SetAttributes(`{"b":2}`))
	require.NoError(t, err)
	message, err := api.CreateConversationMessage(*created.Sid, (&conversations.CreateConversationMessageParams{}).SetAuthor("bob").SetBody("Hi"))
	require.NoError(t, err)
	require.Equal(t, 0, message.Index)
	_, err = api.UpdateConversationMessage(*created.Sid, *message.Sid, (&conversations.UpdateConversationMessageParams{}).SetBody("Bye"))
	require.NoError(t, err)
	messages, err := api.ListConversationMessage(*created.Sid, (&conversations.ListConversationMessageParams{}).SetOrder("desc"))
	require.NoError(t, err)
	require.Equal(t, "Bye", *messages[0].Body)
	require.NoError(t, api.DeleteConversationMessage(*created.Sid, *message.Sid, nil))
	require.NoError(t, api.DeleteConversationParticipant(*created.Sid, *participant.Sid, nil))
	closed, err := api.UpdateConversation(*created.Sid, (&conversations.UpdateConversationParams{}).SetState("closed"))
	require.NoError(t, err)
	require.Equal(t, "closed", *closed.State)
	all, err := api.ListConversation((&conversations.ListConversationParams{}).SetState("closed"))
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.NoError(t, api.DeleteConversation(*created.Sid, nil))

	services, err := api.ListService(nil)
	require.NoError(t, err)
	require.Len(t, services, 2)
	_, err = api.UpdateConfigurationWebhook((&conversations.UpdateConfigurationWebhookParams{}).SetPostWebhookUrl("https://example.com/all").SetFilters([]string{"onMessageAdded"}))
	require.NoError(t, err)
	account, err := api.FetchConfigurationWebhook()
	require.NoError(t, err)
	require.Equal(t, "https://example.com/all", *account.PostWebhookUrl)
	_, err = api.FetchServiceWebhookConfiguration(*services[1].Sid)
	require.NoError(t, err)
	addresses, err := api.ListConfigurationAddress(nil)
	require.NoError(t, err)
	require.Len(t, addresses, 1)
}

// The SDK's validator accepts what the sandbox sends, and nothing that was changed. It takes the first of repeated
// parameters only, so there are none here.
func TestTheSDKValidatesTheSignature(t *testing.T) {
	t.Parallel()
	const token = "0123456789abcdef0123456789abcdef"
	type request struct {
		url, signature string
		form           url.Values
	}
	requests := make(chan request, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		requests <- request{"http://" + r.Host + r.URL.RequestURI(), r.Header.Get("X-Twilio-Signature"), r.PostForm}
	}))
	t.Cleanup(receiver.Close)
	server := httptest.NewServer(sandbox.New(sandbox.Options{AuthToken: token}))
	t.Cleanup(server.Close)
	send := func(path string, form url.Values) {
		req, err := http.NewRequestWithContext(t.Context(), "POST", server.URL+path, http.NoBody)
		require.NoError(t, err)
		req.URL.RawQuery = form.Encode()
		req.SetBasicAuth("SK1", "secret")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 201, res.StatusCode)
	}
	send("/v1/Conversations/"+empty+"/Webhooks", url.Values{"Target": {"webhook"}, "Configuration.Url": {receiver.URL + "/hook?a=1%202"}, "Configuration.Filters": {"onMessageAdded"}})
	res, err := http.PostForm(server.URL+"/_sandbox/messages", url.Values{"ConversationSid": {empty}, "Author": {"agent"}, "Body": {"Zoë & co"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	got := <-requests
	params := map[string]string{}
	for name := range got.form {
		params[name] = got.form.Get(name)
	}
	validator := client.NewRequestValidator(token)
	require.True(t, validator.Validate(got.url, params, got.signature))
	require.False(t, validator.Validate(got.url+"x", params, got.signature))
	params["Body"] += "."
	require.False(t, validator.Validate(got.url, params, got.signature))
}
