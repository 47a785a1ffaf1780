package tools_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const (
	list   = "list_conversation_webhooks"
	create = "create_conversation_webhook"
	full   = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	empty  = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// connect returns an MCP client of the tools, which call the given Twilio over
// TCP.
func connect(t *testing.T, twilio http.Handler, change ...func(*twilioapi.Config)) *client.Client {
	t.Helper()
	srv := httptest.NewServer(twilio)
	t.Cleanup(srv.Close)
	config := twilioapi.Config{BaseURL: srv.URL, Credentials: func(context.Context) (twilioapi.Credentials, error) {
		return twilioapi.Credentials{Username: "SK1", Password: "secret"}, nil
	}, Sleep: func(context.Context, time.Duration) error { return nil }}
	for _, c := range change {
		c(&config)
	}
	api, err := twilioapi.New(config)
	require.NoError(t, err)
	s := server.NewMCPServer("test", "1", server.WithToolCapabilities(false))
	s.AddTools(tools.All(api)...)
	c, err := client.NewInProcessClient(s)
	require.NoError(t, err)
	require.NoError(t, c.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, c.Close()) })
	_, err = c.Initialize(t.Context(), mcp.InitializeRequest{})
	require.NoError(t, err)
	return c
}

// inSandbox connects to a sandbox whose clock stands still, so that no second ends
// between two looks of a create that is settled.
func inSandbox(t *testing.T) *client.Client {
	t.Helper()
	fixed := time.Now()
	return connect(t, sandbox.New(sandbox.Options{Now: func() time.Time { return fixed }}))
}

// call returns the text and the whole result of one call.
func call(t *testing.T, c *client.Client, tool, arguments string) (string, *mcp.CallToolResult) {
	t.Helper()
	result, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, RawArguments: json.RawMessage(arguments)}})
	require.NoError(t, err)
	require.Len(t, result.Content, 1)
	text, ok := mcp.AsTextContent(result.Content[0])
	require.True(t, ok)
	return text.Text, result
}

// refused makes a call that must fail, and returns its words and facts.
func refused(t *testing.T, c *client.Client, tool, arguments string) (string, map[string]any) {
	t.Helper()
	text, result := call(t, c, tool, arguments)
	require.True(t, result.IsError, text)
	require.Nil(t, result.StructuredContent, "clients check it against the output schema and hide the error")
	return text, result.Meta.AdditionalFields["error"].(map[string]any)
}

// TestTwilioIsPassedThrough: unknown fields, nulls, precision, order and
// characters that Go likes to escape all survive.
func TestTwilioIsPassedThrough(t *testing.T) {
	t.Parallel()
	const answer = `{"webhooks": [{"url": "https://example.com/?a=1&b=<2>", "new": 9007199254740993, "configuration": null}], "meta": {"page": 1.50}}`
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, answer) }))
	text, result := call(t, c, list, `{"ConversationSid":"x"}`)
	require.False(t, result.IsError)
	require.Equal(t, `{"webhooks":[{"url":"https://example.com/?a=1&b=<2>","new":9007199254740993,"configuration":null}],"meta":{"page":1.50}}`, text)
	require.JSONEq(t, answer, string(result.RawStructuredContent))
	require.Contains(t, string(result.RawStructuredContent), "9007199254740993")
}

func TestTheSandboxesThreeWebhooksAreListed(t *testing.T) {
	t.Parallel()
	c := inSandbox(t)
	for _, name := range []string{full, "support/42"} {
		_, result := call(t, c, list, `{"ConversationSid":"`+name+`"}`)
		require.False(t, result.IsError)
		require.Len(t, result.StructuredContent.(map[string]any)["webhooks"], 3)
	}
}

func TestAListIsContinuedWithPageAndPageToken(t *testing.T) {
	t.Parallel()
	c := inSandbox(t)
	_, first := call(t, c, list, `{"ConversationSid":"`+full+`","PageSize":2}`)
	next := first.StructuredContent.(map[string]any)["meta"].(map[string]any)["next_page_url"].(string)
	_, token, _ := strings.Cut(next, "PageToken=")
	_, second := call(t, c, list, `{"ConversationSid":"`+full+`","PageSize":2,"Page":1,"PageToken":"`+token+`"}`)
	require.Len(t, second.StructuredContent.(map[string]any)["webhooks"], 1)
	require.Nil(t, second.StructuredContent.(map[string]any)["meta"].(map[string]any)["next_page_url"])
}

