package sdktest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/twilio/twilio-go"
	"github.com/twilio/twilio-go/client"
	conversations "github.com/twilio/twilio-go/rest/conversations/v1"

	"twilio-conversations-mcp/twilioapi/sandbox"
)

const (
	support = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	empty   = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
	service = "IS11111111111111111111111111111111"
	flow    = "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
)

// A detour is all that the SDK needs to reach the sandbox: another scheme and host.
type detour struct{ host string }

func (d detour) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", d.host
	return http.DefaultTransport.RoundTrip(r)
}

func sdk(t *testing.T, user string) *conversations.ApiService {
	server := httptest.NewServer(sandbox.New(sandbox.Options{}))
	t.Cleanup(server.Close)
	c := &client.Client{
		Credentials: client.NewCredentials(user, "secret"),
		HTTPClient:  &http.Client{Transport: detour{server.Listener.Addr().String()}},
	}
	return twilio.NewRestClientWithParams(twilio.ClientParams{Client: c}).ConversationsV1
}

// refused is the SDK's own view of an error.
func refused(t *testing.T, err error, status, code int) {
	t.Helper()
	var refusal *client.TwilioRestError
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, []int{status, code}, []int{refusal.Status, refusal.Code})
	require.NotEmpty(t, refusal.Message)
	require.Equal(t, fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), refusal.MoreInfo)
}

func configuration(t *testing.T, c *interface{}) map[string]any {
	t.Helper()
	require.NotNil(t, c)
	return (*c).(map[string]any)
}

func webhookParams() *conversations.CreateConversationScopedWebhookParams {
	return new(conversations.CreateConversationScopedWebhookParams).SetTarget("webhook").
		SetConfigurationUrl("https://example.com/a b?c=d&e").SetConfigurationMethod("get").
		SetConfigurationFilters([]string{"onMessageAdded", "onParticipantAdded"}).SetConfigurationReplayAfter(0)
}

func TestAPlainListAsksForFiftyAndGetsAll(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	all, err := api.ListConversationScopedWebhook(support, nil)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, "webhook", *all[0].Target)
	require.Equal(t, []any{"keyword1", "keyword2"}, configuration(t, all[1].Configuration)["triggers"])
	require.Equal(t, map[string]any{"flow_sid": flow}, configuration(t, all[2].Configuration))
	require.Equal(t, 2016, all[0].DateCreated.Year())

	all, err = api.ListConversationScopedWebhook(empty, nil)
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestPagesOfTwoAreFollowedToTheEnd(t *testing.T) {
	t.Parallel()
	api := sdk(t, "SK1")
	for range 2 {
		_, err := api.CreateConversationScopedWebhook(support, webhookParams())
		require.NoError(t, err)
	}
	inTwos := new(conversations.ListConversationScopedWebhookParams).SetPageSize(2)
	listed, err := api.ListConversationScopedWebhook(support, inTwos)
	require.NoError(t, err)
	require.Len(t, listed, 5)

	hooks, errs := api.StreamConversationScopedWebhook(support, inTwos)
	var streamed []conversations.ConversationsV1ConversationScopedWebhook
	for h := range hooks {
		streamed = append(streamed, h)
	}
	require.NoError(t, <-errs)
	require.Equal(t, listed, streamed)

	page, err := api.PageConversationScopedWebhook(support, inTwos, "PA"+*listed[2].Sid, "1")
	require.NoError(t, err)
	require.Equal(t, listed[3:], page.Webhooks)
	require.NotEmpty(t, page.Meta.PreviousPageUrl)

	two, err := api.ListConversationScopedWebhook(support, new(conversations.ListConversationScopedWebhookParams).SetLimit(2))
	require.NoError(t, err)
	require.Equal(t, listed[:2], two)
}

