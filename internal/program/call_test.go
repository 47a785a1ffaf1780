package program

import (
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

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

func TestCallCanCallEveryToolAndChecksTheToolsetsAllTheSame(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment(), "", "call", "--toolsets=webhooks", "search_documentation", `{"query":"limits"}`)
	require.NoError(t, err)
	require.Contains(t, stdout, "guides/limits")
	_, _, err = runProgram(t, environment("MCP_TOOLSETS", "nope"), "", "call", "search_documentation", `{"query":"limits"}`)
	require.ErrorContains(t, err, `--toolsets: unknown toolset "nope": valid are webhooks, `)
}

func TestCallObeysReadOnly(t *testing.T) {
	t.Parallel()
	_, _, err := runProgram(t, environment(), "", "call", "--read-only", "--sandbox", "create_conversation_webhook", `{}`)
	require.ErrorContains(t, err, `there is no tool "create_conversation_webhook"`)
}

func TestCallLogsErrorsOnlyUnlessALevelIsGiven(t *testing.T) {
	t.Parallel()
	for level, lines := range map[string]int{"": 0, "info": 1, "debug": 1, "error": 0} {
		_, stderr, err := runProgram(t, environment("MCP_LOG_LEVEL", level), "", "call", "--sandbox", "list_conversation_webhooks", `{"ConversationSid":"`+documented+`"}`)
		require.NoError(t, err)
		require.Equal(t, lines, strings.Count(stderr, "msg=call tool=list_conversation_webhooks"), level)
	}
}
