package tools_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
)

const (
	checkAll  = "check_conversation_webhooks"
	checkedCH = "CH0123456789abcdef0123456789abcdef"
	second    = "WH1123456789abcdef0123456789abcdef"
	goodURL   = "https://hook.example.com/a"
)

// An account is what a Twilio answers, by path; a path that is missing is not found.
type account map[string]string

const (
	conversationPath = "/v1/Conversations/" + checkedCH
	webhooksPath     = conversationPath + "/Webhooks"
	accountPath      = "/v1/Configuration/Webhooks"
	servicePath      = "/v1/Services/" + service + "/Configuration/Webhooks"
	alertsPath       = "/v1/Alerts"
)

// healthy is an account in which nothing is wrong, changed by changes.
func healthy(changes account) account {
	a := account{
		conversationPath: `{"sid":"` + checkedCH + `","state":"active","friendly_name":"Alice","chat_service_sid":"` + service + `"}`,
		webhooksPath:     webhookList(sid, `"webhook"`, `"url":"`+goodURL+`","method":"POST","filters":["onMessageAdded"]`),
		accountPath:      `{"account_sid":"AC1","filters":null,"pre_webhook_url":null,"post_webhook_url":null,"target":"webhook"}`,
		servicePath:      `{"chat_service_sid":"` + service + `"}`,
		alertsPath:       `{"alerts":[]}`,
	}
	maps.Copy(a, changes)
	return a
}

// webhookList returns a list of webhooks, each given by its SID, its target and the
// members of its configuration.
func webhookList(fields ...string) string {
	var all []string
	for i := 0; i < len(fields); i += 3 {
		all = append(all, fmt.Sprintf(`{"sid":"%s","target":%s,"configuration":{%s}}`, fields[i], fields[i+1], fields[i+2]))
	}
	return `{"webhooks":[` + strings.Join(all, ",") + `]}`
}

// run checks the conversation of an account, and returns the result, which fits the
// schema, and the number of requests.
func (a account) run(t *testing.T, arguments string) (result schemas.CheckConversationWebhooksOutput, requests int64) {
	t.Helper()
	var count atomic.Int64
	s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		body, ok := a[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			body = `{"code":20404,"message":"not found"}`
		}
		_, _ = io.WriteString(w, body)
	}))
	s.tools = choose(t, "all")
	called := s.call(checkAll, `{"ConversationSid":"`+checkedCH+`"`+arguments+`}`)
	require.False(t, called.IsError, texts(t, called))
	require.NoError(t, json.Unmarshal(called.RawStructuredContent, &result))
	var content any
	require.NoError(t, json.Unmarshal(called.RawStructuredContent, &content))
	require.NoError(t, compile(t, schemas.CheckConversationWebhooks.Output()).Validate(content))
	return result, count.Load()
}

// problems returns the findings that are not notes, as "severity webhook text".
func problems(r schemas.CheckConversationWebhooksOutput) (all []string) {
	for _, f := range r.Findings {
		if f.Severity != "note" {
			all = append(all, f.Severity+" "+f.Webhook+" "+f.Text)
		}
	}
	return all
}

func notes(r schemas.CheckConversationWebhooksOutput) (all string) {
	for _, f := range r.Findings {
		if f.Severity == "note" {
			all += f.Text + "\n"
		}
	}
	return all
}

func TestACheckSaysThatNothingIsSeenToBeWrongAndNotThatItWorks(t *testing.T) {
	t.Parallel()
	result, requests := healthy(nil).run(t, "")
	require.Empty(t, problems(result))
	require.Empty(t, result.Unavailable)
	require.EqualValues(t, 5, requests)
	require.Equal(t, schemas.CheckedConversation{SID: checkedCH, FriendlyName: "Alice", State: "active", ChatServiceSID: service}, result.Conversation)
	require.Equal(t, []schemas.CheckedWebhook{{SID: sid, Target: "webhook", Calls: goodURL, Events: []string{"onMessageAdded"}}}, result.Webhooks)
	require.Contains(t, notes(result), "Nothing is seen to be wrong in the conversation's state, its webhooks (1), the account's configuration, "+
		"the service's configuration, the debugger's alerts in the last 24 hours. That is not to say that deliveries succeed")
	require.Contains(t, notes(result), "no alert about these webhooks in the last 24 hours: no failure is known, which is not to say that anything was delivered.")
	require.Contains(t, notes(result), "X-Twilio-Webhook-Enabled: true")
}

