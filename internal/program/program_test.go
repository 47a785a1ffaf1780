package program

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

const (
	apiKey     = "SK00000000000000000000000000000001"
	accountSID = "AC00000000000000000000000000000001"
)

const documented = "CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// environment is one that holds nothing but the given variables.
func environment(variables ...string) config.LookupFunc {
	return func(name string) (string, bool) {
		for i := 0; i < len(variables); i += 2 {
			if variables[i] == name {
				return variables[i+1], true
			}
		}
		return "", false
	}
}

// output is a stream that tests read while the program writes.
type output struct {
	mu    sync.Mutex
	text  bytes.Buffer
	lines chan string
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lines != nil {
		o.lines <- string(b)
	}
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// runProgram runs a command to its end.
func runProgram(t testing.TB, lookup config.LookupFunc, stdin string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	var out, logged output
	err = Run(t.Context(), args, lookup, strings.NewReader(stdin), &out, &logged)
	return out.String(), logged.String(), err
}

func TestErrorsAreOneSentenceThatSaysWhatIsValid(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	for name, row := range map[string]struct {
		env  config.LookupFunc
		args []string
		want string
	}{
		"unknown flag":       {environment(), []string{"--bogus"}, "unknown flag --bogus; see --help"},
		"unknown command":    {environment(), []string{"bogus"}, "unexpected argument bogus; see --help"},
		"no tool":            {environment(), []string{"call"}, `expected "<tool>"; see --help`},
		"unknown tool":       {environment(), []string{"call", "nope", "{}"}, `there is no tool "nope"; the tools are check_conversation_webhooks, create_conversation_webhook, `},
		"bad JSON":           {environment(), []string{"call", "list_conversation_webhooks", "{\n \"a\": }"}, "the arguments are not valid JSON: line 2, column 7: invalid character '}'"},
		"no argument":        {environment(), []string{"call", "list_conversation_webhooks", ""}, "line 1, column 1: unexpected end of JSON input"},
		"accents":            {environment(), []string{"call", "list_conversation_webhooks", `{"éé":}`}, "line 1, column 7: invalid"},
		"a newline":          {environment(), []string{"call", "list_conversation_webhooks", "{\"a\n\":1}"}, "line 1, column 4: invalid character '\\n'"},
		"cut JSON":           {environment(), []string{"call", "list_conversation_webhooks", `{"a"`}, "line 1, column 5: unexpected end of JSON input"},
		"empty input":        {environment(), []string{"call", "list_conversation_webhooks", "-"}, "the arguments are not valid JSON: line 1, column 1: unexpected end"},
		"no certificate":     {environment(), []string{"--http", "127.0.0.1:0", "--tls-cert=/nonexistent", "--tls-key=/nonexistent"}, "no such file"},
		"caller and tokens":  {environment("MCP_AUTH_TOKEN", "hunter2hunter2hunter2"), []string{"--credentials=caller", "--http=127.0.0.1:0"}, "cannot be combined with MCP_AUTH_TOKEN"},
		"bad base URL":       {environment("TWILIO_BASE_URL", "conversations.twilio.com"), nil, "the base URL must be an http or https URL"},
		"bad region":         {environment(), []string{"--region", "ie 1"}, "--region must be one name"},
		"bad service":        {environment("TWILIO_CHAT_SERVICE_SID", "CH1"), nil, "--chat-service-sid must be IS and 32"},
		"no address":         {environment(), []string{"--http", "8080"}, "must be HOST:PORT"},
		"open address":       {environment(), []string{"--http", ":8080"}, "MCP_AUTH_TOKEN"},
		"open sandbox":       {environment(), []string{"sandbox", "--http", "0.0.0.0:8081"}, "the sandbox listens on loopback only"},
		"port in use":        {environment(), []string{"--http", taken.Addr().String()}, "address already in use"},
		"arguments a list":   {environment(), []string{"call", "--sandbox", "list_conversation_webhooks", "[1]"}, "must be an object, not an array"},
		"no credentials":     {environment(), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "no Twilio credentials; ask the user to set TWILIO_API_KEY"},
		"half a key":         {environment("TWILIO_API_KEY", apiKey), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "has TWILIO_API_KEY but not TWILIO_API_SECRET"},
		"the other half":     {environment("TWILIO_API_SECRET", "hunter2"), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "has TWILIO_API_SECRET but not TWILIO_API_KEY"},
		"half an account":    {environment("TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", ""), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "has TWILIO_ACCOUNT_SID but not TWILIO_AUTH_TOKEN"},
		"a number too large": {environment(), []string{"call", "--sandbox", "list_conversation_webhooks", `{"ConversationSid":"x","Page":1e400}`}, "Page is out of range"},
		"refused by Twilio":  {environment(), []string{"call", "--sandbox", "list_conversation_webhooks", `{"ConversationSid":"nope"}`}, "HTTP 404, code 20404: The requested resource /Conversations/nope/Webhooks was not found. " + sandbox.Guide},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			stdout, _, err := runProgram(t, row.env, "", row.args...)
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), "hunter2")
			require.Empty(t, stdout)
		})
	}
}

