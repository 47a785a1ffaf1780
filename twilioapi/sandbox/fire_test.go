package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/signature"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const room = "/v1/Conversations/CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// A got is a request that a receiver got.
type got struct {
	method, url string
	header      http.Header
	form        url.Values
}

// receiver answers webhooks with a status, and passes them on.
func receiver(t *testing.T, status int) (base string, requests chan got) {
	t.Helper()
	requests = make(chan got, 20_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		requests <- got{r.Method, r.URL.String(), r.Header.Clone(), r.Form}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<p>answer</p>")
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

// fires makes a request to the API that fires webhooks.
func (a api) fires(method, path string, form url.Values) reply {
	a.Helper()
	return a.send(method, path, form.Encode(), func(r *http.Request) { r.Header.Set("X-Twilio-Webhook-Enabled", "true") })
}

// hook creates a webhook for all events.
func (a api) hook(path, address, method string) webhook {
	a.Helper()
	form := url.Values{"Target": {"webhook"}, "Configuration.Url": {address}, "Configuration.Method": {method}, "Configuration.Filters": {
		"onMessageAdded", "onMessageUpdated", "onMessageRemoved", "onConversationUpdated", "onConversationStateUpdated", "onConversationRemoved",
		"onParticipantAdded", "onParticipantUpdated", "onParticipantRemoved", "onDeliveryUpdated",
	}}
	return a.created(path+"/Webhooks", form.Encode())
}

// deliveries waits until there are n deliveries.
func (a api) deliveries(n int) (all []sandbox.Delivery) {
	a.Helper()
	require.Eventually(a, func() bool {
		res, err := http.Get(a.base + "/_sandbox/deliveries")
		require.NoError(a, err)
		defer res.Body.Close()
		all = nil
		require.NoError(a, json.NewDecoder(res.Body).Decode(&all))
		return len(all) >= n
	}, time.Minute, 5*time.Millisecond)
	return all
}

func TestEveryEventIsSentAsTwilioSendsIt(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{Now: func() time.Time { return time.Unix(0, 0) }})
	a.hook(room, base+"/hook?a=1%202", "POST")
	const sid, service, date = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", "ISaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "1970-01-01T00:00:00Z"
	message := url.Values{"MessageSid": {"IM00000000000000000000000000000001"}, "Index": {"0"}, "DateCreated": {date}, "Body": {"Hi é"}, "Author": {"agent"},
		"Attributes": {`{"a":1}`}, "ParticipantSid": {"MB00000000000000000000000000000002"}}
	with := func(fields url.Values, more ...string) url.Values {
		all := url.Values{"AccountSid": {"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, "ConversationSid": {sid}, "ChatServiceSid": {service}, "Source": {"API"}, "RetryCount": {"0"}}
		for name, values := range fields {
			all[name] = values
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = []string{more[i+1]}
		}
		return all
	}
	participant := url.Values{"ParticipantSid": {"MB00000000000000000000000000000005"}, "Attributes": {"{}"}, "MessagingBinding.Address": {"whatsapp:+15550001111"},
		"MessagingBinding.ProxyAddress": {"whatsapp:+15017122661"}, "MessagingBinding.Type": {"whatsapp"}}
	conversation := url.Values{"FriendlyName": {"Alice"}, "UniqueName": {"empty room"}, "Attributes": {"{}"}}
	const messageText = "onMessageUpdated"
	for _, step := range []struct {
		event, method, path string
		form, want          url.Values
	}{
		{"onMessageAdded", "POST", room + "/Messages", url.Values{"Author": {"agent"}, "Body": {"Hi é"}, "Attributes": {`{"a":1}`}}, with(message)},
		{"onDeliveryUpdated", "", "", nil, with(url.Values{"MessageSid": {"IM00000000000000000000000000000001"}, "ParticipantSid": {"MB00000000000000000000000000000001"}, "Status": {"delivered"}, "ErrorCode": {"0"},
			"DeliveryReceiptSid": {"DY00000000000000000000000000000001"}, "ChannelMessageSid": {"SM00000000000000000000000000000001"}, "DateCreated": {date}, "DateUpdated": {date}})},
		{messageText, "POST", room + "/Messages/IM00000000000000000000000000000001", url.Values{"Body": {"Bye"}}, with(message, "Body", "Bye", "DateUpdated", date)},
		{"onMessageRemoved", "DELETE", room + "/Messages/IM00000000000000000000000000000001", nil, with(message, "Body", "Bye", "DateUpdated", date, "DateRemoved", date)},
		{"onParticipantAdded", "POST", room + "/Participants", url.Values{"MessagingBinding.Address": {"whatsapp:+15550001111"}, "MessagingBinding.ProxyAddress": {"whatsapp:+15017122661"}}, with(participant, "DateCreated", date)},
		{"onParticipantUpdated", "POST", room + "/Participants/MB00000000000000000000000000000005", url.Values{"LastReadMessageIndex": {"0"}}, with(participant, "DateUpdated", date, "LastReadMessageIndex", "0")},
		{"onParticipantRemoved", "DELETE", room + "/Participants/MB00000000000000000000000000000005", nil, with(participant, "DateRemoved", date, "LastReadMessageIndex", "0")},
		{"onConversationUpdated", "POST", room, url.Values{"FriendlyName": {"Alice"}}, with(conversation, "DateUpdated", date)},
		{"onConversationStateUpdated", "POST", room, url.Values{"State": {"closed"}}, with(url.Values{"StateFrom": {"active"}, "StateTo": {"closed"}, "StateUpdated": {date}, "Reason": {"API"}})},
		{"onConversationRemoved", "DELETE", room, nil, with(conversation, "DateUpdated", date, "DateRemoved", date)},
	} {
		if step.method != "" {
			res := a.fires(step.method, step.path, step.form)
			require.Less(t, res.status, 300, res.body)
		}
		r := <-requests
		want := with(step.want, "EventType", step.event)
		want.Set("a", "1 2") // the query
		require.Equal(t, want, r.form, step.event)
		require.Equal(t, "POST", r.method)
		require.Equal(t, "TwilioProxy/1.1", r.header.Get("User-Agent"))
		require.Equal(t, "application/x-www-form-urlencoded; charset=utf-8", r.header.Get("Content-Type"))
		require.Regexp(t, `^[0-9a-f]{32}$`, r.header.Get("I-Twilio-Idempotency-Token"))
		form := url.Values{}
		for name, values := range r.form {
			if name != "a" {
				form[name] = values
			}
		}
		require.True(t, signature.Valid(r.header.Get(signature.Header), sandbox.AuthToken, base+r.url, form))
		form.Set("EventType", "x")
		require.False(t, signature.Valid(r.header.Get(signature.Header), sandbox.AuthToken, base+r.url, form))
	}
}

func TestAGETHasTheFieldsInItsQuery(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{AuthToken: "mine"})
	a.hook(room, "http://user:password@"+strings.TrimPrefix(base, "http://")+"?x=y#rc=2", "get")
	a.fires("POST", room+"/Messages", url.Values{"Body": {"Hi"}})
	r := <-requests
	require.Equal(t, "GET", r.method)
	require.Equal(t, []string{"y"}, r.form["x"])
	require.Equal(t, "Hi", r.form.Get("Body"))
	require.NotEmpty(t, r.header.Get("Authorization"))
	require.True(t, signature.Valid(r.header.Get(signature.Header), "mine", base+r.url, nil), "without user and fragment")
	require.Equal(t, base+r.url, a.deliveries(1)[0].URL)
}

// Actions through REST fire nothing without the header, participants always.
func TestWhoFires(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{})
	a.hook(room, base, "POST")
	require.Equal(t, 201, a.post(room+"/Messages", "Body=quiet").status)
	for author, want := range map[string]url.Values{
		"+15558675310": {"Source": {"SMS"}},
		"agent":        {"Source": {"SDK"}, "ClientIdentity": {"agent"}},
	} {
		res, err := http.PostForm(a.base+"/_sandbox/messages", url.Values{"ConversationSid": {"CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}, "Author": {author}, "Body": {"Hi"}})
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, 201, res.StatusCode)
		r := <-requests
		for r.form.Get("EventType") != "onMessageAdded" {
			r = <-requests
		}
		require.Equal(t, author, r.form.Get("Author"))
		require.Equal(t, want["Source"], r.form["Source"])
		require.Equal(t, want["ClientIdentity"], r.form["ClientIdentity"])
	}
	for name, form := range map[string]url.Values{
		"Author must be one of": {"ConversationSid": {"empty room"}, "Author": {"nobody"}, "Body": {"Hi"}},
		"names no conversation": {"ConversationSid": {"CH0"}, "Author": {"agent"}},
	} {
		res, err := http.PostForm(a.base+"/_sandbox/messages", form)
		require.NoError(t, err)
		body, _ := io.ReadAll(res.Body)
		require.NoError(t, res.Body.Close())
		require.GreaterOrEqual(t, res.StatusCode, 400)
		require.Contains(t, string(body), name)
	}
}

func TestKeywordsFlowsAndReplay(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{})
	a.created(room+"/Webhooks", url.Values{"Target": {"trigger"}, "Configuration.Url": {base + "/trigger"}, "Configuration.Triggers": {"help me"}}.Encode())
	a.created(room+"/Webhooks", url.Values{"Target": {"studio"}, "Configuration.FlowSid": {flow}}.Encode())
	for _, body := range []string{"helpless", "please HELP  me", "help"} {
		a.fires("POST", room+"/Messages", url.Values{"Body": {body}})
	}
	require.Equal(t, "please HELP  me", (<-requests).form.Get("Body"))
	all := a.deliveries(4)
	flows := slices.DeleteFunc(slices.Clone(all), func(d sandbox.Delivery) bool { return d.Flow != flow })
	require.Len(t, flows, 3)
	require.Empty(t, requests)

	a.created(room+"/Webhooks", added[:strings.Index(added, "https")]+url.QueryEscape(base+"/replay")+"&Configuration.Filters=onMessageAdded&Configuration.ReplayAfter=1")
	require.Equal(t, "1", (<-requests).form.Get("Index"))
	require.Equal(t, "2", (<-requests).form.Get("Index"))
}

func TestTheAccountAndTheServiceHearToo(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{})
	const service = "/v1/Services/ISaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Configuration/Webhooks"
	for path, name := range map[string]string{"/v1/Configuration/Webhooks": "account", service: "service"} {
		got := a.post(path, url.Values{"PostWebhookUrl": {base + "/" + name}, "Filters": {"onMessageAdded"}, "Method": {"get"}}.Encode())
		require.Equal(t, 200, got.status)
		require.Contains(t, got.body, `"method":"GET"`)
		require.Contains(t, a.get(path).body, base+"/"+name)
	}
	a.fires("POST", room+"/Messages", url.Values{"Body": {"Hi"}})
	paths := []string{(<-requests).url, (<-requests).url}
	slices.Sort(paths)
	require.Contains(t, paths[0], "/account?")
	require.Contains(t, paths[1], "/service?")
	a.refused(a.post("/v1/Configuration/Webhooks", "Filters=onNothing"), 400, 50365)
	a.refused(a.post("/v1/Configuration/Webhooks", "Method=put"), 400, 20001)
	a.refused(a.post("/v1/Configuration/Webhooks", "Target=x"), 400, 20001)
}

// Only a 4xx answer keeps an action from being carried out.
func TestAWebhookBeforeAnActionCanRejectIt(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]int{200: 201, 204: 201, 403: 403, 499: 403, 500: 201} {
		base, requests := receiver(t, status)
		a := start(t, sandbox.Options{})
		a.post("/v1/Configuration/Webhooks", url.Values{"PreWebhookUrl": {base}, "Filters": {"onMessageAdd"}}.Encode())
		forged := url.Values{"Body": {"Hi"}, "EventType": {"onUserAdded"}, "ConversationSid": {"CH0"}, "AccountSid": {"AC0"}, "ClientIdentity": {"root"}}
		require.Equal(t, want, a.fires("POST", room+"/Messages", forged).status, status)
		r := <-requests
		require.Equal(t, "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", r.form.Get("ConversationSid"))
		require.Equal(t, "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", r.form.Get("AccountSid"))
		require.Empty(t, r.form.Get("ClientIdentity"))
		require.Equal(t, "onMessageAdd", r.form.Get("EventType"))
		require.Equal(t, "Hi", r.form.Get("Body"))
		count := 1
		if want == 403 {
			count = 0
		}
		require.Equal(t, count, strings.Count(a.get(room+"/Messages").body, `"sid":"IM`))
		require.Equal(t, 201, a.post(room+"/Messages", "Body=quiet").status, "REST without the header asks nobody")
	}
}