func TestEveryFindingNamesAPage(t *testing.T) {
	t.Parallel()
	result, _ := healthy(account{webhooksPath: webhookList(sid, `"webhook"`, `"url":"http://localhost/#a","filters":["onMessageSent","onMessageAdd"]`)}).run(t, "")
	require.NotEmpty(t, result.Findings)
	for _, f := range result.Findings {
		require.True(t, slices.ContainsFunc(docs.All(), func(p docs.Page) bool { return p.URI == f.Page }), f.Page)
	}
}

func TestACheckFindsWhatIsWrong(t *testing.T) {
	t.Parallel()
	one := func(target, configuration string) account {
		return account{webhooksPath: webhookList(sid, `"`+target+`"`, configuration)}
	}
	two := func(first, other string) account {
		return account{webhooksPath: webhookList(sid, `"webhook"`, first, second, `"webhook"`, other)}
	}
	const added = `"url":"` + goodURL + `","filters":["onMessageAdded"]`
	for name, row := range map[string]struct {
		changes account
		want    []string // beginnings of the findings that are not notes
		note    string
	}{
		"closed":         {account{conversationPath: `{"sid":"` + checkedCH + `","state":"closed","chat_service_sid":"` + service + `"}`}, []string{"problem  The conversation is closed"}, ""},
		"inactive":       {account{conversationPath: `{"sid":"` + checkedCH + `","state":"inactive","chat_service_sid":"` + service + `"}`}, []string{"warning  The conversation is inactive"}, ""},
		"nothing is set": {account{webhooksPath: `{"webhooks":[]}`}, []string{"problem  Nothing is set at any level"}, ""},
		"nothing is set, as far as could be read": {account{webhooksPath: `{"webhooks":[]}`, accountPath: `<html>`},
			[]string{"warning  The conversation has no webhook, and not every other level"}, ""},
		"only the account has a webhook": {account{webhooksPath: `{"webhooks":[]}`, accountPath: `{"account_sid":"AC1","post_webhook_url":"` + goodURL + `","filters":["onMessageAdded"]}`},
			nil, "no webhook of its own"},
		"only Flex gets events": {account{webhooksPath: `{"webhooks":[]}`, accountPath: `{"account_sid":"AC1","target":"flex"}`}, nil, "no webhook of its own"},
		"five of five": {account{webhooksPath: webhookList(
			sid, `"webhook"`, `"url":"https://a.com/1","filters":["onMessageAdded"]`, sid, `"webhook"`, `"url":"https://a.com/2","filters":["onMessageAdded"]`,
			sid, `"webhook"`, `"url":"https://a.com/3","filters":["onMessageAdded"]`, sid, `"webhook"`, `"url":"https://a.com/4","filters":["onMessageAdded"]`,
			sid, `"webhook"`, `"url":"https://a.com/5","filters":["onMessageAdded"]`)}, nil, "five webhooks, the most there can be"},

		"identical webhooks":   {two(added, added), []string{"warning " + second + " " + second + " calls the same URL or Flow as " + sid + " on onMessageAdded: each arrives twice."}, ""},
		"overlapping webhooks": {two(added, `"url":"HTTPS://hook.example.com:443/a#rc=2","filters":["onMessageRemoved","onMessageAdded"]`), []string{"warning " + second}, "connection overrides"},
		"other events":         {two(added, `"url":"`+goodURL+`","filters":["onMessageRemoved"]`), nil, ""},
		"another URL":          {two(added, `"url":"`+goodURL+`b","filters":["onMessageAdded"]`), nil, ""},
		"a trigger too": {account{webhooksPath: webhookList(sid, `"webhook"`, added, second, `"trigger"`, `"url":"`+goodURL+`","triggers":["help"]`)},
			[]string{"warning " + second + " " + second + " calls the same URL as " + sid + ": a message with a keyword arrives twice."}, ""},
		"two triggers": {account{webhooksPath: webhookList(sid, `"trigger"`, `"url":"`+goodURL+`","triggers":["a"]`, second, `"trigger"`, `"url":"`+goodURL+`","triggers":["b"]`)},
			nil, "a message with keywords of both arrives twice"},
		"the same Flow": {account{webhooksPath: webhookList(sid, `"studio"`, `"flow_sid":"FW1","filters":["onMessageAdded"]`, second, `"studio"`, `"flow_sid":"FW1","filters":["onMessageAdded"]`)},
			[]string{"warning " + second}, ""},
		"two levels": {account{servicePath: `{"chat_service_sid":"` + service + `","post_webhook_url":"https://hook.example.com/a","filters":["onMessageAdded"]}`},
			[]string{"warning " + sid + " The service's configuration calls the same URL as " + sid + " on onMessageAdded: each may arrive twice."}, ""},
		"a pre-action event of the account is another one": {account{accountPath: `{"account_sid":"AC1","pre_webhook_url":"` + goodURL + `","filters":["onMessageAdd","onMessageAdded"]}`}, nil, ""},

		"no URL":                {one("webhook", `"url":null,"filters":["onMessageAdded"]`), []string{"problem " + sid + " The webhook webhook has no Configuration.Url"}, ""},
		"no events":             {one("webhook", `"url":"`+goodURL+`","filters":[ ]`), []string{"problem " + sid + " The webhook webhook has no Configuration.Filters"}, ""},
		"no keywords":           {one("trigger", `"url":"`+goodURL+`"`), []string{"problem " + sid + " The trigger webhook has no Configuration.Triggers"}, ""},
		"documented trigger":    {one("trigger", `"url":"`+goodURL+`","filters":["keyword1"]`), nil, ""},
		"no Flow":               {one("studio", `"filters":["onMessageAdded"]`), []string{"problem " + sid + " The studio webhook has no Configuration.FlowSid"}, ""},
		"a Flow without events": {one("studio", `"flow_sid":"FW1"`), []string{"warning " + sid + " The Flow has no Configuration.Filters"}, ""},
		"an event that does not exist": {one("webhook", `"url":"`+goodURL+`","filters":["onMessageSent","onMessageAdded"]`),
			[]string{"problem " + sid + ` The event "onMessageSent" does not exist: it never fires. Valid: onMessageAdded, `}, ""},
		"a pre-action event":   {one("webhook", `"url":"`+goodURL+`","filters":["onMessageRemove"]`), []string{"problem " + sid + " The event onMessageRemove exists for the account and its Services only, so this webhook never gets it. Use onMessageRemoved"}, ""},
		"an event of accounts": {one("webhook", `"url":"`+goodURL+`","filters":["onConversationAdded"]`), []string{"problem " + sid + " The event onConversationAdded exists for the account"}, ""},
		"an event that does not exist, of the account": {account{accountPath: `{"account_sid":"AC1","post_webhook_url":"` + goodURL + `b","filters":["onUserAdded","onFoo"]}`},
			[]string{`problem  The account's configuration has the event "onFoo", which does not exist`}, ""},
		"a URL of the account": {account{accountPath: `{"account_sid":"AC1","post_webhook_url":"https://10.0.0.1/"}`}, []string{"problem  A URL in the account's configuration has the address 10.0.0.1"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result, _ := healthy(row.changes).run(t, "")
			got := problems(result)
			require.Len(t, got, len(row.want), got)
			for i, want := range row.want {
				require.True(t, strings.HasPrefix(got[i], want), "%s\n%s", want, got[i])
			}
			require.Contains(t, notes(result), row.note)
		})
	}
}

