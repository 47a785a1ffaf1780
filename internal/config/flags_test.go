package config_test

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/config"
)

func TestFlagsAndArgumentsComeInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"call --sandbox --timeout=7s list {}", "--sandbox call --timeout 7s list {}", "call list --sandbox {} --timeout 7s", "--timeout 7s --sandbox=yes call -- list {}",
	} {
		c := parse(t, environment(), strings.Fields(line)...)
		require.Equal(t, "call", c.Command, line)
		require.Equal(t, "list", c.Call.Tool, line)
		require.Equal(t, "{}", *c.Call.JSON, line)
		require.Equal(t, 7*time.Second, c.Timeout, line)
		require.True(t, c.Sandbox, line)
	}
	require.Equal(t, "-", *parse(t, environment(), "call", "list", "-").Call.JSON)
	require.Equal(t, "--sandbox", *parse(t, environment(), "call", "list", "--", "--sandbox").Call.JSON)
	require.Nil(t, parse(t, environment(), "call", "list").Call.JSON)
	require.Equal(t, "call", parse(t, environment(), "call", "call").Call.Tool, "only the first word is a command")
}

func TestAListIsRepeatedOrSeparatedByCommas(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"--allowed-host=a,b --allowed-host c", "--allowed-host a --allowed-host b,c"} {
		require.Equal(t, []string{"a", "b", "c"}, parse(t, environment("MCP_ALLOWED_HOST", "d"), strings.Fields(line)...).AllowedHost, "the variable is not used")
	}
	require.Equal(t, []string{"d", "e"}, parse(t, environment("MCP_ALLOWED_HOST", "d,e")).AllowedHost)
}

func TestACommandLineThatIsWrongIsRefused(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"call":                       `expected "<tool>"; see --help`,
		"config":                     `expected "<client>"; see --help`,
		"call a b c":                 "unexpected argument c; see --help",
		"version extra":              "unexpected argument extra; see --help",
		"-":                          "unexpected argument -; see --help",
		"-- version":                 "unexpected argument version; see --help",
		"-x":                         "unknown flag -x; see --help",
		"--":                         "",
		"--=x":                       "unknown flag --; see --help",
		"--no-docs":                  "unknown flag --no-docs; see --help",
		"--status 200":               "unknown flag --status; see --help",
		"sandbox --status 200":       "unknown flag --status; see --help",
		"--timeout":                  "--timeout: missing value; see --help",
		"--edge --sandbox":           "--edge: missing value; see --help",
		"--timeout=":                 `--timeout: expected duration but got ""; valid is, for example, 30s; see --help`,
		"--max-concurrent 1.5":       `--max-concurrent: expected an integer but got "1.5"; see --help`,
		"--max-concurrent 1e99":      `--max-concurrent: expected an integer but got "1e99"; see --help`,
		"--rate x":                   `--rate: expected a number but got "x"; see --help`,
		"--docs=maybe":               `--docs: expected true or false but got "maybe"; see --help`,
		"--log-format=":              `--log-format must be one of text, json but got ""; see --help`,
		"--log-format text,json":     `--log-format must be one of text, json but got "text,json"; see --help`,
		"--timeout soon --timeout 1": `--timeout: expected duration but got "soon"`,
	} {
		_, err := config.Parse(strings.Fields(line), environment(), &bytes.Buffer{})
		if want == "" {
			require.NoError(t, err, line)
		} else {
			require.ErrorContains(t, err, want, line)
		}
	}
}

func TestEveryCommandHasAHelpTextThatFitsAWindow(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][]string{
		"--help":             {"Usage: twilio-conversations-mcp [<command>] [flags]", "  call <tool> [<json>]\n", "HTTP:\n  --http=HOST:PORT\n", "-h, --help"},
		"-h call":            {"Usage: twilio-conversations-mcp call <tool> [<json>] [flags]", "  <tool>\n      The tool to call.\n", "  --timeout=DURATION\n"},
		"call --help":        {"Usage: twilio-conversations-mcp call <tool> [<json>] [flags]"},
		"listen --help":      {"  --status=CODE\n", "  --http=HOST:PORT\n"},
		"config -h --bogus1": {"unknown flag --bogus1"},
	} {
		var help bytes.Buffer
		_, err := config.Parse(strings.Fields(line), environment(), &help)
		require.Error(t, err)
		text := help.String() + err.Error()
		for _, w := range want {
			require.Contains(t, text, w, line)
		}
		for l := range strings.Lines(help.String()) {
			require.LessOrEqual(t, utf8.RuneCountInString(l), 81, l)
		}
	}
}
