package sdktest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
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

// A toHost transport sends every request to one host, over HTTP. The SDK needs nothing else to use the sandbox.
type toHost string

func (host toHost) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = "http", string(host)
	return http.DefaultTransport.RoundTrip(r)
}

// sdk returns the SDK's client of a new sandbox.
func sdk(t *testing.T, user string) *conversations.ApiService {
	server := httptest.NewServer(sandbox.New(sandbox.Options{}))
	t.Cleanup(server.Close)
	c := &client.Client{
		Credentials: client.NewCredentials(user, "secret"),
		HTTPClient:  &http.Client{Transport: toHost(server.Listener.Addr().String())},
	}
	return twilio.NewRestClientWithParams(twilio.ClientParams{Client: c}).ConversationsV1
}

// requireRefusal fails the test unless err is the SDK's error for a status and a code.
func requireRefusal(t *testing.T, err error, status, code int, about ...any) {
	t.Helper()
	var refusal *client.TwilioRestError
	require.ErrorAs(t, err, &refusal, about...)
	require.Equal(t, []int{status, code}, []int{refusal.Status, refusal.Code}, about...)
	require.NotEmpty(t, refusal.Message, about...)
	require.Equal(t, fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code), refusal.MoreInfo, about...)
}

func configuration(t *testing.T, c *interface{}) map[string]any {
	t.Helper()
	require.NotNil(t, c)
	return (*c).(map[string]any)
}

type (
	createParams = conversations.CreateConversationScopedWebhookParams
	updateParams = conversations.UpdateConversationScopedWebhookParams
	listParams   = conversations.ListConversationScopedWebhookParams
)

func create(target string) *createParams { return new(createParams).SetTarget(target) }
func update() *updateParams              { return new(updateParams) }

// aWebhook returns valid parameters of a create.
func aWebhook() *createParams {
	return create("webhook").
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
		_, err := api.CreateConversationScopedWebhook(support, aWebhook())
		require.NoError(t, err)
	}
	inTwos := new(listParams).SetPageSize(2)
	listed, err := api.ListConversationScopedWebhook(support, inTwos)
	require.NoError(t, err)
	require.Len(t, listed, 5)

	webhooks, errs := api.StreamConversationScopedWebhook(support, inTwos)
	var streamed []conversations.ConversationsV1ConversationScopedWebhook
	for w := range webhooks {
		streamed = append(streamed, w)
	}
	require.NoError(t, <-errs)
	require.Equal(t, listed, streamed)

	page, err := api.PageConversationScopedWebhook(support, inTwos, "PA"+*listed[2].Sid, "1")
	require.NoError(t, err)
	require.Equal(t, listed[3:], page.Webhooks)
	require.NotEmpty(t, page.Meta.PreviousPageUrl)

	two, err := api.ListConversationScopedWebhook(support, new(listParams).SetLimit(2))
	require.NoError(t, err)
	require.Equal(t, listed[:2], two)
}

func TestEachTargetIsCreatedFetchedUpdatedAndDeleted(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	for _, row := range []struct {
		create  *conversations.CreateConversationScopedWebhookParams
		created map[string]any
		update  *conversations.UpdateConversationScopedWebhookParams
		key     string
		then    any
	}{
		{
			aWebhook(),
			map[string]any{"url": "https://example.com/a b?c=d&e", "method": "GET", "replay_after": 0.0,
				"filters": []any{"onParticipantAdded", "onMessageAdded"}},
			update().SetConfigurationFilters([]string{"onMessageRemoved"}), "filters", []any{"onMessageRemoved"},
		}, {
			create("trigger").SetConfigurationUrl("x").SetConfigurationTriggers([]string{"help me", "é"}),
			map[string]any{"url": "x", "method": "POST", "triggers": []any{"help me", "é"}},
			update().SetConfigurationMethod("get"), "method", "GET",
		}, {
			create("studio").SetConfigurationFlowSid(flow),
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
		requireRefusal(t, err, 404, 20404)
	}
}

func TestEachOperationHasTheDocumentedStatus(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	made, err := api.CreateConversationScopedWebhookWithMetadata(empty, aWebhook())
	require.NoError(t, err)
	require.Equal(t, http.StatusCreated, made.GetStatusCode())
	resource := made.GetResource()
	sid := *resource.Sid

	fetched, err := api.FetchConversationScopedWebhookWithMetadata(empty, sid)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, fetched.GetStatusCode())
	require.NotEmpty(t, fetched.GetHeaders().Get("Twilio-Request-Id"))

	listed, err := api.ListConversationScopedWebhookWithMetadata(empty, nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, listed.GetStatusCode())

	updated, err := api.UpdateConversationScopedWebhookWithMetadata(empty, sid, update().SetConfigurationMethod("post"))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, updated.GetStatusCode())

	deleted, err := api.DeleteConversationScopedWebhookWithMetadata(empty, sid)
	require.NoError(t, err)
	require.Equal(t, http.StatusNoContent, deleted.GetStatusCode())
}

