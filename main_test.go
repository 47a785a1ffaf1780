package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/twilioapi/sandbox"
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
	err = run(t.Context(), args, lookup, strings.NewReader(stdin), &out, &logged)
	return out.String(), logged.String(), err
}

func TestCallPrintsTheThreeDocumentedWebhooks(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := runProgram(t, environment(), "", "call", "--sandbox", "list_conversation_webhooks", `{"ConversationSid":"`+documented+`"}`)
	require.NoError(t, err)
	require.Empty(t, stderr)
	require.True(t, strings.HasPrefix(stdout, "{\n  \"meta\": {\n"), "indented")
	require.Equal(t, 3, strings.Count(stdout, `"sid": "WH`))
	require.Contains(t, stdout, "?PageSize=5&Page=0", "not escaped")
}

func TestCallReadsItsArgumentsFromStandardInput(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment("MCP_SANDBOX", "true"), `{"ConversationSid":"support/42"}`, "call", "list_conversation_webhooks", "-")
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(stdout, `"sid": "WH`))
}

func TestCallRefusesLongArguments(t *testing.T) {
	t.Parallel()
	_, _, err := runProgram(t, environment(), `{"ConversationSid":"`+documented+`","PageToken":"`+strings.Repeat("<", 1<<20)+`"}`,
		"call", "--sandbox", "list_conversation_webhooks", "-")
	require.ErrorContains(t, err, "the maximum is 65536")
	_, _, err = runProgram(t, environment(), `{"ConversationSid":"`+documented+`","PageToken":"`+strings.Repeat("<", 1<<10)+`"}`,
		"call", "--sandbox", "--max-message", "100", "list_conversation_webhooks", "-")
	require.ErrorContains(t, err, "Twilio refused: HTTP 4", "--max-message limits messages of clients only")
}

// A create whose response is lost is found by listing; the note says so.
func TestCallPrintsNotesOnStandardError(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := runProgram(t, environment(), "", "call", "--sandbox", "create_conversation_webhook",
		`{"ConversationSid":"CH00000000000000000000000000000502","Target":"studio","Configuration.FlowSid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`)
	require.NoError(t, err)
	require.Contains(t, stdout, `"flow_sid": "FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"`)
	require.Contains(t, stderr, "Do not create it again")
	require.NotContains(t, stdout, "Do not create it again")
}

// The environment of a server that runs already has its settings.
func TestCallUsesNoAddressOfTheServer(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	address := taken.Addr().String()
	_, _, err = runProgram(t, environment("MCP_HTTP", address, "MCP_METRICS", address), "",
		"call", "--sandbox", "list_conversation_webhooks", `{"ConversationSid":"`+documented+`"}`)
	require.NoError(t, err)
	_, _, err = runProgram(t, environment("MCP_METRICS", address), "", "--sandbox")
	require.ErrorContains(t, err, "--metrics: address "+address)
}