func TestAnInboundMessageCreatesAConversation(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{})
	got := a.post("/v1/Configuration/Addresses", url.Values{"Type": {"sms"}, "Address": {"+15550009999"}, "AutoCreation.Enabled": {"true"},
		"AutoCreation.Type": {"webhook"}, "AutoCreation.WebhookUrl": {base}, "AutoCreation.WebhookFilters": {"onMessageAdded"}}.Encode())
	require.Equal(t, 201, got.status, got.body)
	require.Contains(t, a.get("/v1/Configuration/Addresses?Type=sms").body, base)
	res, err := http.PostForm(a.base+"/_sandbox/messages", url.Values{"Author": {"+15551112222"}, "To": {"+15550009999"}, "Body": {"Hi"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 201, res.StatusCode)
	first := <-requests
	require.Equal(t, "+15551112222", first.form.Get("Author"))
	res, err = http.PostForm(a.base+"/_sandbox/messages", url.Values{"Author": {"+15551112222"}, "To": {"+15550009999"}, "Body": {"Hello?"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	second := <-requests
	require.Equal(t, first.form.Get("ConversationSid"), second.form.Get("ConversationSid"), "there is a conversation between the numbers")
	require.Equal(t, "1", second.form.Get("Index"))
	require.Contains(t, a.get("/v1/ParticipantConversations?Address=%2B15551112222").body, `"conversation_state":"active"`)
}

func TestAFailedDeliveryIsAnAlert(t *testing.T) {
	t.Parallel()
	failing, _ := receiver(t, 503)
	redirects := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.String(), http.StatusFound) }))
	t.Cleanup(redirects.Close)
	resets := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		conn, _, _ := w.(http.Hijacker).Hijack()
		_ = conn.(*net.TCPConn).SetLinger(0)
		_ = conn.Close()
	}))
	t.Cleanup(resets.Close)
	huge := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10<<20)) }))
	t.Cleanup(huge.Close)
	for address, code := range map[string]int{
		failing: 11217, "http://127.0.0.1:1/": 11205, resets.URL: 11205, redirects.URL: 11215, "http://nowhere.invalid/": 11210,
		"http://10.0.0.1/": 11205, "http://[::ffff:192.0.2.1]/": 11205, "http://169.254.169.254/": 11205, huge.URL: 0, strings.Replace(failing, "http:", "https:", 1): 11206,
	} {
		a := start(t, sandbox.Options{Now: func() time.Time { return time.Unix(100, 0) }})
		h := a.hook(room, address, "POST")
		a.fires("POST", room+"/Messages", url.Values{"Body": {"Hi"}})
		d := a.deliveries(1)[0]
		require.Equal(t, h.SID, d.Webhook)
		require.LessOrEqual(t, len(d.Answer), 4<<10)
		alerts := a.get("/v1/Alerts?StartDate=1970-01-01T00:01:00Z").body
		if code == 0 {
			require.Empty(t, d.Error, address)
			require.NotContains(t, alerts, `"resource_sid":"CHbbbb`)
			continue
		}
		if code != 11206 || d.Code != 11220 { // which of the two a server without TLS is depends on what it answers
			require.Equal(t, code, d.Code, "%s: %s", address, d.Error)
		}
		require.Contains(t, alerts, fmt.Sprintf(`"error_code":"%d"`, d.Code))
		require.Contains(t, alerts, `"resource_sid":"CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"`)
		require.Contains(t, alerts, `"request_url":"`+d.URL+`"`)
		if address == failing {
			newest := alerts[strings.Index(alerts, `"sid":"NO`)+7:][:34]
			require.Contains(t, a.get("/v1/Alerts/"+newest).body, `"response_body":"<p>answer</p>"`)
		}
	}
}

