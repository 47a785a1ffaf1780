package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

func TestTwiliosRefusalsComeWithItsCodeAndAdvice(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		tool, arguments string
		code            int
		advice          string
	}{
		"no url":       {create, `"Target":"webhook","Configuration.Filters":["onMessageAdded"]`, 50369, "need Configuration.Url"},
		"no filters":   {create, `"Target":"webhook","Configuration.Url":"https://example.com"`, 50370, "onDeliveryUpdated"},
		"bad filter":   {create, `"Target":"webhook","Configuration.Url":"https://example.com","Configuration.Filters":["onMessageSent"]`, 50365, "Valid Configuration.Filters: onMessageAdded, "},
		"no triggers":  {create, `"Target":"trigger","Configuration.Url":"https://example.com"`, 50371, "at least one keyword"},
		"six triggers": {create, `"Target":"trigger","Configuration.Url":"https://example.com","Configuration.Triggers":["a","b","c","d","e","f"]`, 50362, "at most five"},
		"long trigger": {create, `"Target":"trigger","Configuration.Url":"https://example.com","Configuration.Triggers":["` + strings.Repeat("a", 249) + `"]`, 50366, "1 to 248"},
		"long url":     {create, `"Target":"trigger","Configuration.Url":"https://example.com/` + strings.Repeat("a", 500) + `","Configuration.Triggers":["a"]`, 50372, "at most 512"},
		"no flow":      {create, `"Target":"studio"`, 50367, "needs Configuration.FlowSid"},
		"bad token":    {list, `"Page":1,"PageToken":"x"`, 21481, "meta.next_page_url"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, details := inSandbox(t).fails(row.tool, `{"ConversationSid":"`+empty+`",`+row.arguments+`}`)
			require.Contains(t, text, "HTTP 400")
			require.Contains(t, text, row.advice)
			require.InDelta(t, row.code, details["code"], 0)
			require.InDelta(t, 400, details["status"], 0)
			require.Equal(t, false, details["retryable"])
			require.Regexp(t, "^RQ", details["request_id"])
			require.Contains(t, details["more_info"], "https://www.twilio.com/docs/errors/")
		})
	}
}

func TestANameThatIsNotThereMayBeElsewhere(t *testing.T) {
	t.Parallel()
	text, details := inSandbox(t).fails(list, `{"ConversationSid":"CH0123456789abcdef0123456789abcdef"}`)
	require.InDelta(t, 20404, details["code"], 0)
	require.Contains(t, text, "another account or another Service")
	require.Contains(t, text, full, "the sandbox names the conversations to try")
}

func TestTheSixthWebhookIsRefusedWithAWayOut(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	const arguments = `{"ConversationSid":"` + empty + `",` + flow + `}`
	for range 5 {
		s.succeeds(create, arguments)
	}
	for toolsets, want := range map[string]string{
		"webhooks": "Call list_conversation_webhooks: if one does what was asked for, use it. If not, tell the user that one must be deleted first, which these tools cannot do.",
		"all":      "use it. If another one is needed, ask the user which to change with update_conversation_webhook or to remove with delete_conversation_webhook.",
	} {
		s.tools = choose(t, toolsets)
		text, details := s.fails(create, arguments)
		require.InDelta(t, 50361, details["code"], 0)
		require.Contains(t, text, want)
	}
}

// The conversations of the sandbox that fail, and a Twilio that is not there.
func TestFailuresSayWhatIsKnownAndWhatToDo(t *testing.T) {
	t.Parallel()
	const lookFirst = "Do not create it again yet: wait ten seconds, then call ensure_conversation_webhook with the same arguments, once: "
	unchanged := func(*twilioapi.Config) {}
	gone := func(c *twilioapi.Config) { c.BaseURL = "http://127.0.0.1:1" }
	refusing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(429)
		_, _ = io.WriteString(w, `{"code":20429,"message":"Too Many Requests"}`)
	})
	failing := sandbox.New(sandbox.Options{})
	for name, row := range map[string]struct {
		twilio       http.Handler
		change       func(*twilioapi.Config)
		tool, digits string
		want         []string
		details      map[string]any
	}{
		"too many": {
			refusing, unchanged, create, "999",
			[]string{"HTTP 429, code 20429: Too Many Requests. Nothing was done. Retry after 3600 s."},
			map[string]any{"status": 429.0, "retryable": true},
		},
		"not applied": {
			failing, unchanged, create, "503",
			[]string{"HTTP 503, code 20503", "was not found so far, but Twilio may still create it. " + lookFirst},
			map[string]any{"status": 503.0, "retryable": false},
		},
		"no answer": {
			scripted(200, `{"webhooks":[]}`, 0, ""), unchanged, create, "999",
			[]string{"Twilio did not answer: ", "not found so far", lookFirst},
			map[string]any{"attempts": 1.0, "retryable": false},
		},
		"no answer to a list": {
			scripted(0, "", 0, ""), unchanged, list, "999",
			[]string{"Twilio did not answer: ", " attempts. Try again later."},
			map[string]any{"retryable": true},
		},
		"a timeout": {
			failing, func(c *twilioapi.Config) { c.Timeout = 50 * time.Millisecond }, list, "000",
			[]string{"timed out"},
			map[string]any{"message": "timed out", "retryable": true},
		},
		"not reached": {
			failing, gone, create, "000",
			[]string{"Twilio was not reached, and nothing was done", "after 4 attempts"},
			map[string]any{"attempts": 4.0, "retryable": true},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arguments := `{"ConversationSid":"CH` + strings.Repeat("0", 29) + row.digits + `"`
			if row.tool == create {
				arguments += "," + flow
			}
			text, details := connect(t, row.twilio, row.change).fails(row.tool, arguments+"}")
			for _, want := range row.want {
				require.Contains(t, text, want)
			}
			for key, want := range row.details {
				require.Equal(t, want, details[key], key)
			}
		})
	}
}