func TestEachTargetIsCreated(t *testing.T) {
	t.Parallel()
	for _, arguments := range []string{
		`"Target":"webhook","Configuration.Url":"https://example.com/a?b=c&d","Configuration.Method":"get","Configuration.Filters":["onMessageAdded","onParticipantAdded"],"Configuration.ReplayAfter":0`,
		`"Target":"trigger","Configuration.Url":"https://example.com","Configuration.Triggers":["help","ünï"]`,
		`"Target":"studio","Configuration.FlowSid":"FW0123456789abcdefABCDEF0123456789"`,
		`"Target":"studio","Configuration.FlowSid":"FW0123456789abcdefABCDEF0123456789","Configuration.ReplayAfter":5.0`,
	} {
		c := inSandbox(t)
		text, result := call(t, c, create, `{"ConversationSid":"`+empty+`",`+arguments+`}`)
		require.False(t, result.IsError, text)
		require.Regexp(t, `^WH[0-9a-f]{32}$`, result.StructuredContent.(map[string]any)["sid"])
		_, listed := call(t, c, list, `{"ConversationSid":"`+empty+`"}`)
		require.Equal(t, []any{result.StructuredContent}, listed.StructuredContent.(map[string]any)["webhooks"])
	}
}

// unreachable is a Twilio that must not be called.
func unreachable(t *testing.T) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s %s", r.Method, r.URL) })
}