func TestCallWithoutArgumentsPrintsTheInputSchema(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment(), "", "call", "create_conversation_webhook")
	require.NoError(t, err)
	require.True(t, strings.HasSuffix(stdout, "}\n") && strings.HasPrefix(stdout, "{\n"), "indented")
	require.Contains(t, stdout, `"Configuration.Url": {`)
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
		"unknown tool":       {environment(), []string{"call", "nope", "{}"}, `there is no tool "nope"; the tools are create_conversation_webhook, `},
		"bad JSON":           {environment(), []string{"call", "list_conversation_webhooks", "{\n \"a\": }"}, "the arguments are not valid JSON: line 2, column 7: invalid character '}'"},
		"no argument":        {environment(), []string{"call", "list_conversation_webhooks", ""}, "line 1, column 1: unexpected end of JSON input"},
		"accents":            {environment(), []string{"call", "list_conversation_webhooks", `{"éé":}`}, "line 1, column 7: invalid"},
		"a newline":          {environment(), []string{"call", "list_conversation_webhooks", "{\"a\n\":1}"}, "line 1, column 4: invalid character '\\n'"},
		"cut JSON":           {environment(), []string{"call", "list_conversation_webhooks", `{"a"`}, "line 1, column 5: unexpected end of JSON input"},
		"empty input":        {environment(), []string{"call", "list_conversation_webhooks", "-"}, "the arguments are not valid JSON: line 1, column 1: unexpected end"},
		"no certificate":     {environment(), []string{"--http", "127.0.0.1:0", "--tls-cert=/nonexistent", "--tls-key=/nonexistent"}, "no such file"},
		"caller and tokens":  {environment("MCP_AUTH_TOKEN", "hunter2hunter2hunter2"), []string{"--credentials=caller", "--http=127.0.0.1:0"}, "cannot be combined with tokens"},
		"bad base URL":       {environment("TWILIO_BASE_URL", "conversations.twilio.com"), nil, "the base URL must be an http or https URL"},
		"bad region":         {environment(), []string{"--region", "IE1"}, "edge and region"},
		"bad service":        {environment("TWILIO_CHAT_SERVICE_SID", "CH1"), nil, "Service SID"},
		"no address":         {environment(), []string{"--http", "8080"}, "must be HOST:PORT"},
		"open address":       {environment(), []string{"--http", ":8080"}, "MCP_AUTH_TOKEN"},
		"open sandbox":       {environment(), []string{"sandbox", "--http", "0.0.0.0:8081"}, "the sandbox listens on loopback only"},
		"port in use":        {environment(), []string{"--http", taken.Addr().String()}, "address already in use"},
		"arguments a list":   {environment(), []string{"call", "--sandbox", "list_conversation_webhooks", "[]"}, "must be an object, not an array"},
		"no credentials":     {environment(), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "no Twilio credentials; ask the user to set TWILIO_API_KEY"},
		"half a key":         {environment("TWILIO_API_KEY", "SK1"), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "has TWILIO_API_KEY but not TWILIO_API_SECRET"},
		"the other half":     {environment("TWILIO_API_SECRET", "hunter2"), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "has TWILIO_API_SECRET but not TWILIO_API_KEY"},
		"half an account":    {environment("TWILIO_ACCOUNT_SID", "AC1", "TWILIO_AUTH_TOKEN", ""), []string{"call", "list_conversation_webhooks", `{"ConversationSid":"x"}`}, "has TWILIO_ACCOUNT_SID but not TWILIO_AUTH_TOKEN"},
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
		"TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "MCP_AUTH_TOKEN", "MCP_AUTH_TOKEN_FILE",
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

// legacy are the protocol versions in which a session begins with initialize.
// Since 2026-07-28 each request carries its version.
var legacy = []string{"2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"}

const modern = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// An exchange is one request and what its response must contain.
type exchange struct{ name, method, params, want string }

// session returns the exchanges that work over every transport.
func session() (all []exchange) {
	for _, version := range legacy {
		all = append(all, exchange{"initialize " + version, "initialize",
			`{"protocolVersion":"` + version + `","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`, `"protocolVersion":"` + version + `"`})
	}
	const list = `{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"` + documented + `"}`
	const create = `{"name":"create_conversation_webhook","arguments":{"ConversationSid":"empty room","Target":"trigger","Configuration.Url":"https://example.com","Configuration.Triggers":["help"]}`
	return append(all,
		exchange{"an unknown version", "initialize", `{"protocolVersion":"1999-01-01","capabilities":{},"clientInfo":{"name":"t","version":"1"}}`, `"protocolVersion":"2025-11-25"`},
		exchange{"discover", "server/discover", `{` + modern + `}`, `"2026-07-28"`},
		exchange{"ping", "ping", `{}`, `"result":{}`},
		exchange{"tools", "tools/list", `{}`, `"name":"create_conversation_webhook"`},
		exchange{"tools, modern", "tools/list", `{` + modern + `}`, `"resultType":"complete"`},
		exchange{"list", "tools/call", list + `}`, `"structuredContent":{"meta":{`},
		exchange{"list, modern", "tools/call", list + `,` + modern + `}`, `"structuredContent":{"meta":{`},
		exchange{"create", "tools/call", create + `}`, `"structuredContent":{"account_sid":"AC`},
		exchange{"create, modern", "tools/call", create + `,` + modern + `}`, `"structuredContent":{"account_sid":"AC`},
		exchange{"refused", "tools/call", `{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"nope"}}`, `"code":20404`},
		exchange{"bad arguments", "tools/call", `{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"x","PageSize":9}}`, `"PageSize must be at most 5, not 9."`},
		exchange{"no such tool", "tools/call", `{"name":"nope","arguments":{}}`, `"code":-32602`},
	)
}