// What is between the server and Twilio answers in its own words.
func TestAResponseOfSomethingElseIsNotExplainedAsTwilios(t *testing.T) {
	t.Parallel()
	const page = "<!DOCTYPE html><html><head><title>403</title><style>p{color:red}</style></head>\n<body><h1>Request blocked</h1><p>by <b>the</b> firewall</p><script>alert(1)</script></body></html>"
	for name, row := range map[string]struct {
		status int
		body   string
		want   []string
	}{
		"a CDN": {403, page, []string{
			"Refused, perhaps not by Twilio: HTTP 403; the response, which is not in Twilio's form, begins with \"Request blocked by the firewall\". " +
				"This does not look like a response of Twilio's API: a proxy, a CDN or a firewall may have sent it.",
			" If Twilio did send it: The server's credentials do not allow this.",
		}},
		"an egress proxy": {403, `{"error":"access_denied","reason":"Host not in allowlist"}`, []string{`begins with "{\"error\":\"access_denied\",\"reason\":\"Host not in allowlist\"}". This does`}},
		"a gateway":       {403, `{"message":"Forbidden"}`, []string{"Refused, perhaps not by Twilio: HTTP 403: Forbidden. This does not look like"}},
		"nginx":           {404, "<html>\r\n<center><h1>404 Not Found</h1></center>\r\n<hr><center>nginx</center>", []string{`begins with "404 Not Found nginx". This does`, "TWILIO_BASE_URL. If Twilio did send it: Check ConversationSid"}},
		"a proxy":         {407, "", []string{"Refused, perhaps not by Twilio: HTTP 407. The proxy between the server and Twilio wants credentials."}},
		"blocked":         {451, "Unavailable in your country", []string{`begins with "Unavailable in your country". Something between the server and Twilio blocks this place`}},
		"a redirect":      {302, "", []string{"Refused, perhaps not by Twilio: HTTP 302. This does not look like"}},
		"a portal":        {200, "<html><body>Sign in\u202e to\x00 the Wi-Fi", []string{`HTTP 200: the response is not a JSON object; the response, which is not in Twilio's form, begins with "Sign in  to  the Wi-Fi". This does not look like`}},
		"a long page":     {404, strings.Repeat("é", 300), []string{`begins with "` + strings.Repeat("é", 200) + `…".`}},
		"an endless tag":  {404, strings.Repeat("<script", 10_000), []string{"HTTP 404. This does not look like"}},
		"too many":        {429, page, []string{"Twilio refused: HTTP 429 after 4 attempts; ", "Nothing was done. Retry after a few seconds."}},
	} {
		text, details := connect(t, scripted(row.status, row.body, 0, "")).fails(list, every[list])
		for _, want := range row.want {
			require.Contains(t, text, want, name)
		}
		require.Equal(t, row.status == 429, details["retryable"], name)
		require.NotContains(t, text, "Try again", name)
		require.NotContains(t, text, "alert(1)", name)
	}
}

// What the arguments show is said before the general advice.
func TestARefusalNamesWhatIsWrongInTheArguments(t *testing.T) {
	t.Parallel()
	text, _ := inSandbox(t).fails(create, `{"ConversationSid":"`+empty+`","Target":"webhook","Configuration.Url":"https://example.com","Configuration.Filters":["onMessageAdded","onMessageSent","x\n"]}`)
	require.Contains(t, text, `There is no event "onMessageSent", "x\n". Valid Configuration.Filters: `)
	for conversation, want := range map[string]string{
		"IS0123456789abcdef0123456789abcdef": "IS0123456789abcdef0123456789abcdef is the SID of a Conversation Service, not of a conversation. Check ConversationSid",
		"MB0123456789abcdef0123456789abcdef": "is the SID of a participant, not of a conversation. ",
		"+15558675310":                       `ConversationSid looks like a phone number, "+15558675310": a conversation is named by its SID`,
		"whatsapp:+1 (555) 867-5310":         `ConversationSid looks like a phone number, "whatsapp:+1 (555) 867-5310": `,
		"CH0123456789abcdef0123456789abcdef": "). Check ConversationSid",
		"ISABEL":                             "). Check ConversationSid",
		"a":                                  "). Check ConversationSid",
		"+1":                                 "). Check ConversationSid",
	} {
		text, _ := connect(t, scripted(404, `{"code":20404,"message":"(none)"}`, 0, "")).fails(list, `{"ConversationSid":"`+conversation+`"}`)
		require.Contains(t, text, strings.Replace(want, "). ", "(none). ", 1))
	}
}