func TestArgumentsThatDoNotFitAreNotSent(t *testing.T) {
	t.Parallel()
	const listNames = "ConversationSid, Page, PageSize, PageToken"
	for name, row := range map[string]struct {
		tool, arguments string
		want            []string
	}{
		"an array":        {list, `[]`, []string{"The arguments must be an object, not an array."}},
		"a string":        {list, `"x"`, []string{"The arguments must be an object, not a string."}},
		"null":            {list, `null`, []string{"ConversationSid is required."}},
		"missing":         {create, ``, []string{"ConversationSid is required.", "Target is required."}},
		"unknown":         {list, `{"ConversationSid":"x","sort":1}`, []string{`"sort" is not a parameter; use ` + listNames + "."}},
		"wrong case":      {list, `{"conversationsid":"x"}`, []string{`"conversationsid" is not a parameter; use ConversationSid.`, "ConversationSid is required."}},
		"underscore":      {create, `{"ConversationSid":"x","Target":"webhook","Configuration_Url":"u"}`, []string{`"Configuration_Url" is not a parameter; use Configuration.Url.`}},
		"half a name":     {create, `{"ConversationSid":"x","Target":"studio","flow_sid":"u","url":"v","sid":1}`, []string{`"flow_sid" is not a parameter; use Configuration.FlowSid.`, `"url" is not a parameter; use Configuration.Url.`, `"sid" is not a parameter; use Configuration.Filters, `}},
		"nested":          {create, `{"ConversationSid":"x","Target":"webhook","Configuration":{"Url":"u"}}`, []string{`"Configuration" is not a parameter; use Configuration.Filters, Configuration.FlowSid, `}},
		"number for text": {list, `{"ConversationSid":5}`, []string{"ConversationSid must be a string, not a number."}},
		"null for text":   {list, `{"ConversationSid":null}`, []string{"ConversationSid must be a string, not null (leave out what you do not set)."}},
		"text for number": {list, `{"ConversationSid":"x","PageSize":"5"}`, []string{"PageSize must be an integer, not a string."}},
		"fraction":        {list, `{"ConversationSid":"x","Page":1.5}`, []string{"Page must be an integer, not a fraction."}},
		"boolean":         {list, `{"ConversationSid":"x","Page":true}`, []string{"Page must be an integer, not a boolean."}},
		"too small":       {list, `{"ConversationSid":"x","PageSize":0,"Page":-1}`, []string{"PageSize must be at least 1, not 0.", "Page must be at least 0, not -1."}},
		"too large":       {list, `{"ConversationSid":"x","PageSize":6}`, []string{"PageSize must be at most 5, not 6."}},
		"beyond 64 bits":  {create, `{"ConversationSid":"x","Target":"studio","Configuration.ReplayAfter":9223372036854775808}`, []string{"Configuration.ReplayAfter is out of range"}},
		"a negative one":  {create, `{"ConversationSid":"x","Target":"studio","Configuration.ReplayAfter":-99999999999999999999}`, []string{"Configuration.ReplayAfter is out of range"}},
		"a costly number": {list, `{"ConversationSid":"x","Page":1e300}`, []string{"Page is out of range"}},
		"a tiny number":   {list, `{"ConversationSid":"x","Page":1.5e-300}`, []string{"Page must be an integer"}},
		"a tinier number": {list, `{"ConversationSid":"x","Page":1e-999999999999}`, []string{"Page must be an integer, not a fraction."}},
		"almost 5":        {list, `{"ConversationSid":"x","PageSize":4.99999999999999999999}`, []string{"PageSize must be an integer, not a fraction."}},
		"one sentence":    {list, `{"ConversationSid":"x","PageSize":99999999999999999999}`, []string{" do not fit. PageSize is out of range; numbers go from -9223372036854775808 to 9223372036854775807."}},
		"the twelfth keyword": {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":[0,"","","","","","","","","",1,2]}`, []string{
			"Triggers[0] must be a string, not a number. Configuration.Triggers[10] must be a string, not a number. Configuration.Triggers[11]"}},
		"enum case":           {create, `{"ConversationSid":"x","Target":"Webhook"}`, []string{`Target must be webhook, trigger or studio, not "Webhook".`}},
		"method case":         {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Method":"POST"}`, []string{`Configuration.Method must be get or post, not "POST".`}},
		"text for list":       {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Filters":"onMessageAdded"}`, []string{"Configuration.Filters must be an array of strings, not a string."}},
		"list of numbers":     {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":["a",1]}`, []string{"Configuration.Triggers[1] must be a string, not a number."}},
		"pattern":             {create, `{"ConversationSid":"x","Target":"studio","Configuration.FlowSid":"FWx"}`, []string{"Configuration.FlowSid must have at least 34 characters, not 3.", "Configuration.FlowSid must match ^FW[0-9a-fA-F]{32}$."}},
		"empty":               {list, `{"ConversationSid":""}`, []string{"ConversationSid must not be empty."}},
		"a dot":               {list, `{"ConversationSid":".."}`, []string{`ConversationSid must not be empty, "." or ".."`}},
		"too many items":      {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Filters":[` + strings.Repeat("1,", 100_000) + `1]}`, []string{"Configuration.Filters has 100001 items; more than 100 are too many.", "And 8"}},
		"too deep":            {list, `{"ConversationSid":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, []string{"ConversationSid must be a string, not an array."}},
		"twice":               {create, `{"ConversationSid":"x","Target":"webhook","Target":"studio"}`, []string{`Target is given twice; give it once.`}},
		"half a surrogate":    {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Url":"a\ud800b"}`, []string{"Configuration.Url must be Unicode text"}},
		"the other half":      {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":["\\\\\udc00"]}`, []string{"Configuration.Triggers[0] must be Unicode text"}},
		"two high halves":     {list, `{"ConversationSid":"\ud83d\ud83d\ude00"}`, []string{"ConversationSid must be Unicode text"}},
		"bytes that are none": {list, "{\"ConversationSid\":\"\xff\"}", []string{"ConversationSid must be Unicode text"}},
		"a surrogate name":    {list, `{"ConversationSid":"x","\ud800":1}`, []string{"The arguments must be Unicode text", "is not a parameter"}},
		"a long wrong word":   {create, `{"ConversationSid":"x","Target":"` + strings.Repeat("w", 1<<20) + `"}`, []string{`Target must be webhook, trigger or studio, not "` + strings.Repeat("w", 40) + `…".`}},
		"all at once": {create, `{"target":1,"Configuration.Method":"PUT","Configuration.Filters":[1],"Configuration.ReplayAfter":"7"}`, []string{
			`"target" is not a parameter; use Target.`, `Configuration.Method must be get or post, not "PUT".`, "Configuration.Filters[0] must be a string, not a number.",
			"Configuration.ReplayAfter must be an integer, not a string.", "ConversationSid is required.", "Target is required."}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, fact := refused(t, connect(t, unreachable(t)), row.tool, row.arguments)
			for _, want := range row.want {
				require.Contains(t, text, want)
			}
			require.Contains(t, text, "Nothing was sent")
			require.Less(t, len(text), 2000)
			require.Equal(t, false, fact["retryable"])
			require.NotEmpty(t, fact["message"])
		})
	}
}

func TestManyProblemsAreCounted(t *testing.T) {
	t.Parallel()
	arguments := map[string]any{"ConversationSid": "x"}
	for i := range 1000 {
		arguments["n"+strings.Repeat("x", i)] = 1
	}
	raw, err := json.Marshal(arguments)
	require.NoError(t, err)
	text, _ := refused(t, connect(t, unreachable(t)), list, string(raw))
	require.True(t, strings.HasSuffix(text, "And 980 more."), text)
}

func TestUnicodeIsSentAsItIs(t *testing.T) {
	t.Parallel()
	got := make(chan *http.Request, 1)
	c := connect(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		got <- r
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, "{}")
	}))
	_, result := call(t, c, create, `{"ConversationSid":"caf\u00e9 \ud83d\ude00","Target":"trigger","Configuration.Triggers":["\"\\u","\u0000"]}`)
	require.False(t, result.IsError)
	r := <-got
	require.Equal(t, "/v1/Conversations/café 😀/Webhooks", r.URL.Path)
	require.Equal(t, []string{`"\u`, "\x00"}, r.PostForm["Configuration.Triggers"])
}

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
			text, fact := refused(t, inSandbox(t), row.tool, `{"ConversationSid":"`+empty+`",`+row.arguments+`}`)
			require.Contains(t, text, "HTTP 400")
			require.Contains(t, text, row.advice)
			require.InDelta(t, row.code, fact["code"], 0)
			require.InDelta(t, 400, fact["status"], 0)
			require.Equal(t, false, fact["retryable"])
			require.Regexp(t, "^RQ", fact["request_id"])
			require.Contains(t, fact["more_info"], "https://www.twilio.com/docs/errors/")
		})
	}
}

