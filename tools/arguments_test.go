package tools_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// unreachable is a Twilio that must not be called.
func unreachable(t *testing.T) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("sent %s %s", r.Method, r.URL) })
}

func TestInvalidArgumentsAreNotSent(t *testing.T) {
	t.Parallel()
	const listNames = "ConversationSid, Page, PageSize, PageToken"
	for name, row := range map[string]struct {
		tool, arguments, want string
	}{
		"an array":         {list, `[1]`, "The arguments must be an object, not an array."},
		"a string":         {list, `"x"`, "The arguments must be an object, not a string."},
		"a number":         {list, `5`, "The arguments must be an object, not a number."},
		"a boolean":        {list, `true`, "The arguments must be an object, not a boolean."},
		"null":             {list, `null`, "ConversationSid is required."},
		"nothing":          {create, ``, "ConversationSid is required. Target is required."},
		"not JSON":         {list, `{"ConversationSid":x}`, "The arguments are not valid JSON: invalid character 'x' at start of value within \"/ConversationSid\" after offset 19."},
		"cut off":          {list, `{"ConversationSid":"x"`, "The arguments are not valid JSON: unexpected EOF"},
		"two values":       {list, `{"ConversationSid":"x"} {}`, "The arguments are not valid JSON: more than one value."},
		"unknown":          {list, `{"ConversationSid":"x","sort":1}`, "sort is not a parameter; use " + listNames + "."},
		"not a name":       {list, `{"ConversationSid":"x","a b\n":1}`, `"a b\n" is not a parameter; use ` + listNames + "."},
		"a long name":      {list, `{"ConversationSid":"x","` + strings.Repeat("n", 10_000) + `":1}`, `"` + strings.Repeat("n", 40) + `…" is not a parameter`},
		"wrong case":       {list, `{"conversationsid":"x"}`, "ConversationSid is required. conversationsid is not a parameter; use ConversationSid."},
		"case and again":   {list, `{"ConversationSid":"x","conversationSid":"y"}`, "conversationSid is not a parameter; use ConversationSid."},
		"underscore":       {create, `{"ConversationSid":"x","Target":"webhook","Configuration_Url":"u"}`, `"Configuration_Url" is not a parameter; use Configuration.Url.`},
		"part of a name":   {create, `{"ConversationSid":"x","Target":"studio","flow_sid":"u"}`, `"flow_sid" is not a parameter; use Configuration.FlowSid.`},
		"part of several":  {create, `{"ConversationSid":"x","Target":"studio","sid":"u"}`, `sid is not a parameter; use Configuration.Filters, `},
		"nested":           {create, `{"ConversationSid":"x","Target":"webhook","Configuration":{"Url":"u"}}`, `Configuration is not a parameter; use Configuration.Filters, Configuration.FlowSid, `},
		"number, required": {list, `{"ConversationSid":5}`, "ConversationSid must be a string, not a number."},
		"null, required":   {list, `{"ConversationSid":null}`, "ConversationSid must be a string, not null."},
		"empty, required":  {list, `{"ConversationSid":""}`, "ConversationSid must not be empty."},
		"an object":        {list, `{"ConversationSid":{"a":[1]}}`, "ConversationSid must be a string, not an object."},
		"too deep":         {list, `{"ConversationSid":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}`, "ConversationSid must be a string, not an array."},
		"an empty array":   {list, ` [ ] `, "ConversationSid is required."},
		"not an array":     {list, `[5`, "The arguments must be an object, not an array."},
		"string, integer":  {list, `{"ConversationSid":"x","PageSize":"five"}`, "PageSize must be an integer, not a string."},
		"text, fraction":   {list, `{"ConversationSid":"x","PageSize":"5.0","Page":"+5"}`, "Page must be an integer, not a string. PageSize must be an integer, not a string."},
		"text, too large":  {list, `{"ConversationSid":"x","PageSize":"6","Page":"-1"}`, "Page must be at least 0, not -1. PageSize must be at most 5, not 6."},
		"text, 64 bits":    {list, `{"ConversationSid":"x","PageSize":"9223372036854775808"}`, "PageSize is out of range: "},
		"text, commas":     {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":"a,b"}`, "Configuration.Triggers must be an array of strings, not a string."},
		"text, numbers":    {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":"[1]"}`, "Configuration.Triggers must be an array of strings, not a string."},
		"text, null":       {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":"[null]"}`, "Configuration.Triggers must be an array of strings, not a string."},
		"text, an object":  {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":"{\"a\":1}"}`, "Configuration.Triggers must be an array of strings, not a string."},
		"text, no items":   {update, `{"ConversationSid":"x","Sid":"` + sid + `","Configuration.Filters":"[]"}`, "Configuration.Filters must not be empty."},
		"text, many items": {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":"[` + strings.Repeat(`\"a\",`, 100) + `\"a\"]"}`, "Configuration.Triggers must be an array of strings, not a string."},
		"empty, integer":   {list, `{"ConversationSid":"x","PageSize":""}`, "PageSize must be an integer, not a string."},
		"a fraction":       {list, `{"ConversationSid":"x","Page":1.5}`, "Page must be an integer, not a fraction."},
		"almost 5":         {list, `{"ConversationSid":"x","PageSize":4.99999999999999999999}`, "PageSize must be an integer, not a fraction."},
		"true":             {list, `{"ConversationSid":"x","Page":true}`, "Page must be an integer, not a boolean."},
		"too small":        {list, `{"ConversationSid":"x","PageSize":0,"Page":-1}`, "Page must be at least 0, not -1. PageSize must be at least 1, not 0."},
		"too large":        {list, `{"ConversationSid":"x","PageSize":6}`, "PageSize must be at most 5, not 6."},
		"beyond 64 bits":   {list, `{"ConversationSid":"x","PageSize":1e300}`, "PageSize is out of range: integers go from -9223372036854775808 to 9223372036854775807."},
		"too many digits":  {list, `{"ConversationSid":"x","PageSize":` + strings.Repeat("1", 101) + `}`, "PageSize has too many digits; the maximum is 100."},
		"enum":             {create, `{"ConversationSid":"x","Target":"hook"}`, `Target must be webhook, trigger or studio, not "hook".`},
		"enum, long":       {create, `{"ConversationSid":"x","Target":"` + strings.Repeat("w", 10_000) + `"}`, `Target must be webhook, trigger or studio, not "` + strings.Repeat("w", 40) + `…".`},
		"method":           {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Method":"PUT"}`, `Configuration.Method must be get or post, not "PUT".`},
		"string, array":    {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Filters":"onMessageAdded"}`, "Configuration.Filters must be an array of strings, not a string."},
		"numbers":          {create, `{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":[0,"","","","","","","","","",1,[2]]}`, "Configuration.Triggers[0] must be a string, not a number. Configuration.Triggers[10] must be a string, not a number. Configuration.Triggers[11] must be a string, not an array."},
		"too many items":   {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Filters":[` + strings.Repeat(`"a",`, 150) + `1]}`, "Configuration.Filters has too many items; the maximum is 100."},
		"a SID":            {create, `{"ConversationSid":"x","Target":"studio","Configuration.FlowSid":"FWx"}`, `Configuration.FlowSid must be FW and 32 hexadecimal digits, not "FWx".`},
		"a dot":            {list, `{"ConversationSid":".."}`, `ConversationSid must not be empty, "." or ".."; it is a SID (CH...) or a unique name.`},
		"twice":            {create, `{"ConversationSid":"x","Target":"webhook","Target":"studio"}`, "Target is duplicated."},
		"twice, deeper":    {list, `{"ConversationSid":"x","_meta":{"a":{"b":1,"b":2}}}`, "b is duplicated."},
		"half a surrogate": {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Url":"a\ud800b"}`, "The arguments are not valid JSON: invalid surrogate pair"},
		"invalid UTF-8":    {list, "{\"ConversationSid\":\"\xff\"}", "The arguments are not valid JSON: invalid UTF-8 within \"/ConversationSid\""},
		"the Service":      {list, `{"ConversationSid":"x","ChatServiceSid":"IS1"}`, "ChatServiceSid is not a parameter: the Service is a setting of the server, TWILIO_CHAT_SERVICE_SID; tell the user"},
		"Markdown":         {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Url":"[hook](https://example.com)"}`, `Configuration.Url must be an absolute URL that begins with http:// or https://, not "[hook](https://example.com)".`},
		"no scheme":        {ensure, `{"ConversationSid":"x","Target":"webhook","Configuration.Url":"example.com/hook"}`, `Configuration.Url must be an absolute URL that begins with http:// or https://, not "example.com/hook".`},
		"a scheme alone":   {update, `{"ConversationSid":"x","Sid":"` + sid + `","Configuration.Url":"https://"}`, "Configuration.Url must be an absolute URL"},
		"a space":          {update, `{"ConversationSid":"x","Sid":"` + sid + `","Configuration.Url":"https://example.com/ "}`, `Configuration.Url must have no white space and no control characters in it, as "https://example.com/ " has.`},
		"a narrow space":   {create, `{"ConversationSid":"x","Target":"webhook","Configuration.Url":"https://example.com/\u2009a"}`, "Configuration.Url must have no white space"},
		"a URL and more":   {create, `{"ConversationSid":"x","Configuration.Url":"ftp://example.com"}`, `not "ftp://example.com". Target is required.`},
		"all at once": {create, `{"target":1,"Configuration.Method":"PUT","Configuration.Filters":[1],"Configuration.ReplayAfter":"seven"}`,
			`Configuration.Filters[0] must be a string, not a number. Configuration.Method must be get or post, not "PUT". ` +
				`Configuration.ReplayAfter must be an integer, not a string. ConversationSid is required. Target is required. target is not a parameter; use Target.`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, details := connect(t, unreachable(t)).fails(row.tool, row.arguments)
			require.Contains(t, text, "Nothing was sent: ")
			require.Contains(t, text, row.want)
			require.Less(t, len(text), 2000)
			require.Equal(t, false, details["retryable"])
			require.NotEmpty(t, details["message"])
		})
	}
}

// record passes on every request, parsed, and answers it as the method wants.
func record(requests chan *http.Request) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		requests <- r
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"webhooks":[]}`)
			return
		}
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid":"`+sid+`"}`)
	})
}

func TestAnOptionalParameterThatIsNullOrEmptyIsLeftOut(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	s := connect(t, record(requests))
	s.succeeds(create, `{"ConversationSid":"x","Target":"studio","Configuration.Url":"","Configuration.Method":null,"Configuration.Filters":null,"Configuration.Triggers":[],"Configuration.FlowSid":"","Configuration.ReplayAfter":null}`)
	require.Equal(t, url.Values{"Target": {"studio"}}, (<-requests).Form)
	s.succeeds(list, `{"ConversationSid":"x","PageSize":null,"Page":null,"PageToken":""}`)
	require.Empty(t, (<-requests).Form)
}

func TestArgumentsThatClientsAddAreIgnored(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	connect(t, record(requests)).succeeds(list, `{"wait_for_previous":true,"ConversationSid":"x","toolCallId":"1","tool_call_description":{"a":[1.5]},"_meta":{"progressToken":1e999},"_sessionID":null}`)
	require.Empty(t, (<-requests).Form)
}

func TestAURLWrittenAsInHTMLIsNoted(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	_, notes := s.succeeds(create, `{"ConversationSid":"`+empty+`","Target":"trigger","Configuration.Url":"HTTPS://example.com/?a=b&amp;c=d","Configuration.Triggers":["a"]}`)
	require.Equal(t, []string{"Configuration.Url has &amp; in it, which is how HTML writes &. It was sent as given: if & was meant, update the webhook."}, notes)
	_, notes = s.succeeds(create, `{"ConversationSid":"`+empty+`","Target":"trigger","Configuration.Url":"https://example.com/?a=b&c=d","Configuration.Triggers":["a"]}`)
	require.Empty(t, notes)
}

// Some clients write every value as a string, and no model can mend its client.
func TestValuesThatClientsWriteAsTextAreRead(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	s := connect(t, record(requests))
	s.succeeds(list, "\uFEFF"+`{"ConversationSid":"5","PageSize":"5","Page":"007"}`)
	require.Equal(t, url.Values{"PageSize": {"5"}, "Page": {"7"}}, (<-requests).Form)
	s.call(create, `{"ConversationSid":"[\"x\"]","Target":"trigger","Configuration.Triggers":" [\"a,b\", \"\\u00e9\"] ","Configuration.Filters":"[]","Configuration.ReplayAfter":"-1"}`)
	r := <-requests
	require.Equal(t, `/v1/Conversations/["x"]/Webhooks`, r.URL.Path, "a string stays a string")
	require.Equal(t, url.Values{"Target": {"trigger"}, "Configuration.Triggers": {"a,b", "é"}, "Configuration.ReplayAfter": {"-1"}}, r.Form)
}

// For each parameter of each tool, as the published schema has them.
func TestNullAndEmptyStringsAreLeftOutOfEveryTool(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	for _, tool := range s.tools {
		var schema struct {
			Properties map[string]struct{ Type string }
			Required   []string
		}
		require.NoError(t, json.Unmarshal(tool.Definition.RawInputSchema, &schema))
		for name, property := range schema.Properties {
			if slices.Contains(schema.Required, name) || tool.Definition.Name == update || strings.Contains(every[tool.Definition.Name], name) {
				continue
			}
			values := []string{"null"}
			if property.Type == "string" {
				values = append(values, `""`)
			}
			for _, value := range values {
				text, _ := s.fails(tool.Definition.Name, strings.TrimSuffix(every[tool.Definition.Name], "}")+`,"`+name+`":`+value+`}`)
				require.Contains(t, text, "HTTP 404", "%s of %s is not sent", name, tool.Definition.Name)
			}
		}
	}
}

func TestEveryToolIgnoresWhatClientsAdd(t *testing.T) {
	t.Parallel()
	s := inSandbox(t)
	for tool, arguments := range every {
		text, _ := s.fails(tool, strings.TrimSuffix(arguments, "}")+`,"wait_for_previous":true,"_x":{"y":[]}}`)
		require.Contains(t, text, "HTTP 404", tool)
		text, _ = s.fails(tool, strings.TrimSuffix(arguments, "}")+`,"wait_for":true}`)
		require.Contains(t, text, `"wait_for" is not a parameter`, tool)
	}
}

func TestWhiteSpaceAroundArgumentsIsAllowed(t *testing.T) {
	t.Parallel()
	for _, arguments := range []string{"\n {\t\"ConversationSid\" : \"" + full + "\" }\r\n", `{"ConversationSid":"` + full + `","PageSize":5e0}`} {
		inSandbox(t).succeeds(list, arguments)
	}
}

// Results show the method in upper case.
func TestTheCaseOfAnEnumeratedValueDoesNotMatter(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 10)
	s := connect(t, record(requests))
	s.call(create, `{"ConversationSid":"x","Target":"STUDIO","Configuration.Method":"Post","Configuration.Filters":["ONMESSAGEADDED"]}`)
	require.NotEmpty(t, requests, "it was not sent")
	require.Equal(t, url.Values{"Target": {"studio"}, "Configuration.Method": {"post"}, "Configuration.Filters": {"ONMESSAGEADDED"}}, (<-requests).Form)
	text, _ := s.fails(update, `{"ConversationSid":"x","Sid":"`+sid+`","Configuration.Method":"put"}`)
	require.Contains(t, text, `Configuration.Method must be get or post, not "put".`)
}

func TestUnicodeIsSentAsItIs(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	s := connect(t, record(requests))
	s.call(create, `{"ConversationSid":"caf\u00e9 \ud83d\ude00","Target":"trigger","Configuration.Triggers":["\"\\u","\u0000"]}`)
	r := <-requests
	require.Equal(t, "/v1/Conversations/café 😀/Webhooks", r.URL.Path)
	require.Equal(t, []string{`"\u`, "\x00"}, r.Form["Configuration.Triggers"])
}

func TestAnUpdateSendsWhatIsGiven(t *testing.T) {
	t.Parallel()
	requests := make(chan *http.Request, 1)
	s := connect(t, record(requests))
	s.call(update, `{"ConversationSid":"x","Sid":"`+sid+`","Configuration.Url":"https://example.com/a?b=c&d=%25","Configuration.Filters":["a","b"]}`)
	require.Equal(t, url.Values{"Configuration.Url": {"https://example.com/a?b=c&d=%25"}, "Configuration.Filters": {"a", "b"}}, (<-requests).Form)
}

// For an update, null and empty values read as if they cleared something.
func TestAnUpdateRefusesEmptyValues(t *testing.T) {
	t.Parallel()
	s := connect(t, unreachable(t))
	for parameters, want := range map[string]string{
		``:                             "At least one Configuration parameter is required.",
		`,"_meta":null`:                "At least one Configuration parameter is required.",
		`,"Configuration.Url":null`:    "Configuration.Url must be a string, not null.",
		`,"Configuration.Url":""`:      "Configuration.Url must not be empty.",
		`,"Configuration.Method":""`:   `Configuration.Method must be get or post, not "".`,
		`,"Configuration.Filters":[]`:  "Configuration.Filters must not be empty.",
		`,"Configuration.Triggers":[]`: "Configuration.Triggers must not be empty.",
		`,"Configuration.FlowSid":""`:  `Configuration.FlowSid must be FW and 32 hexadecimal digits, not "".`,
		`,"Target":"studio"`:           "Target is not a parameter; use Configuration.Filters, ",
		`,"Configuration.Url":"x","Configuration.Method":null,"Configuration.Filters":[]`: "Configuration.Filters must not be empty. Configuration.Method must be a string, not null.",
	} {
		text, _ := s.fails(update, `{"ConversationSid":"x","Sid":"`+sid+`"`+parameters+`}`)
		require.Contains(t, text, "Nothing was sent: the arguments are invalid. "+want)
	}
}

func TestASIDOfAWebhookIsChecked(t *testing.T) {
	t.Parallel()
	s := connect(t, unreachable(t))
	for _, tool := range []string{fetch, remove, update} {
		text, _ := s.fails(tool, `{"ConversationSid":"x","Sid":"CH../x"}`)
		require.Contains(t, text, `Sid must be WH and 32 hexadecimal digits, not "CH../x".`)
		text, _ = s.fails(tool, `{"ConversationSid":"x"}`)
		require.Contains(t, text, "Sid is required.")
	}
}