// A receiver that hangs takes as long as Twilio waits, and keeps no other webhook waiting.
func TestAReceiverThatHangsDelaysNoOther(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(release) })
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{})
	slow := a.hook(room, hanging.URL, "POST")
	a.hook(room, base, "POST")
	a.fires("POST", room+"/Messages", url.Values{"Author": {"+15558675310"}, "Body": {"Hi"}})
	<-requests
	all := a.deliveries(2)
	require.Equal(t, slow.SID, all[1].Webhook)
	require.Equal(t, 11200, all[1].Code)
	require.GreaterOrEqual(t, all[1].Milliseconds, 4000.0)
}

func TestDeliverNoneOnlyRecords(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{Deliver: sandbox.DeliverNone})
	a.hook(room, base, "POST")
	a.fires("POST", room+"/Messages", url.Values{"Author": {"+15558675310"}, "Body": {"Hi"}})
	require.Contains(t, a.deliveries(1)[0].Error, "--deliver none")
	require.Empty(t, requests)
}

// Every event arrives once, and in the order of its webhook.
func TestManyMessagesArriveOnceAndInOrder(t *testing.T) {
	t.Parallel()
	const messages, hooks = 200, 5
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{})
	for i := range hooks {
		form := url.Values{"Target": {"webhook"}, "Configuration.Url": {base + "/" + strconv.Itoa(i)}, "Configuration.Filters": {"onMessageAdded"}}
		a.created(room+"/Webhooks", form.Encode())
	}
	var writers sync.WaitGroup
	for range messages {
		a.fires("POST", room+"/Messages", url.Values{"Body": {"Hi"}})
	}
	writers.Wait()
	next := map[string]int{}
	for range messages * hooks {
		r := <-requests
		require.Equal(t, strconv.Itoa(next[r.url]), r.form.Get("Index"), r.url)
		next[r.url]++
	}
	require.Len(t, next, hooks)
	require.Empty(t, requests)
}