func TestACheckFindsURLsThatTwilioCannotOrWillNotCall(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://example.com":                 "",
		"https://example.com:8443/a?b=%20c":   "",
		"https://93.184.215.14/":              "",
		"https://[2606:2800:21f::1]/":         "",
		"https://bücher.example.com/":         "",
		"http://example.com/":                 "problem is http",
		"https://localhost:8080/":             "problem has the local host localhost",
		"https://LocalHost./":                 "problem has the local host",
		"https://a.localhost/":                "problem has the local host",
		"https://mac.local/hook":              "problem has the local host",
		"https://server/":                     "problem has a host without a dot",
		"https://127.0.0.1/":                  "problem has the address 127.0.0.1",
		"https://10.1.2.3/":                   "problem has the address",
		"https://172.16.0.1/":                 "problem has the address",
		"https://192.168.1.1/":                "problem has the address",
		"https://169.254.169.254/latest":      "problem has the address",
		"https://100.64.0.1/":                 "problem has the address",
		"https://0.0.0.0/":                    "problem has the address",
		"https://[::1]/":                      "problem has the address",
		"https://[fd00::1]/":                  "problem has the address",
		"https://[fe80::1]/":                  "problem has the address",
		"https://[::ffff:127.0.0.1]/":         "problem has the address",
		"https://127.1/":                      "problem has a host that is neither",
		"https://2130706433/":                 "problem has a host without a dot",
		"https://example.com/?a=1&amp;b=2":    "problem contains &amp;",
		"https://example.com/a b":             "problem has white space",
		" https://example.com/":               "problem has white space",
		"[hook](https://example.com/)":        "problem looks like a Markdown link",
		"https://example.com/{id}":            "problem has characters",
		"example.com/hook":                    "problem is not an absolute https URL",
		"ftp://example.com/":                  "problem is not an absolute https URL",
		"https://user:hunter2@example.com/":   "warning has a user name or password",
		"https://example.com/#top":            "warning ends with a fragment",
		"https://example.com/#rc=2&x=1":       "warning ends with a fragment",
		"https://example.com/#rc=2&rp=5xx,ct": "note has connection overrides",
	} {
		quoted, err := json.Marshal(address)
		require.NoError(t, err)
		result, _ := healthy(account{webhooksPath: webhookList(sid, `"webhook"`, `"url":`+string(quoted)+`,"filters":["onMessageAdded"]`)}).run(t, "")
		var got []string
		for _, f := range result.Findings {
			if text, found := strings.CutPrefix(f.Text, "The webhook's URL "); found {
				got = append(got, f.Severity+" "+text)
			}
		}
		if want == "" {
			require.Empty(t, got, address)
			continue
		}
		require.Len(t, got, 1, address)
		require.True(t, strings.HasPrefix(got[0], want), "%s: %s", address, got[0])
		all, err := json.Marshal(result)
		require.NoError(t, err)
		require.NotContains(t, string(all), "hunter2")
	}
}