func TestInvalidCreatesAreRefused(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	long := strings.Repeat("x", 513)
	six := []string{"1", "2", "3", "4", "5", "6"}
	for name, row := range map[string]struct {
		params *createParams
		code   int
	}{
		"no target":                 {nil, 50368},
		"an unknown target":         {create("bot"), 50364},
		"a webhook without a URL":   {create("webhook").SetConfigurationFilters([]string{"onMessageAdded"}), 50369},
		"a webhook without events":  {create("webhook").SetConfigurationUrl("https://example.com"), 50370},
		"a trigger without a URL":   {create("trigger").SetConfigurationTriggers([]string{"help"}), 50369},
		"a trigger without keyword": {create("trigger").SetConfigurationUrl("https://example.com"), 50371},
		"a studio without a Flow":   {create("studio"), 50367},
		"a long URL":                {aWebhook().SetConfigurationUrl("https://example.com/" + long), 50372},
		"an unknown event":          {aWebhook().SetConfigurationFilters([]string{"onMessageSent"}), 50365},
		"an unknown method":         {aWebhook().SetConfigurationMethod("put"), 20001},
		"six keywords":              {create("trigger").SetConfigurationUrl("x").SetConfigurationTriggers(six), 50362},
		"a long keyword":            {create("trigger").SetConfigurationUrl("x").SetConfigurationTriggers([]string{long}), 50366},
		"not the SID of a Flow":     {create("studio").SetConfigurationFlowSid("FW1"), 50367},
	} {
		_, err := api.CreateConversationScopedWebhook(empty, row.params)
		requireRefusal(t, err, 400, row.code, name)
	}
	all, err := api.ListConversationScopedWebhook(empty, nil)
	require.NoError(t, err)
	require.Empty(t, all)

	for range 5 {
		_, err := api.CreateConversationScopedWebhook(empty, aWebhook())
		require.NoError(t, err)
	}
	_, err = api.CreateConversationScopedWebhook(empty, aWebhook())
	requireRefusal(t, err, 400, 50361, "a sixth webhook")
}