func TestADeliveryCanBeSentAgain(t *testing.T) {
	t.Parallel()
	base, requests := receiver(t, 200)
	a := start(t, sandbox.Options{})
	for i, method := range []string{"POST", "GET"} {
		form := url.Values{"Target": {"webhook"}, "Configuration.Url": {base + "/hook?a=b"}, "Configuration.Method": {method}, "Configuration.Filters": {"onMessageAdded"}}
		h := a.created(room+"/Webhooks", form.Encode())
		a.fires("POST", room+"/Messages", url.Values{"Body": {"Hi & bye"}})
		first := <-requests
		all := a.deliveries(2*i + 1)
		res, err := http.PostForm(fmt.Sprintf("%s/_sandbox/deliveries/%d", a.base, all[len(all)-1].ID), nil)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		second := <-requests
		require.Equal(t, first.header.Get("I-Twilio-Idempotency-Token"), second.header.Get("I-Twilio-Idempotency-Token"))
		require.Equal(t, "1", second.form.Get("RetryCount"))
		require.Equal(t, []string{"b"}, second.form["a"])
		require.Equal(t, "Hi & bye", second.form.Get("Body"))
		a.deliveries(2*i + 2)
		require.Equal(t, 204, a.delete(room+"/Webhooks/"+h.SID).status)
	}
	res, err := http.PostForm(a.base+"/_sandbox/deliveries/999", nil)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, 404, res.StatusCode)
}