func alert(no int, code, about, address, at string) string {
	return fmt.Sprintf(`{"sid":"NO%032d","error_code":"%s","log_level":"error","resource_sid":%s,"request_url":"%s","date_generated":"%s","alert_text":"x"}`, no, code, about, address, at)
}

func TestACheckGroupsTheAlertsAboutTheConversation(t *testing.T) {
	t.Parallel()
	other := strings.Replace(checkedCH, "CH0", "CH1", 1)
	newest := fmt.Sprintf("/v1/Alerts/NO%032d", 2)
	result, requests := healthy(account{
		alertsPath: `{"alerts":[` + strings.Join([]string{
			alert(1, "11217", "null", goodURL, "2026-11-26T10:00:00Z"),
			alert(2, "11217", `"`+checkedCH+`"`, "HTTPS://hook.example.com/a", "2026-11-26T12:00:00Z"),
			alert(3, "11217", `"IM0123456789abcdef0123456789abcdef"`, goodURL+"?EventType=onMessageAdded", "2026-11-26T11:00:00Z"),
			alert(4, "11205", `"`+sid+`"`, "https://old.example.com/", "2026-11-26T09:00:00Z"),
			alert(5, "11217", `"`+other+`"`, goodURL, "2026-11-26T12:30:00Z"),
			alert(6, "30007", `"SM0123456789abcdef0123456789abcdef"`, "https://other.example.com/", "2026-11-26T12:30:00Z"),
			strings.Replace(alert(7, "99999", "null", goodURL, "2026-11-26T08:00:00Z"), `"error"`, `"debug"`, 1),
		}, ",") + `]}`,
		newest: `{"sid":"NO00000000000000000000000000000002","alert_text":"Msg=x&httpResponse=502&ErrorCode=11217","response_body":"<h1>Bad\n gateway</h1>\u202e` + strings.Repeat("é", 300) + `"}`,
	}).run(t, `,"Hours":720`)
	require.EqualValues(t, 7, requests)
	require.Len(t, result.Alerts, 2)
	first := result.Alerts[0]
	require.Equal(t, schemas.AlertGroup{
		Webhook: sid, URL: goodURL, Code: "11217", Meaning: "the receiver answered 4xx or 5xx", Count: 3,
		First: "2026-11-26T10:00:00Z", Last: "2026-11-26T12:00:00Z", Response: first.Response,
	}, first)
	require.Equal(t, 502, first.Response.Status)
	require.True(t, strings.HasPrefix(first.Response.Body, "<h1>Bad  gateway</h1>é"))
	require.Len(t, []rune(first.Response.Body), 201, "with an ellipsis")
	require.Equal(t, "11205", result.Alerts[1].Code)
	require.Equal(t, []string{"problem " + sid + " In the last 720 hours, Twilio failed to call " + goodURL + " 3 times with code 11217 (the receiver answered 4xx or 5xx), " +
		"last at 2026-11-26T12:00:00Z; the receiver answered 502. Look at the receiver's log: 404 is the path, 401 and 403 a signature check or a firewall.",
	}, problems(result)[:1])
	require.Equal(t, []schemas.Unavailable{{What: "the newest alert with code 11205", Why: "Twilio refused: HTTP 404, code 20404: not found."}}, result.Unavailable)
	require.NotContains(t, notes(result), "Nothing is seen to be wrong")
}