func TestEachTargetIsCreatedFetchedUpdatedAndDeleted(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	update := func() *conversations.UpdateConversationScopedWebhookParams {
		return new(conversations.UpdateConversationScopedWebhookParams)
	}
	create := func() *conversations.CreateConversationScopedWebhookParams {
		return new(conversations.CreateConversationScopedWebhookParams)
	}
	for _, row := range []struct {
		create  *conversations.CreateConversationScopedWebhookParams
		created map[string]any
		update  *conversations.UpdateConversationScopedWebhookParams
		key     string
		then    any
	}{
		{
			webhookParams(),
			map[string]any{"url": "https://example.com/a b?c=d&e", "method": "GET", "replay_after": 0.0,
				"filters": []any{"onParticipantAdded", "onMessageAdded"}},
			update().SetConfigurationFilters([]string{"onMessageRemoved"}), "filters", []any{"onMessageRemoved"},
		}, {
			create().SetTarget("trigger").SetConfigurationUrl("x").SetConfigurationTriggers([]string{"help me", "é"}),
			map[string]any{"url": "x", "method": "POST", "triggers": []any{"help me", "é"}},
			update().SetConfigurationMethod("get"), "method", "GET",
		}, {
			create().SetTarget("studio").SetConfigurationFlowSid(flow),
			map[string]any{"flow_sid": flow},
			update().SetConfigurationFlowSid("FW" + empty[2:]), "flow_sid", "FW" + empty[2:],
		},
	} {
		created, err := api.CreateConversationScopedWebhook(empty, row.create)
		require.NoError(t, err)
		require.Equal(t, row.created, configuration(t, created.Configuration))
		require.Equal(t, empty, *created.ConversationSid)

		fetched, err := api.FetchConversationScopedWebhook(empty, *created.Sid)
		require.NoError(t, err)
		require.Equal(t, created, fetched)

		updated, err := api.UpdateConversationScopedWebhook(empty, *created.Sid, row.update)
		require.NoError(t, err)
		require.Equal(t, row.then, configuration(t, updated.Configuration)[row.key])

		unchanged, err := api.UpdateConversationScopedWebhook(empty, *created.Sid, update())
		require.NoError(t, err)
		require.Equal(t, updated, unchanged)

		require.NoError(t, api.DeleteConversationScopedWebhook(empty, *created.Sid))
		_, err = api.FetchConversationScopedWebhook(empty, *created.Sid)
		refused(t, err, 404, 20404)
	}
}

func TestRefusalsAreTheSDKsOwnErrors(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	for range 5 {
		_, err := api.CreateConversationScopedWebhook(empty, webhookParams())
		require.NoError(t, err)
	}
	_, err := api.CreateConversationScopedWebhook(empty, webhookParams())
	refused(t, err, 400, 50361)
	_, err = api.CreateConversationScopedWebhook(support, nil)
	refused(t, err, 400, 50368)
	_, err = api.ListConversationScopedWebhook("nowhere", nil)
	refused(t, err, 404, 20404)
	refused(t, api.DeleteConversationScopedWebhook(support, "WH1"), 404, 20404)
	_, err = api.ListConversationScopedWebhook("CH00000000000000000000000000000429", nil)
	refused(t, err, 429, 20429)
	_, err = api.CreateConversationScopedWebhook("CH00000000000000000000000000000502", webhookParams())
	require.ErrorContains(t, err, "502")

	_, err = sdk(t, "XX1").ListConversationScopedWebhook(support, nil)
	refused(t, err, 401, 20003)
}

func TestTheSameWithinAService(t *testing.T) {
	t.Parallel()
	api := sdk(t, "SK1")
	created, err := api.CreateServiceConversationScopedWebhook(service, empty,
		new(conversations.CreateServiceConversationScopedWebhookParams).SetTarget("studio").SetConfigurationFlowSid(flow))
	require.NoError(t, err)
	require.Equal(t, service, *created.ChatServiceSid)
	require.Contains(t, *created.Url, "https://conversations.twilio.com/v1/Services/"+service+"/Conversations/"+empty)

	fetched, err := api.FetchServiceConversationScopedWebhook(service, empty, *created.Sid)
	require.NoError(t, err)
	require.Equal(t, created, fetched)
	updated, err := api.UpdateServiceConversationScopedWebhook(service, empty, *created.Sid,
		new(conversations.UpdateServiceConversationScopedWebhookParams).SetConfigurationFilters([]string{"onMessageAdded"}))
	require.NoError(t, err)
	require.Equal(t, map[string]any{"flow_sid": flow, "filters": []any{"onMessageAdded"}}, configuration(t, updated.Configuration))

	all, err := api.ListServiceConversationScopedWebhook(service, support, nil)
	require.NoError(t, err)
	require.Len(t, all, 3)
	paged, err := api.ListServiceConversationScopedWebhook(service, support,
		new(conversations.ListServiceConversationScopedWebhookParams).SetPageSize(2))
	require.NoError(t, err)
	require.Equal(t, all, paged)

	_, err = api.FetchConversationScopedWebhook(empty, *created.Sid)
	refused(t, err, 404, 20404)
	require.NoError(t, api.DeleteServiceConversationScopedWebhook(service, empty, *created.Sid))
	refused(t, api.DeleteServiceConversationScopedWebhook(service, empty, *created.Sid), 404, 20404)
}

func TestAConversationMadeByTheSDKTakesWebhooks(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	created, err := api.CreateConversation(new(conversations.CreateConversationParams).SetUniqueName("mine").SetFriendlyName("Mine"))
	require.NoError(t, err)
	require.Equal(t, "active", *created.State)
	h, err := api.CreateConversationScopedWebhook("mine", webhookParams())
	require.NoError(t, err)
	require.Equal(t, created.Sid, h.ConversationSid)
}