// every has valid arguments for each tool.
var every = map[string]string{
	list:   `{"ConversationSid":"CH0123456789abcdef0123456789abcdef"}`,
	create: `{"ConversationSid":"CH0123456789abcdef0123456789abcdef",` + flow + `}`,
	ensure: `{"ConversationSid":"CH0123456789abcdef0123456789abcdef",` + flow + `}`,
	fetch:  `{"ConversationSid":"CH0123456789abcdef0123456789abcdef","Sid":"` + sid + `"}`,
	update: `{"ConversationSid":"CH0123456789abcdef0123456789abcdef","Sid":"` + sid + `","Configuration.Url":"https://example.com"}`,
	remove: `{"ConversationSid":"CH0123456789abcdef0123456789abcdef","Sid":"` + sid + `"}`,
}

func TestMissingCredentialsAreAToolError(t *testing.T) {
	t.Parallel()
	s := connect(t, unreachable(t), func(c *twilioapi.Config) {
		c.Credentials = func() (twilioapi.Credentials, error) {
			return twilioapi.Credentials{}, errors.New("set the variables")
		}
	})
	for tool, arguments := range every {
		text, details := s.fails(tool, arguments)
		require.Equal(t, "Nothing was sent: set the variables.", text, tool)
		require.Equal(t, false, details["retryable"], tool)
	}
}

func TestAnUnknownConversationIsRefusedByEveryTool(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	for tool, arguments := range every {
		text, details := s.fails(tool, arguments)
		require.InDelta(t, 20404, details["code"], 0, tool)
		require.Contains(t, text, "tell the user, and do not use a different one.", tool)
		require.Equal(t, false, details["retryable"], tool)
	}
}

func TestACallOfACancelledContextSendsNothing(t *testing.T) {
	t.Parallel()
	s := connect(t, unreachable(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tool := range s.tools {
		result, info := tool.Call(ctx, s.twilio, tools.Request{Arguments: json.RawMessage(every[tool.Definition.Name])})
		require.True(t, result.IsError)
		require.Contains(t, texts(t, result)[0], "Nothing was sent", tool.Definition.Name)
		require.Zero(t, info, tool.Definition.Name)
	}
}

// The log line of a call is made of it.
func TestACallIsDescribedAfterSuccessAndFailure(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	for _, tool := range s.tools {
		_, info := tool.Call(t.Context(), s.twilio, tools.Request{Arguments: json.RawMessage(every[tool.Definition.Name])})
		require.Equal(t, 404, info.Status, tool.Definition.Name)
		require.Equal(t, 20404, info.Code, tool.Definition.Name)
		require.Regexp(t, "^RQ", info.RequestID, tool.Definition.Name)
	}
	_, info := s.tools[0].Call(t.Context(), s.twilio, tools.Request{Arguments: json.RawMessage(`{"ConversationSid":"` + full + `"}`)})
	require.Equal(t, 200, info.Status)
	require.Equal(t, 1, info.Attempts)
	_, info = s.tools[0].Call(t.Context(), s.twilio, tools.Request{Arguments: json.RawMessage(`{"x":1}`)})
	require.Zero(t, info)
}

// What is visible of credentials tells whether they are those that were meant. No secret
// is.
func TestWrongCredentialsNameTheSettingsAndWhatIsVisible(t *testing.T) {
	t.Parallel()
	digits := strings.Repeat("0", 28)
	for _, row := range []struct{ username, password, want string }{
		{"someone", "hunter2", "The username that was sent has 7 characters and is neither an API key's SID nor an account SID."},
		{"hunter2", "SK" + digits + "abcd", "The username that was sent has 7 characters and is neither an API key's SID nor an account SID."},
		{"SK" + digits + "abcd", "hunter2" + strings.Repeat("x", 25), "The API key that was sent is SK...abcd, with a secret of 32 characters."},
		{"SK" + digits + "abcd", "hunter2", "The API key that was sent is SK...abcd, with a secret of 7 characters, where Twilio's have 32."},
		{"AC" + digits + "12ef", "hunter2", "The account SID that was sent is AC...12ef, with a secret of 7 characters, where Twilio's have 32."},
	} {
		refuses := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"code":20003,"message":"Authenticate","status":401}`)
		})
		s := connect(t, refuses, func(c *twilioapi.Config) {
			c.Credentials = func() (twilioapi.Credentials, error) {
				return twilioapi.Credentials{Username: row.username, Password: row.password}, nil
			}
		})
		text, details := s.fails(list, `{"ConversationSid":"`+full+`"}`)
		require.Contains(t, text, "HTTP 401, code 20003: Authenticate. "+row.want+" Ask the user")
		require.Contains(t, text, "TWILIO_API_KEY")
		require.NotContains(t, text, "hunter2")
		require.NotContains(t, text, digits)
		require.InDelta(t, 401, details["status"], 0)
	}
}