func TestAlertsAreBounded(t *testing.T) {
	t.Parallel()
	var all []string
	for i := range 1000 {
		all = append(all, alert(i, fmt.Sprint(20000+i), "null", goodURL, fmt.Sprintf("2026-11-26T%02d:%02d:00Z", i/60, i%60)))
	}
	result, requests := healthy(account{
		alertsPath: `{"alerts":[` + strings.Join(all, ",") + `],"meta":{"next_page_url":"https://monitor.twilio.com/v1/Alerts?Page=1"}}`,
	}).run(t, "")
	require.EqualValues(t, 8, requests, "one page of alerts, and three alerts")
	require.Len(t, result.Alerts, 20)
	require.Contains(t, problems(result)[0], "Since 2026-11-26T00:00:00Z (only the newest 1000 alerts were read), Twilio failed")
	for _, g := range result.Alerts {
		require.Equal(t, 1, g.Count, "alerts of other codes are not counted")
	}
	require.Contains(t, result.Alerts[0].Meaning, "https://www.twilio.com/docs/api/errors/")
}

func TestWhatCannotBeReadIsUnavailableAndNotWrong(t *testing.T) {
	t.Parallel()
	result, _ := healthy(account{
		conversationPath: `{"sid":"` + checkedCH + `","state":"active"}`,
		webhooksPath:     `<html>sign in</html>`,
		accountPath:      `{"error":"denied"}`,
		alertsPath:       `<html>sign in</html>`,
	}).run(t, "")
	require.Empty(t, problems(result))
	require.NotContains(t, notes(result), "no failure is known")
	require.Contains(t, notes(result), "Nothing is seen to be wrong in the conversation's state. ")
	got := map[string]string{}
	for _, u := range result.Unavailable {
		got[u.What] = u.Why
	}
	require.Equal(t, map[string]string{
		"the conversation's webhooks":         "Twilio failed: HTTP 200: the response is not a JSON object; the response, which is not in Twilio's form, begins with \"sign in\".",
		"the account's webhook configuration": "Twilio failed: HTTP 200: the response has no account_sid.",
		"the service's webhook configuration": "The conversation has no chat_service_sid.",
		"the debugger's alerts":               "Twilio failed: HTTP 200: the response is not a JSON object; the response, which is not in Twilio's form, begins with \"sign in\".",
	}, got)
}