func TestASessionOverStdio(t *testing.T) {
	t.Parallel()
	stdin, client := io.Pipe()
	out := output{lines: make(chan string, 1)}
	var logged output
	done := make(chan error, 1)
	go func() { done <- run(t.Context(), []string{"--sandbox"}, environment(), stdin, &out, &logged) }()
	for i, x := range session() {
		_, err := fmt.Fprintf(client, `{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}`+"\n", i, x.method, x.params)
		require.NoError(t, err)
		answer := <-out.lines
		require.Contains(t, answer, fmt.Sprintf(`"id":%d`, i), x.name)
		require.Contains(t, answer, strings.Trim(x.want, `"`), x.name)
	}
	require.NoError(t, client.Close())
	require.NoError(t, <-done, "the end of the input is the end of the program")
	require.Regexp(t, `msg=call tool=create_conversation_webhook outcome=ok`, logged.String())
	require.NotContains(t, logged.String(), documented, "arguments are not logged")
	require.NotContains(t, logged.String(), "empty room", "arguments are not logged")
}

func TestEveryRequestReadBeforeTheEndIsAnswered(t *testing.T) {
	t.Parallel()
	var requests strings.Builder
	for i := range 60 {
		fmt.Fprintf(&requests, `{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"%s"}}}`+"\n", i, documented)
	}
	stdout, _, err := runProgram(t, environment(), strings.TrimSuffix(requests.String(), "\n"), "--sandbox")
	require.NoError(t, err)
	lines := bufio.NewScanner(strings.NewReader(stdout))
	answered := map[int]bool{}
	for lines.Scan() {
		var answer struct {
			ID     int
			Result mcp.CallToolResult
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &answer))
		require.False(t, answer.Result.IsError)
		answered[answer.ID] = true
	}
	require.Len(t, answered, 60)
}

// serving starts the program over HTTP. It returns the URL, the log, and a
// function that ends the program.
func serving(t *testing.T, lookup config.LookupFunc, args ...string) (url string, logged *output, end func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	logged = &output{lines: make(chan string, 1000)}
	done := make(chan error, 1)
	go func() { done <- run(ctx, args, lookup, strings.NewReader(""), io.Discard, logged) }()
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

func TestASessionOverHTTP(t *testing.T) {
	t.Parallel()
	url, _, end := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0")
	for i, x := range session() {
		req, err := http.NewRequestWithContext(t.Context(), "POST", url+"/mcp",
			strings.NewReader(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}`, i, x.method, x.params)))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if strings.Contains(x.params, modern) {
			req.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			req.Header.Set("Mcp-Method", x.method)
			if name := regexp.MustCompile(`"name":"(\w+)"`).FindStringSubmatch(x.params); name != nil {
				req.Header.Set("Mcp-Name", name[1])
			}
		}
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		answer, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "application/json", res.Header.Get("Content-Type"), x.name)
		require.Empty(t, res.Header.Get("Mcp-Session-Id"), x.name)
		require.Contains(t, string(answer), fmt.Sprintf(`"id":%d`, i), x.name)
		require.Contains(t, string(answer), strings.Trim(x.want, `"`), x.name)
	}
	res, err := http.Get(url + "/healthz")
	require.NoError(t, err)
	require.Equal(t, 200, res.StatusCode)
	require.NoError(t, res.Body.Close())
	require.NoError(t, end())
}

func TestTheSandboxCommandServesTheAPIAlone(t *testing.T) {
	t.Parallel()
	url, _, end := serving(t, environment(), "sandbox", "--http", "127.0.0.1:0", "--base-url", "http://twilio.test")
	res, err := http.Get(url + "/v1/Conversations/" + documented + "/Webhooks")
	require.NoError(t, err)
	require.Equal(t, 401, res.StatusCode)
	require.NoError(t, res.Body.Close())

	stdout, _, err := runProgram(t, environment("TWILIO_BASE_URL", url, "TWILIO_ACCOUNT_SID", "AC1", "TWILIO_AUTH_TOKEN", "token"),
		"", "call", "list_conversation_webhooks", `{"ConversationSid":"`+documented+`"}`)
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(stdout, `"sid": "WH`))
	require.Contains(t, stdout, `"url": "http://twilio.test/v1/Conversations/`)
	require.NoError(t, end())
}

func TestTheAPIKeyTakesPrecedenceOverTheAccount(t *testing.T) {
	t.Parallel()
	var username string
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		username, _, _ = r.BasicAuth()
		_, _ = io.WriteString(w, `{"webhooks":[]}`)
	})}
	go func() { _ = srv.Serve(ln) }()
	defer srv.Close()
	_, _, err = runProgram(t, environment("TWILIO_BASE_URL", "http://"+ln.Addr().String(),
		"TWILIO_ACCOUNT_SID", "AC1", "TWILIO_AUTH_TOKEN", "token", "TWILIO_API_KEY", "SK1", "TWILIO_API_SECRET", "secret"),
		"", "call", "list_conversation_webhooks", `{"ConversationSid":"x"}`)
	require.NoError(t, err)
	require.Equal(t, "SK1", username)
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

