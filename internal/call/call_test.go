package call_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/call"
	"twilio-conversations-mcp/internal/serve"
)

// newServer returns a server of one tool, "echo", that returns its arguments as
// structured content. Its first text is not JSON. A member "note" becomes a second text, a member "fail" makes it an error.
func newServer() *serve.Server {
	echo := func(_ context.Context, _ access.Caller, given serve.Input) (*mcp.CallToolResult, []slog.Attr) {
		var in struct{ Note, Fail string }
		_ = json.Unmarshal(given.Arguments, &in)
		result := mcp.NewToolResultText("# Echo")
		result.RawStructuredContent = given.Arguments
		if in.Note != "" {
			result.Content = append(result.Content, mcp.NewTextContent(in.Note))
		}
		if in.Fail != "" {
			result.Content[0], result.IsError = mcp.NewTextContent(in.Fail), true
		}
		return result, nil
	}
	return serve.New(serve.Options{
		Tools: []serve.Tool{{Definition: mcp.Tool{Name: "echo", RawInputSchema: json.RawMessage(`{"type":"object"}`)}, Call: echo}},
		Log:   slog.New(slog.DiscardHandler), MaxMessage: 100, MaxConcurrent: 1,
	})
}

// run calls the tool and returns what it prints.
func run(t *testing.T, arguments *string, stdin string) (stdout, stderr string, err error) {
	t.Helper()
	var out, notes bytes.Buffer
	err = call.Run(t.Context(), newServer(), "echo", arguments, strings.NewReader(stdin), &out, &notes)
	return out.String(), notes.String(), err
}

func TestTheResultIsIndentedJSON(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := run(t, new(` {"url":"https://example.com/?a=1&b=<2>","n":9007199254740993} `), "")
	require.NoError(t, err)
	require.Equal(t, "{\n  \"url\": \"https://example.com/?a=1&b=<2>\",\n  \"n\": 9007199254740993\n}\n", stdout, "as it is, not escaped or rounded")
	require.Empty(t, stderr)
}

func TestArgumentsComeFromStandardInput(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`{"a":1}`, "\ufeff" + `{"a":1}` + "\r\n"} {
		stdout, _, err := run(t, new("-"), text)
		require.NoError(t, err)
		require.Equal(t, "{\n  \"a\": 1\n}\n", stdout)
	}
	err := call.Run(t.Context(), newServer(), "echo", new("-"), iotest.ErrReader(context.Canceled), &bytes.Buffer{}, &bytes.Buffer{})
	require.EqualError(t, err, "reading standard input: context canceled")
}

func TestNotesGoToStandardError(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := run(t, new(`{"note":"It was there."}`), "")
	require.NoError(t, err)
	require.Contains(t, stdout, `"note"`)
	require.Equal(t, "It was there.\n", stderr)
}

func TestAToolErrorIsReturnedWithAllItsText(t *testing.T) {
	t.Parallel()
	stdout, stderr, err := run(t, new(`{"fail":"Twilio refused.","note":"Try again."}`), "")
	require.EqualError(t, err, "Twilio refused.\nTry again.")
	require.Empty(t, stdout+stderr)
}

func TestWithoutArgumentsTheInputSchemaIsPrinted(t *testing.T) {
	t.Parallel()
	stdout, _, err := run(t, nil, "")
	require.NoError(t, err)
	require.Equal(t, "{\n  \"type\": \"object\"\n}\n", stdout)
}

func TestInvalidCallsAreRefusedWithWhatIsWrong(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		"{\n \"a\": }":    "the arguments are not valid JSON: line 2, column 7: invalid character '}'",
		"":                "line 1, column 1: unexpected end of JSON input",
		`{"éé":}`:         "line 1, column 7: invalid",
		"{\"a\n\":1}":     "line 1, column 4: invalid character '\\n'",
		`{"a"`:            "line 1, column 5: unexpected end of JSON input",
		`{} {}`:           "line 1, column 4: invalid character '{' after top-level value",
		"{\"a\": 1,\n}\n": "line 2, column 1: invalid character '}'",
	} {
		stdout, _, err := run(t, &arguments, "")
		require.ErrorContains(t, err, want, arguments)
		require.Empty(t, stdout)
	}
	err := call.Run(t.Context(), newServer(), "nope", nil, nil, nil, nil)
	require.EqualError(t, err, `there is no tool "nope"; the tools are echo`)
}

// MaxMessage limits the messages of clients; a tool limits its arguments itself.
func TestTheLimitOnMessagesDoesNotApplyToCalls(t *testing.T) {
	t.Parallel()
	stdout, _, err := run(t, new(`{"a":"`+strings.Repeat("x", 1000)+`"}`), "")
	require.NoError(t, err)
	require.Greater(t, len(stdout), 1000)
}
