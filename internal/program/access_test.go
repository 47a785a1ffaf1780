package program

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/tools"
)

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
		"TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", "token", "TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "secret"),
		"", "call", "list_conversation_webhooks", `{"ConversationSid":"x"}`)
	require.NoError(t, err)
	require.Equal(t, apiKey, username)
}

func TestCallersSendTheirOwnCredentials(t *testing.T) {
	t.Parallel()
	twilio, _, _ := serving(t, environment(), "sandbox", "--http", "127.0.0.1:0")
	url, logged, end := serving(t, environment("TWILIO_BASE_URL", twilio, "TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "hunter2"),
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

func TestTheScopesOfToolsAreThoseOfAccessTokens(t *testing.T) {
	t.Parallel()
	offered, err := tools.Select(tools.Selection{Toolsets: []string{"all"}})
	require.NoError(t, err)
	for _, tool := range servedTools(offered, nil) {
		require.Contains(t, []string{access.ScopeNone, access.ScopeRead, access.ScopeWrite}, tool.Scope, tool.Definition.Name)
	}
}