// The sandbox's own pages are for this machine, and no page of another origin writes.
func TestThePagesAreForThisMachine(t *testing.T) {
	t.Parallel()
	a := start(t, sandbox.Options{})
	form := url.Values{"ConversationSid": {"empty room"}, "Author": {"agent"}, "Body": {"<script>alert(1)</script>"}}
	require.Equal(t, 403, a.send("GET", "/", "", func(r *http.Request) { r.Host = "evil.example" }).status)
	require.Equal(t, 403, a.send("POST", "/_sandbox/messages", form.Encode(), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }).status)
	written := a.send("POST", "/_sandbox/messages", form.Encode(), func(r *http.Request) { r.Header.Set("Accept", "text/html") })
	require.Equal(t, 303, written.status)
	page := a.get("/")
	require.Equal(t, 200, page.status)
	require.Contains(t, page.body, "&lt;script&gt;")
	require.NotContains(t, page.body, "<script")
	require.Contains(t, page.header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Equal(t, "text/css; charset=utf-8", a.get("/_sandbox/style.css").header.Get("Content-Type"))
	require.Equal(t, "2", a.get("/_sandbox/log?webhook=x").header.Get("Refresh"))
	a.hook(room, "http://127.0.0.1:1/", "POST")
	a.fires("POST", room+"/Messages", url.Values{"Body": {"Hi"}})
	a.deliveries(1)
	require.NotContains(t, a.get("/_sandbox/log").body, "X-Twilio-Signature")
	opened := a.get("/_sandbox/log?open=1")
	require.Contains(t, opened.body, "X-Twilio-Signature")
	require.Empty(t, opened.header.Get("Refresh"), "what a person reads stays")
}