func TestANameThatIsNotThereMayBeElsewhere(t *testing.T) {
	t.Parallel()
	text, fact := refused(t, inSandbox(t), list, `{"ConversationSid":"CH0123456789abcdef0123456789abcdef"}`)
	require.InDelta(t, 20404, fact["code"], 0)
	require.Contains(t, text, "another account or another Service")
	require.Contains(t, text, full, "the sandbox names the conversations to try")
}

func TestTheSixthWebhookIsRefusedWithAWayOut(t *testing.T) {
	t.Parallel()
	c := inSandbox(t)
	const arguments = `{"ConversationSid":"` + empty + `","Target":"studio","Configuration.FlowSid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`
	for range 5 {
		_, result := call(t, c, create, arguments)
		require.False(t, result.IsError)
	}
	text, fact := refused(t, c, create, arguments)
	require.InDelta(t, 50361, fact["code"], 0)
	require.Contains(t, text, "if one does what was asked, use it")
}

// The magic conversations of the sandbox, and a Twilio that is not there.
func TestFailuresSayWhatIsKnownAndWhatToDo(t *testing.T) {
	t.Parallel()
	const lookFirst = "Do not create it again yet: call list_conversation_webhooks, ten seconds from now or later."
	soon := func(c *twilioapi.Config) { c.Timeout = 100 * time.Millisecond }
	gone := func(c *twilioapi.Config) { c.BaseURL = "http://127.0.0.1:1" }
	refusing := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(429)
		_, _ = io.WriteString(w, `{"code":20429,"message":"Too Many Requests"}`)
	})
	silent := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body) // or the server never sees the client go
			<-r.Context().Done()
		}
		_, _ = io.WriteString(w, `{"webhooks":[]}`)
	})
	inSandbox := sandbox.New(sandbox.Options{})
	for name, row := range map[string]struct {
		twilio       http.Handler
		change       func(*twilioapi.Config)
		tool, digits string
		want         []string
		fact         map[string]any
	}{
		"too many":            {refusing, soon, create, "999", []string{"HTTP 429, code 20429: Too Many Requests. Nothing was done. Repeat the call after 3600 s."}, map[string]any{"status": 429.0, "retryable": true}},
		"not applied":         {inSandbox, soon, create, "503", []string{"HTTP 503, code 20503", "was not found so far, but Twilio may still make it. " + lookFirst}, map[string]any{"status": 503.0, "retryable": false}},
		"no answer":           {silent, soon, create, "000", []string{"Twilio did not answer: time ran out.", "not found so far", lookFirst}, map[string]any{"attempts": 1.0, "retryable": false}},
		"no answer to a list": {inSandbox, soon, list, "000", []string{"Twilio did not answer: time ran out. Try again in a while."}, map[string]any{"retryable": true}},
		"not reached":         {inSandbox, gone, create, "000", []string{"Twilio was not reached, and nothing was done", "after 4 attempts"}, map[string]any{"attempts": 4.0, "retryable": true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arguments := `{"ConversationSid":"CH` + strings.Repeat("0", 29) + row.digits + `"`
			if row.tool == create {
				arguments += `,"Target":"studio","Configuration.FlowSid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`
			}
			text, fact := refused(t, connect(t, row.twilio, row.change), row.tool, arguments+"}")
			for _, want := range row.want {
				require.Contains(t, text, want)
			}
			for key, want := range row.fact {
				require.Equal(t, want, fact[key], key)
			}
		})
	}
}