func TestCallersSendTheirOwnCredentials(t *testing.T) {
	t.Parallel()
	twilio, _, _ := serving(t, environment(), "sandbox", "--http", "127.0.0.1:0")
	url, logged, end := serving(t, environment("TWILIO_BASE_URL", twilio, "TWILIO_API_KEY", "SKserver", "TWILIO_API_SECRET", "hunter2"),
		"--http", "127.0.0.1:0", "--credentials", "caller")
	status, answer := post(t, url, listDocumented, nil)
	require.Equal(t, 401, status)
	require.NotContains(t, answer, "hunter2")
	_, answer = post(t, url, listDocumented, func(r *http.Request) { r.SetBasicAuth("SKcaller", "hunter3") })
	require.Contains(t, answer, `"webhooks":[`)
	_, answer = post(t, url, listDocumented, func(r *http.Request) { r.SetBasicAuth("nobody", "hunter3") })
	require.Contains(t, answer, `"code":20003`)
	require.NoError(t, end())
	require.Equal(t, 1, strings.Count(logged.String(), "level=WARN"), logged.String())
	require.Contains(t, logged.String(), "status=200")
	require.Contains(t, logged.String(), "code=20003")
	require.NotContains(t, logged.String(), "hunter")
	require.NotContains(t, logged.String(), "SKcaller")
}

func TestTokensAllowAnAddressBeyondLoopback(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(file, []byte("second-0123456789\nthird-0123456789\n"), 0o600))
	url, logged, end := serving(t, environment("MCP_AUTH_TOKEN", "first-0123456789", "MCP_AUTH_TOKEN_FILE", file), "--sandbox", "--http", ":0", "--log-format", "json")
	url = "http://127.0.0.1" + url[strings.LastIndex(url, ":"):]
	for token, want := range map[string]int{"first": 200, "second": 200, "third": 200, "fourth": 401} {
		status, _ := post(t, url, listDocumented, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token+"-0123456789") })
		require.Equal(t, want, status, token)
	}
	require.NoError(t, end())
	require.Contains(t, logged.String(), `"msg":"call","tool":"list_conversation_webhooks","outcome":"ok"`)
	require.Contains(t, logged.String(), `"request_id":"RQ`)
	require.NotContains(t, logged.String(), "first")
}

func TestAnonymousCallersAreLoggedAtTheStart(t *testing.T) {
	t.Parallel()
	_, logged, end := serving(t, environment(), "--sandbox", "--http", ":0", "--allow-anonymous")
	require.NoError(t, end())
	require.Contains(t, logged.String(), "--allow-anonymous: anyone who can connect to the address can call the tools")
}

func TestUnencryptedCredentialsAreLoggedAtTheStart(t *testing.T) {
	t.Parallel()
	for url, warnings := range map[string]int{"http://twilio.example": 1, "https://twilio.example": 0, "http://127.0.0.1:1": 0, "http://localhost:1": 0} {
		_, logged, err := runProgram(t, environment("TWILIO_BASE_URL", url), "")
		require.NoError(t, err)
		require.Equal(t, warnings, strings.Count(logged, "sent unencrypted"), url)
	}
}