func TestARestrictedKeyIsTold(t *testing.T) {
	t.Parallel()
	a := healthy(nil)
	s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == alertsPath {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"code":70051,"message":"Authorization Failed","status":403}`)
			return
		}
		_, _ = io.WriteString(w, a[r.URL.Path])
	}))
	s.tools = choose(t, "all")
	content, _ := s.succeeds(checkAll, `{"ConversationSid":"`+checkedCH+`"}`)
	require.Equal(t, []any{map[string]any{"what": "the debugger's alerts",
		"why": "Twilio refused: HTTP 403, code 70051: Authorization Failed. The API key may lack the permission to read it."}}, content["unavailable"])
}

func TestAConversationThatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	s, _ := answering(t, http.StatusNotFound, `{"code":20404,"message":"not found","status":404}`)
	text, _ := s.fails(checkAll, `{"ConversationSid":"`+checkedCH+`"}`)
	require.Contains(t, text, "Check ConversationSid")
	text, _ = s.fails(checkAll, `{"ConversationSid":"x","Hours":721}`)
	require.Contains(t, text, "Hours must be at most 720, not 721.")
}

// The parts that do not answer cost the whole time of the call, and no more.
func TestACheckEndsInTime(t *testing.T) {
	t.Parallel()
	a := healthy(nil)
	hang := make(chan struct{})
	s := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != conversationPath && r.URL.Path != webhooksPath {
			<-hang
		}
		_, _ = io.WriteString(w, a[r.URL.Path])
	}), func(c *twilioapi.Config) { c.Timeout = 200 * time.Millisecond })
	t.Cleanup(func() { close(hang) })
	s.tools = choose(t, "all")
	content, _ := s.succeeds(checkAll, `{"ConversationSid":"`+checkedCH+`"}`)
	require.Len(t, content["unavailable"], 3)
}

// What others wrote cannot make a result odd, whatever it is.
func TestACheckShowsUntrustedTextAsShortText(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	result, _ := healthy(account{
		conversationPath: `{"sid":"` + checkedCH + `","friendly_name":"a\u200b\nb` + long + `","state":7,"chat_service_sid":"` + service + `"}`,
		webhooksPath:     webhookList(sid, `"webhook"`, `"url":7,"filters":"onMessageAdded"`, second, `7`, `"filters":["`+long+`",{}]`, second, `"webhook"`, `"url":"https://a.com/`+long+`","filters":["on\u0007`+long+`"]`),
	}).run(t, "")
	require.Equal(t, "a b"+long[:509]+"…", result.Conversation.FriendlyName)
	require.Equal(t, []string{"problem " + second + ` The event "on` + long[:38] + `…" does not exist: it never fires. Valid: ` + strings.Join(tools.Events(), ", ") + "."}, problems(result))
}

// The sandbox calls receivers on its own machine, which Twilio cannot.
func TestAReceiverOnThisMachineIsNoProblemInTheSandbox(t *testing.T) {
	t.Parallel()
	for address, isProblem := range map[string]bool{"http://127.0.0.1:8082/": false, "http://localhost/": false, "https://[::1]/": false, "http://10.0.0.1/": true} {
		hooks := webhookList(sid, `"webhook"`, `"url":"`+address+`","method":"POST","filters":["onMessageAdded"]`)
		result, _ := healthy(account{webhooksPath: hooks}).run(t, "")
		require.NotEmpty(t, problems(result), address)
		result, _ = healthy(account{webhooksPath: hooks,
			conversationPath: `{"sid":"` + checkedCH + `","state":"active","chat_service_sid":"` + service + `","sandbox_delivers_to":"loopback"}`}).run(t, "")
		require.Equal(t, isProblem, len(problems(result)) > 0, address)
		if !isProblem {
			require.Contains(t, notes(result), "the sandbox calls it, Twilio cannot")
		}
	}
}
