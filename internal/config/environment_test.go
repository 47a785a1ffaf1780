package config_test

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/config"
)

// Public bug reports about other servers have these values of variables.
func TestVariablesAreReadAsFilesAndClientsWriteThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		variable, value string
		get             func(*config.Config) any
		want            any
		warns           bool
	}{
		"a space after the comma":    {"MCP_TOOLSETS", "webhooks, manage", func(c *config.Config) any { return c.Toolsets }, []string{"webhooks", "manage"}, false},
		"a space at the end":         {"MCP_TOOLSETS", "manage ", func(c *config.Config) any { return c.Toolsets }, []string{"manage"}, false},
		"an empty item":              {"MCP_TOOLSETS", "webhooks,,docs", func(c *config.Config) any { return c.Toolsets }, []string{"webhooks", "docs"}, false},
		"another case":               {"MCP_TOOLSETS", "All", func(c *config.Config) any { return c.Toolsets }, []string{"all"}, false},
		"another case of an enum":    {"MCP_LOG_FORMAT", "JSON", func(c *config.Config) any { return c.LogFormat }, "json", false},
		"carriage return":            {"TWILIO_EDGE", "dublin\r\n", func(c *config.Config) any { return c.Edge }, "dublin", false},
		"a placeholder":              {"TWILIO_EDGE", "${TWILIO_EDGE}", func(c *config.Config) any { return c.Edge }, "", true},
		"a placeholder of a list":    {"MCP_TOOLSETS", "${MCP_TOOLSETS:-}", func(c *config.Config) any { return c.Toolsets }, []string{"webhooks"}, true},
		"a placeholder of a SID":     {"TWILIO_CHAT_SERVICE_SID", "${TWILIO_CHAT_SERVICE_SID}", func(c *config.Config) any { return c.ChatServiceSID }, "", true},
		"a placeholder of a default": {"MCP_TIMEOUT", "${input:timeout}", func(c *config.Config) any { return c.Timeout.String() }, "30s", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := config.Parse(nil, environment(test.variable, test.value), io.Discard)
			require.NoError(t, err)
			require.Equal(t, test.want, test.get(c))
			if test.warns {
				require.Len(t, c.Warnings, 1)
				require.Contains(t, c.Warnings[0], test.variable)
			} else {
				require.Empty(t, c.Warnings)
			}
		})
	}
}

func TestASettingThatNarrowsIsNeverLeftOut(t *testing.T) {
	t.Parallel()
	for _, variable := range []string{"MCP_READ_ONLY", "MCP_TOOLS", "MCP_EXCLUDE_TOOLS"} {
		_, err := config.Parse(nil, environment(variable, "${"+variable+"}"), io.Discard)
		require.ErrorContains(t, err, variable+" got the placeholder ${"+variable+"}")
	}
}

func TestErrorsNameTheSettingAndItsValue(t *testing.T) {
	t.Parallel()
	for flag, value := range map[string]string{
		"--edge": "a.b", "--region": "ie 1", "--chat-service-sid": "IS1", "--timeout": "10m0s", "--max-concurrent": "0",
		"--max-message": "0", "--idle-timeout": "-1s", "--log-format": "xml",
	} {
		_, err := config.Parse([]string{flag + "=" + value}, environment(), io.Discard)
		require.ErrorContains(t, err, flag)
		require.ErrorContains(t, err, value)
	}
}

func TestCredentialsHaveTheirForm(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ key, secret, want string }{
		"quotation marks around the key":    {`"` + apiKey + `"`, "hunter2", "TWILIO_API_KEY has quotation marks"},
		"quotation marks around the secret": {apiKey, "'hunter2'", "TWILIO_API_SECRET has quotation marks"},
		"a placeholder of documentation":    {"<your-api-key>", "hunter2", "TWILIO_API_KEY of the server must be an API key's SID: SK and 32 hexadecimal digits; the value has 14 characters and does not start with SK"},
		"a reference to a vault":            {"op://vault/twilio/key", "hunter2", "TWILIO_API_KEY of the server must be"},
		"an account SID":                    {accountSID, "hunter2", "the value has 34 characters and does not start with SK"},
		"too short":                         {apiKey[:33], "hunter2", "the value has 33 characters and starts with SK"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := twilio(t, environment("TWILIO_API_KEY", test.key, "TWILIO_API_SECRET", test.secret)).Credentials()
			require.ErrorContains(t, err, test.want)
			require.NotContains(t, err.Error(), "hunter2")
			require.NotContains(t, err.Error(), strings.Trim(test.key, `"`))
		})
	}
	found, err := twilio(t, environment("TWILIO_API_KEY", "\t"+apiKey+"\r\n", "TWILIO_API_SECRET", "hunter2\n")).Credentials()
	require.NoError(t, err)
	require.Equal(t, [2]string{apiKey, "hunter2"}, [2]string{found.Username, found.Password})
}