func TestReadOnlyOffersNoToolThatWrites(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment("MCP_READ_ONLY", "true"), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"create_conversation_webhook","arguments":{}}}`, "--sandbox")
	require.NoError(t, err)
	require.NotContains(t, stdout, `"name":"create_conversation_webhook"`)
	require.Contains(t, stdout, `"name":"list_conversation_webhooks"`)
	require.Contains(t, stdout, `"id":2,"error":{"code":-32602,"message":"there is no tool`)
	_, _, err = runProgram(t, environment("MCP_READ_ONLY", "yes please"), "", "--sandbox")
	require.ErrorContains(t, err, "MCP_READ_ONLY: --read-only")
}

// A create that was sent is not stopped by a cancellation: its outcome is logged,
// and no response is sent.
func TestACancelledCreateIsFinished(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	twilio := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, `{"sid":"WH0123456789abcdef0123456789abcdef"}`)
	})}
	go func() { _ = twilio.Serve(ln) }()
	defer twilio.Close()
	stdin, client := io.Pipe()
	out, logged := output{lines: make(chan string, 10)}, output{}
	done := make(chan error, 1)
	go func() {
		done <- run(t.Context(), nil, environment("TWILIO_BASE_URL", "http://"+ln.Addr().String(), "TWILIO_API_KEY", "SK1", "TWILIO_API_SECRET", "x"), stdin, &out, &logged)
	}()
	_, err = io.WriteString(client, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_conversation_webhook","arguments":{"ConversationSid":"x","Target":"studio"}}}`+"\n")
	require.NoError(t, err)
	<-began
	_, err = io.WriteString(client, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`+"\n"+`{"jsonrpc":"2.0","id":2,"method":"ping"}`+"\n")
	require.NoError(t, err)
	require.Contains(t, <-out.lines, `"id":2`, "the cancellation has been read")
	require.NoError(t, client.Close())
	close(release)
	require.NoError(t, <-done)
	require.NotContains(t, out.String(), `"id":1`)
	require.Contains(t, logged.String(), `tool=create_conversation_webhook outcome="ok, cancelled"`)
	require.Contains(t, logged.String(), "status=201")
}

func TestSignalsEndTheProgram(t *testing.T) {
	t.Parallel()
	path := build(t)
	start := func(args ...string) (*exec.Cmd, io.WriteCloser, *bufio.Reader) {
		cmd := exec.Command(path, append(args, "--sandbox")...)
		cmd.Env = []string{}
		stdin, err := cmd.StdinPipe()
		require.NoError(t, err)
		stdout, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		return cmd, stdin, bufio.NewReader(stdout)
	}
	const ping = `{"jsonrpc":"2.0","id":2,"method":"ping"}` + "\n"
	stuck := strings.ReplaceAll(listCall, documented, "CH"+strings.Repeat("0", 32)) + "\n" + ping

	t.Run("at once if no call is in flight", func(t *testing.T) {
		t.Parallel()
		cmd, stdin, answers := start()
		_, err := io.WriteString(stdin, ping)
		require.NoError(t, err)
		_, err = answers.ReadString('\n')
		require.NoError(t, err)
		require.NoError(t, cmd.Process.Signal(os.Interrupt))
		require.NoError(t, cmd.Wait(), "it exits with 0")
	})
	t.Run("at once after the second signal", func(t *testing.T) {
		t.Parallel()
		cmd, stdin, answers := start("--grace=1m", "--timeout=1m")
		_, err := io.WriteString(stdin, stuck)
		require.NoError(t, err)
		_, err = answers.ReadString('\n')
		require.NoError(t, err)
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for again := time.NewTicker(20 * time.Millisecond); ; {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			select {
			case err := <-ended:
				require.ErrorContains(t, err, "signal: terminated")
				return
			case <-again.C:
			}
		}
	})
	t.Run("when standard output is closed", func(t *testing.T) {
		t.Parallel()
		cmd := exec.Command(path, "--sandbox")
		cmd.Env = []string{}
		cmd.Stdin = strings.NewReader(listCall + "\n")
		out, in, err := os.Pipe()
		require.NoError(t, err)
		require.NoError(t, out.Close())
		cmd.Stdout = in
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		err = cmd.Run()
		require.NoError(t, in.Close())
		require.EqualError(t, err, "exit status 1")
		require.Contains(t, stderr.String(), "writing standard output: ")
		require.Contains(t, stderr.String(), "tool=list_conversation_webhooks outcome=ok")
	})
}