// --help has each flag with the variable that sets it.
func TestHelpShowsEverySettingAndNoSecret(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment("TWILIO_API_KEY", "SKhunter2", "TWILIO_API_SECRET", "hunter2", "MCP_AUTH_TOKEN", "hunter2", "TWILIO_EDGE", "dublin"), "", "--help")
	require.NoError(t, err)
	for field := range reflect.TypeFor[config.Config]().Fields() {
		if variable := field.Tag.Get("variable"); variable != "" {
			require.Contains(t, stdout, "[$"+variable+"]")
		}
	}
	for _, want := range []string{
		"TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "MCP_AUTH_TOKEN", "MCP_AUTH_TOKEN_FILE", "MCP_REDIS_URL",
		"serve", "call <tool>", "sandbox", "version",
	} {
		require.Contains(t, stdout, want)
	}
	require.NotContains(t, stdout, "hunter2")
}

func TestVersionNamesProgramCommitAndGo(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment(), "", "version")
	require.NoError(t, err)
	require.Regexp(t, `^twilio-conversations-mcp \S+ \(commit \S+, go1\.\S+\)\n$`, stdout)
}

// serving starts the program over HTTP. It returns the URL, the log, and a
// function that ends the program.
func serving(t *testing.T, lookup config.LookupFunc, args ...string) (url string, logged *output, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	logged = &output{lines: make(chan string, 1000)}
	done := make(chan error, 1)
	go func() { done <- Run(ctx, args, lookup, strings.NewReader(""), io.Discard, logged) }()
	for url == "" {
		select {
		case line := <-logged.lines:
			url = regexp.MustCompile(`http://[^ /]+:\d+`).FindString(line)
		case err := <-done:
			t.Fatal(err)
		}
	}
	return url, logged, func() error { cancel(); return <-done }
}

func TestTheSandboxCommandServesTheAPIAlone(t *testing.T) {
	t.Parallel()
	url, _, end := serving(t, environment(), "sandbox", "--http", "127.0.0.1:0", "--base-url", "http://twilio.test")
	res, err := http.Get(url + "/v1/Conversations/" + documented + "/Webhooks")
	require.NoError(t, err)
	require.Equal(t, 401, res.StatusCode)
	require.NoError(t, res.Body.Close())

	stdout, _, err := runProgram(t, environment("TWILIO_BASE_URL", url, "TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", "token"),
		"", "call", "list_conversation_webhooks", `{"ConversationSid":"`+documented+`"}`)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(stdout, `"sid": "WH`))
	require.Contains(t, stdout, `"url": "http://twilio.test/v1/Conversations/`)
	require.NoError(t, end())
}

// post makes one MCP request over HTTP.
func post(t *testing.T, url, body string, authorize func(*http.Request)) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/mcp", strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	if authorize != nil {
		authorize(req)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

const listDocumented = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"` + documented + `"}}}`