func TestInvalidUpdatesAreRefusedAndChangeNothing(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	before, err := api.ListConversationScopedWebhook(support, nil)
	require.NoError(t, err)
	webhook, trigger, studio := *before[0].Sid, *before[1].Sid, *before[2].Sid
	for name, row := range map[string]struct {
		sid    string
		params *updateParams
		code   int
	}{
		"an empty URL":          {webhook, update().SetConfigurationUrl(""), 50369},
		"an unknown event":      {webhook, update().SetConfigurationFilters([]string{"onMessageSent"}), 50365},
		"an unknown method":     {webhook, update().SetConfigurationMethod("put"), 20001},
		"an empty keyword":      {trigger, update().SetConfigurationTriggers([]string{""}), 50366},
		"six keywords":          {trigger, update().SetConfigurationTriggers([]string{"1", "2", "3", "4", "5", "6"}), 50362},
		"not the SID of a Flow": {studio, update().SetConfigurationFlowSid("FW1"), 50367},
	} {
		_, err := api.UpdateConversationScopedWebhook(support, row.sid, row.params)
		requireRefusal(t, err, 400, row.code, name)
	}
	after, err := api.ListConversationScopedWebhook(support, nil)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

func TestInvalidPagesAreRefused(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	for name, row := range map[string]struct {
		params     *listParams
		token, num string
		code       int
	}{
		"a page size of 0":        {new(listParams).SetPageSize(0), "", "", 20001},
		"a negative page":         {nil, "", "-1", 20001},
		"a page that is a word":   {nil, "", "two", 20001},
		"a token of another page": {nil, "PAWH1", "1", 21481},
	} {
		_, err := api.PageConversationScopedWebhook(support, row.params, row.token, row.num)
		requireRefusal(t, err, 400, row.code, name)
	}
}

// operations are the five operations, each with valid parameters.
var operations = map[string]func(api *conversations.ApiService, conversation, sid string) error{
	"list": func(api *conversations.ApiService, conversation, _ string) error {
		_, err := api.ListConversationScopedWebhook(conversation, nil)
		return err
	},
	"create": func(api *conversations.ApiService, conversation, _ string) error {
		_, err := api.CreateConversationScopedWebhook(conversation, aWebhook())
		return err
	},
	"fetch": func(api *conversations.ApiService, conversation, sid string) error {
		_, err := api.FetchConversationScopedWebhook(conversation, sid)
		return err
	},
	"update": func(api *conversations.ApiService, conversation, sid string) error {
		_, err := api.UpdateConversationScopedWebhook(conversation, sid, update().SetConfigurationMethod("post"))
		return err
	},
	"delete": func(api *conversations.ApiService, conversation, sid string) error {
		return api.DeleteConversationScopedWebhook(conversation, sid)
	},
}

func TestEachOperationIsRefused(t *testing.T) {
	t.Parallel()
	const (
		sid         = "WH00000000000000000000000000000001" // of a webhook of support
		rateLimited = "CH00000000000000000000000000000429"
		unavailable = "CH00000000000000000000000000000503"
	)
	for name, operation := range operations {
		api := sdk(t, "AC1")
		requireRefusal(t, operation(api, "nowhere", sid), 404, 20404, name+": an unknown conversation")
		requireRefusal(t, operation(api, rateLimited, sid), 429, 20429, name+": too many requests")
		requireRefusal(t, operation(sdk(t, "XX1"), support, sid), 401, 20003, name+": invalid credentials")
		switch name {
		case "create", "update", "delete":
			requireRefusal(t, operation(api, unavailable, sid), 503, 20503, name+": service unavailable")
		}
		switch name {
		case "fetch", "update", "delete":
			requireRefusal(t, operation(api, empty, sid), 404, 20404, name+": a webhook of another conversation")
		}
		require.NoError(t, operation(api, support, sid), name)
	}
}

func TestACreateThatIsAppliedCanEndInAnError(t *testing.T) {
	t.Parallel()
	const badGateway = "CH00000000000000000000000000000502"
	api := sdk(t, "AC1")
	_, err := api.CreateConversationScopedWebhook(badGateway, aWebhook())
	require.ErrorContains(t, err, "502")
	all, err := api.ListConversationScopedWebhook(badGateway, nil)
	require.NoError(t, err)
	require.Len(t, all, 1)
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
	requireRefusal(t, err, 404, 20404)
	require.NoError(t, api.DeleteServiceConversationScopedWebhook(service, empty, *created.Sid))
	requireRefusal(t, api.DeleteServiceConversationScopedWebhook(service, empty, *created.Sid), 404, 20404)
}

func TestAConversationMadeByTheSDKTakesWebhooks(t *testing.T) {
	t.Parallel()
	api := sdk(t, "AC1")
	created, err := api.CreateConversation(new(conversations.CreateConversationParams).SetUniqueName("mine").SetFriendlyName("Mine"))
	require.NoError(t, err)
	require.Equal(t, "active", *created.State)
	h, err := api.CreateConversationScopedWebhook("mine", aWebhook())
	require.NoError(t, err)
	require.Equal(t, created.Sid, h.ConversationSid)
}