func TestACreateThatTwilioRefusedForNowIsMadeInTheEnd(t *testing.T) {
	t.Parallel()
	c := inSandbox(t)
	const name = "CH00000000000000000000000000000429"
	_, result := call(t, c, create, `{"ConversationSid":"`+name+`","Target":"studio","Configuration.FlowSid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`)
	require.False(t, result.IsError)
	_, result = call(t, c, list, `{"ConversationSid":"`+name+`"}`)
	require.Len(t, result.StructuredContent.(map[string]any)["webhooks"], 1)
}

func TestACreateThatWasSettledIsMarked(t *testing.T) {
	t.Parallel()
	c := inSandbox(t)
	const name = "CH00000000000000000000000000000502"
	result, err := c.CallTool(t.Context(), mcp.CallToolRequest{Params: mcp.CallToolParams{Name: create, RawArguments: json.RawMessage(
		`{"ConversationSid":"` + name + `","Target":"studio","Configuration.FlowSid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`)}})
	require.NoError(t, err)
	require.False(t, result.IsError)
	require.Len(t, result.Content, 2)
	note, ok := mcp.AsTextContent(result.Content[1])
	require.True(t, ok)
	require.Contains(t, note.Text, "Settled by listing")
	require.Equal(t, true, result.Meta.AdditionalFields["settled"])
	_, listed := call(t, c, list, `{"ConversationSid":"`+name+`"}`)
	require.Equal(t, []any{result.StructuredContent}, listed.StructuredContent.(map[string]any)["webhooks"])
}

func TestMissingCredentialsAreAToolError(t *testing.T) {
	t.Parallel()
	c := connect(t, unreachable(t), func(c *twilioapi.Config) {
		c.Credentials = func(context.Context) (twilioapi.Credentials, error) {
			return twilioapi.Credentials{}, errors.New("set the variables")
		}
	})
	text, fact := refused(t, c, list, `{"ConversationSid":"x"}`)
	require.Equal(t, "Nothing was sent: set the variables.", text)
	require.Equal(t, false, fact["retryable"])
}

func TestWrongCredentialsNameTheSettings(t *testing.T) {
	t.Parallel()
	c := connect(t, sandbox.New(sandbox.Options{}), func(c *twilioapi.Config) {
		c.Credentials = func(context.Context) (twilioapi.Credentials, error) {
			return twilioapi.Credentials{Username: "someone", Password: "hunter2"}, nil
		}
	})
	text, fact := refused(t, c, list, `{"ConversationSid":"`+full+`"}`)
	require.Contains(t, text, "HTTP 401, code 20003: Authenticate.")
	require.Contains(t, text, "TWILIO_API_KEY")
	require.NotContains(t, text, "hunter2")
	require.InDelta(t, 401, fact["status"], 0)
}

func TestToolsAreDescribedAndAnnotated(t *testing.T) {
	t.Parallel()
	all := tools.All(nil)
	require.Len(t, all, 2)
	for _, tool := range all {
		readOnly := tool.Tool.Name == list
		require.NotEmpty(t, tool.Tool.Title)
		require.NotEmpty(t, tool.Tool.Description)
		require.Equal(t, readOnly, *tool.Tool.Annotations.ReadOnlyHint)
		require.Equal(t, readOnly, *tool.Tool.Annotations.IdempotentHint)
		require.False(t, *tool.Tool.Annotations.DestructiveHint)
		require.True(t, *tool.Tool.Annotations.OpenWorldHint)
		for kind, schema := range map[string]json.RawMessage{"input": tool.Tool.RawInputSchema, "output": tool.Tool.RawOutputSchema} {
			published, err := os.ReadFile("../schemas/" + tool.Tool.Name + "." + kind + ".json")
			require.NoError(t, err)
			require.Equal(t, string(published), string(schema))
		}
	}
}

// The description of the parameter and the advice on code 50365 name the same
// events.
func TestTheEventNamesStandInTheSchemaToo(t *testing.T) {
	t.Parallel()
	text, _ := refused(t, inSandbox(t), create, `{"ConversationSid":"`+empty+`","Target":"webhook","Configuration.Url":"https://example.com"}`)
	_, events, ok := strings.Cut(text, "at least one of Configuration.Filters: ")
	require.True(t, ok)
	events, _, _ = strings.Cut(events, ".")
	require.Len(t, strings.Split(events, ", "), 10)
	schema, err := os.ReadFile("../schemas/create_conversation_webhook.input.json")
	require.NoError(t, err)
	require.Contains(t, string(schema), events)
}
