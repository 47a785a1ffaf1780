package config_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/twilioapi"
)

// environment returns a lookup function for pairs of variable and value.
const (
	apiKey     = "SK00000000000000000000000000000001"
	accountSID = "AC00000000000000000000000000000001"
	serviceSID = "IS00000000000000000000000000000001"
)

func environment(pairs ...string) config.LookupFunc {
	return func(name string) (string, bool) {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1], true
			}
		}
		return "", false
	}
}

func parse(t *testing.T, lookup config.LookupFunc, args ...string) *config.Config {
	t.Helper()
	c, err := config.Parse(args, lookup, &bytes.Buffer{})
	require.NoError(t, err)
	return c
}

func TestTheDefaultsServeOverStdio(t *testing.T) {
	t.Parallel()
	c := parse(t, environment())
	require.Equal(t, "serve", c.Command)
	require.Empty(t, c.HTTP)
	require.False(t, c.Sandbox || c.ReadOnly || c.AllowAnonymous)
	require.Equal(t, 30*time.Second, c.Timeout)
	require.Equal(t, 10*time.Second, c.Grace)
	require.Zero(t, c.Drain)
	require.Equal(t, 128, c.MaxConcurrent)
	require.Equal(t, 1<<20, c.MaxMessage)
	require.Equal(t, slog.LevelInfo, c.Level())
	require.Equal(t, "text", c.LogFormat)
}

func TestCommandsAreParsedWithTheirArguments(t *testing.T) {
	t.Parallel()
	c := parse(t, environment(), "call", "--sandbox", "some_tool", "{}")
	require.Equal(t, "call", c.Command)
	require.Equal(t, "some_tool", c.Call.Tool)
	require.Equal(t, "{}", *c.Call.JSON)
	require.Nil(t, parse(t, environment(), "call", "some_tool").Call.JSON)
	require.Equal(t, "sandbox", parse(t, environment(), "sandbox").Command)
	require.Equal(t, "version", parse(t, environment(), "version").Command)
	require.Equal(t, "serve", parse(t, environment(), "serve", "--read-only").Command)
}

// Every flag with a variable can be set by it, and the flag takes precedence.
func TestEachFlagHasAVariableAndTakesPrecedence(t *testing.T) {
	t.Parallel()
	values := map[reflect.Kind][2]string{reflect.Bool: {"true", "false"}, reflect.Int: {"7", "8"}, reflect.Slice: {"a.example", "b.example"}, reflect.Float64: {"7.5", "8"}, reflect.String: {"x", "y"}}
	own := map[string][2]string{
		"Timeout": {"7s", "8s"}, "Grace": {"7s", "8s"}, "Drain": {"7s", "8s"}, "IdleTimeout": {"7s", "8s"}, "ChatServiceSID": {serviceSID, serviceSID}, "LogFormat": {"json", "text"}, "LogLevel": {"warn", "debug"},
		"Credentials": {"server", "server"}, "AllowCallback": {"10.0.0.0/8", "127.0.0.0/8"}, "TrustedProxy": {"10.0.0.0/8", "127.0.0.0/8"}, "AllowedOrigin": {"https://a.example", "https://b.example"},
	}
	for field := range reflect.TypeFor[config.Config]().Fields() {
		variable := field.Tag.Get("variable")
		if variable == "" || field.Name == "Burst" || strings.HasPrefix(field.Name, "TLS") { // they come in pairs
			continue
		}
		t.Run(field.Name, func(t *testing.T) {
			t.Parallel()
			value, ok := own[field.Name]
			if !ok {
				value = values[field.Type.Kind()]
			}
			get := func(c *config.Config) any { return reflect.ValueOf(c).Elem().FieldByIndex(field.Index).Interface() }
			flag := field.Tag.Get("name")
			if flag == "" {
				flag = strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(field.Name, "$1-$2"))
			}
			byVariable, byFlag := parse(t, environment(variable, value[0])), parse(t, environment(), "--"+flag+"="+value[0])
			require.Equal(t, get(byFlag), get(byVariable))
			require.Equal(t, get(parse(t, environment(), "--"+flag+"="+value[1])), get(parse(t, environment(variable, value[0]), "--"+flag+"="+value[1])))
		})
	}
}

func TestAnEmptyVariableAndABundlePlaceholderAreNotSet(t *testing.T) {
	t.Parallel()
	c := parse(t, environment("MCP_TIMEOUT", "", "MCP_READ_ONLY", "${user_config.read_only}", "TWILIO_EDGE", "${user_config.edge}", "MCP_LOG_LEVEL", "${user_config.x}"))
	require.Equal(t, 30*time.Second, c.Timeout)
	require.False(t, c.ReadOnly)
	require.Empty(t, c.Edge)
	_, err := twilio(t, environment("TWILIO_API_KEY", "${user_config.key}", "TWILIO_API_SECRET", "${user_config.secret}")).Credentials()
	require.ErrorContains(t, err, "no Twilio credentials")
	require.Equal(t, "a${user_config.ca}", parse(t, environment("MCP_CA_FILE", "a${user_config.ca}")).CAFile, "only the whole value is a placeholder")
}

// Whichever variable a bundle sets, its placeholder counts as not set.
func TestABundlePlaceholderIsNotSetWhicheverVariableItIs(t *testing.T) {
	t.Parallel()
	const placeholder = "${user_config.some_setting}"
	names := []string{"TWILIO_API_KEY", "TWILIO_API_SECRET", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "MCP_AUTH_TOKEN", "MCP_AUTH_TOKEN_FILE", "MCP_REDIS_URL"}
	for field := range reflect.TypeFor[config.Config]().Fields() {
		if variable := field.Tag.Get("variable"); variable != "" {
			names = append(names, variable)
		}
	}
	for _, name := range names {
		lookup := environment(name, placeholder)
		require.Equal(t, parse(t, environment()), parse(t, lookup), name)
		require.False(t, config.HasTokens(lookup), name)
		_, err := twilio(t, lookup).Credentials()
		require.ErrorContains(t, err, "the server has no Twilio credentials", name)
		_, allowRemote, err := parse(t, lookup).HTTPOptions(lookup, slog.New(slog.DiscardHandler))
		require.NoError(t, err, name)
		require.False(t, allowRemote, name)
	}
}

func TestAPlaceholderIsNoCredential(t *testing.T) {
	t.Parallel()
	for _, placeholder := range []string{
		"${env:TWILIO_API_SECRET}", "${TWILIO_API_SECRET}", "${TWILIO_API_SECRET:-hunter2}", "${input:TWILIO_API_SECRET}", "$TWILIO_API_SECRET",
		"%TWILIO_API_SECRET%", "YOUR_TWILIO_API_SECRET", "your-api-key-secret", "SKxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "xxxxxxxx", "SK...", "...",
	} {
		const named = "a placeholder instead of a value for TWILIO_API_SECRET; ask the user to set TWILIO_API_SECRET"
		_, err := twilio(t, environment("TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", placeholder)).Credentials()
		require.ErrorContains(t, err, named, placeholder)
		require.NotContains(t, err.Error(), "hunter2")
		_, err = twilio(t, environment("TWILIO_API_SECRET", placeholder)).Credentials()
		require.ErrorContains(t, err, named, placeholder)

		credentials, err := twilio(t, environment("TWILIO_API_KEY", placeholder, "TWILIO_API_SECRET", placeholder,
			"TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", "t")).Credentials()
		require.NoError(t, err, placeholder)
		require.Equal(t, accountSID, credentials.Username, "the account's credentials are used instead")
	}
	for _, secret := range []string{"a$b", "${", "$1ab", "x", "xxx", "0xxxxxxxxx", "a${env:X}", "yours", "%", "a..."} {
		_, err := twilio(t, environment("TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", secret)).Credentials()
		require.NoError(t, err, secret)
	}
}

func TestInvalidSettingsAreNamedWithWhatIsValid(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		env  config.LookupFunc
		args []string
		want string
	}{
		"unknown flag":        {environment(), []string{"--bogus"}, "unknown flag --bogus; see --help"},
		"unknown command":     {environment(), []string{"bogus"}, "unexpected argument bogus; see --help"},
		"missing tool":        {environment(), []string{"call"}, `expected "<tool>"; see --help`},
		"duration":            {environment(), []string{"--timeout", "soon"}, `--timeout: expected duration but got "soon"`},
		"variable":            {environment("MCP_TIMEOUT", "soon"), nil, `MCP_TIMEOUT: --timeout: expected duration but got "soon"`},
		"long timeout":        {environment(), []string{"--timeout=1h"}, "--timeout must be longer than 0 and at most 5m"},
		"negative timeout":    {environment(), []string{"--timeout=-1s"}, "--timeout must be longer than 0"},
		"negative grace":      {environment(), []string{"--grace=-1s"}, "--grace and --drain must not be less than 0"},
		"negative drain":      {environment(), []string{"--drain=-1s"}, "--grace and --drain must not be less than 0"},
		"no calls":            {environment(), []string{"--max-concurrent=0"}, "--max-concurrent must be 1 to 10000"},
		"too many calls":      {environment(), []string{"--max-concurrent=10001"}, "--max-concurrent must be 1 to 10000"},
		"no message":          {environment(), []string{"--max-message=0"}, "--max-message must be 1 to 67108864 bytes"},
		"large message":       {environment(), []string{"--max-message=67108865"}, "--max-message must be 1 to 67108864 bytes"},
		"negative rate":       {environment(), []string{"--rate=-1"}, "--rate and --burst must be 0 to 1000000, such as --rate 5 --burst 10"},
		"no number of calls":  {environment("MCP_RATE", "NaN"), nil, "--rate and --burst must be"},
		"rate in words":       {environment("MCP_RATE", "5/s"), nil, "MCP_RATE: --rate"},
		"burst alone":         {environment(), []string{"--burst=5"}, "--burst needs --rate"},
		"log format":          {environment(), []string{"--log-format=xml"}, "--log-format must be one of"},
		"log level":           {environment("MCP_LOG_LEVEL", "loud"), nil, "MCP_LOG_LEVEL: --log-level"},
		"boolean":             {environment("MCP_READ_ONLY", "yes please"), nil, "MCP_READ_ONLY: --read-only"},
		"certificate alone":   {environment(), []string{"--tls-cert=x"}, "--tls-cert and --tls-key must be given together"},
		"key alone":           {environment(), []string{"--tls-key=x"}, "--tls-cert and --tls-key must be given together"},
		"caller over stdio":   {environment(), []string{"--credentials=caller"}, "--credentials caller needs --http"},
		"caller with call":    {environment(), []string{"call", "--credentials=caller", "--http=127.0.0.1:0", "x"}, "--credentials caller is for callers over HTTP; with call, give --credentials server"},
		"caller with sandbox": {environment(), []string{"--credentials=caller", "--sandbox", "--http=127.0.0.1:0"}, "--credentials caller and --sandbox are mutually exclusive"},
		"credentials":         {environment(), []string{"--credentials=mine"}, "--credentials must be one of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := config.Parse(row.args, row.env, &bytes.Buffer{})
			require.ErrorContains(t, err, row.want)
		})
	}
}

func TestHelpShowsEverySettingWithItsVariableAndNoSecret(t *testing.T) {
	t.Parallel()
	var help bytes.Buffer
	_, err := config.Parse([]string{"--help"}, environment("TWILIO_API_SECRET", "hunter2", "MCP_AUTH_TOKEN", "hunter2"), &help)
	require.ErrorIs(t, err, config.ErrHelp)
	for field := range reflect.TypeFor[config.Config]().Fields() {
		if variable := field.Tag.Get("variable"); variable != "" {
			require.Contains(t, help.String(), "[$"+variable+"]")
		}
	}
	require.NotContains(t, help.String(), "hunter2")
}

func twilio(t *testing.T, lookup config.LookupFunc, args ...string) twilioapi.Config {
	t.Helper()
	config, err := parse(t, lookup, args...).TwilioConfig(lookup, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return config
}

func TestTheAPIKeyTakesPrecedenceAndMissingCredentialsAreNamed(t *testing.T) {
	t.Parallel()
	const none = "the server has no Twilio credentials; ask the user to set TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN"
	for name, row := range map[string]struct {
		env      []string
		username string
		want     string
	}{
		"key":              {[]string{"TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "s"}, apiKey, ""},
		"account":          {[]string{"TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", "t"}, accountSID, ""},
		"both":             {[]string{"TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", "t", "TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "s"}, apiKey, ""},
		"account and key":  {[]string{"TWILIO_API_KEY", apiKey, "TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", "t"}, accountSID, ""},
		"none":             {nil, "", none},
		"key alone":        {[]string{"TWILIO_API_KEY", apiKey}, "", "has TWILIO_API_KEY but not TWILIO_API_SECRET; ask the user to set TWILIO_API_SECRET too"},
		"secret alone":     {[]string{"TWILIO_API_SECRET", "s"}, "", "has TWILIO_API_SECRET but not TWILIO_API_KEY"},
		"account alone":    {[]string{"TWILIO_ACCOUNT_SID", accountSID, "TWILIO_AUTH_TOKEN", ""}, "", "has TWILIO_ACCOUNT_SID but not TWILIO_AUTH_TOKEN"},
		"half of each set": {[]string{"TWILIO_API_KEY", apiKey, "TWILIO_ACCOUNT_SID", accountSID}, "", "has TWILIO_API_KEY but not TWILIO_API_SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			credentials, err := twilio(t, environment(row.env...)).Credentials()
			require.Equal(t, row.username, credentials.Username)
			if row.want == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, row.want)
			}
		})
	}
}

func TestSettingsReachTheTwilioClient(t *testing.T) {
	t.Parallel()
	c := twilio(t, environment("TWILIO_REGION", "ie1"), "--edge=dublin", "--base-url=https://twilio.example", "--chat-service-sid="+serviceSID, "--timeout=7s", "--max-concurrent=9")
	require.Equal(t, "dublin", c.Edge)
	require.Equal(t, "ie1", c.Region)
	require.Equal(t, "https://twilio.example", c.BaseURL)
	require.Equal(t, serviceSID, c.ServiceSID)
	require.Equal(t, 7*time.Second, c.Timeout)
	require.Equal(t, 9, c.Connections)
}

func TestUnusedTwilioCredentialsAreLogged(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	lookup := environment("TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "hunter2")
	config, err := parse(t, lookup, "--credentials=caller", "--http=127.0.0.1:0").TwilioConfig(lookup, slog.New(slog.NewTextHandler(&lines, nil)))
	require.NoError(t, err)
	require.True(t, config.IsolateReads)
	require.Contains(t, lines.String(), "the Twilio credentials in the environment are not used")
	require.NotContains(t, lines.String(), "hunter2")
}

func TestAnAddressBeyondLoopbackNeedsAuthentication(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		env         []string
		args        []string
		allowRemote bool
		logged      string
	}{
		"nothing":   {nil, nil, false, ""},
		"tokens":    {[]string{"MCP_AUTH_TOKEN", "0123456789abcdef"}, nil, true, ""},
		"caller":    {nil, []string{"--credentials=caller"}, true, ""},
		"anonymous": {nil, []string{"--allow-anonymous"}, true, "anyone who can connect"},
		"both":      {[]string{"MCP_AUTH_TOKEN", "0123456789abcdef"}, []string{"--allow-anonymous"}, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var lines bytes.Buffer
			lookup := environment(row.env...)
			o, allowRemote, err := parse(t, lookup, append(row.args, "--http=127.0.0.1:0")...).HTTPOptions(lookup, slog.New(slog.NewTextHandler(&lines, nil)))
			require.NoError(t, err)
			require.NotNil(t, o.Access)
			require.Equal(t, row.allowRemote, allowRemote)
			require.Contains(t, lines.String(), row.logged)
			require.Equal(t, row.logged == "", lines.Len() == 0)
		})
	}
}

func TestInvalidAccessSettingsAreNamed(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(file, []byte("0123456789abcdef and more\n"), 0o600))
	const token = "0123456789abcdef"
	for name, row := range map[string]struct {
		env  []string
		args []string
		want string
	}{
		"origin":              {nil, []string{"--allowed-origin=app.example.com"}, `--allowed-origin: "app.example.com" is not an origin, such as https://app.example.com`},
		"origin with path":    {nil, []string{"--allowed-origin=https://app.example.com/x"}, "--allowed-origin: "},
		"host":                {nil, []string{"--allowed-host=https://mcp.example.com"}, "is not a host name, such as mcp.example.com"},
		"no token":            {[]string{"MCP_AUTH_TOKEN", " , "}, nil, "MCP_AUTH_TOKEN: no token is listed"},
		"token reference":     {[]string{"MCP_AUTH_TOKEN", "${env:MCP_AUTH_TOKEN}"}, nil, "MCP_AUTH_TOKEN: the value is a placeholder: replace it by a token"},
		"token placeholder":   {[]string{"MCP_AUTH_TOKEN", "YOUR_MCP_AUTH_TOKEN"}, nil, "MCP_AUTH_TOKEN: the value is a placeholder"},
		"prefix alone":        {nil, []string{"--oauth-scope-prefix=api://x/"}, "--oauth-scope-prefix needs --oauth-issuer"},
		"prefix of a URL":     {nil, []string{"--oauth-issuer=https://login.example", "--public-url=https://mcp.example", "--oauth-scope-prefix=api://x"}, `--oauth-scope-prefix: "api://x" is not what a scope begins with, such as api://APPLICATION_ID/`},
		"audience alone":      {nil, []string{"--oauth-audience=x"}, "--oauth-audience needs --oauth-issuer"},
		"no network":          {nil, []string{"--trusted-proxy=10.0.0.1"}, `--trusted-proxy: "10.0.0.1" is not a network, such as 10.0.0.0/8`},
		"short token":         {[]string{"MCP_AUTH_TOKEN", "hunter2"}, nil, "MCP_AUTH_TOKEN: line 1: "},
		"missing file":        {[]string{"MCP_AUTH_TOKEN_FILE", "/nonexistent"}, nil, "MCP_AUTH_TOKEN_FILE: stat /nonexistent"},
		"invalid file":        {[]string{"MCP_AUTH_TOKEN_FILE", file}, nil, "MCP_AUTH_TOKEN_FILE: "},
		"tokens and caller":   {[]string{"MCP_AUTH_TOKEN", token}, []string{"--credentials=caller"}, "--credentials caller cannot be combined with MCP_AUTH_TOKEN or MCP_AUTH_TOKEN_FILE"},
		"tokens and issuer":   {[]string{"MCP_AUTH_TOKEN", token}, []string{"--oauth-issuer=https://id.example", "--public-url=https://mcp.example"}, "--oauth-issuer cannot be combined with MCP_AUTH_TOKEN or MCP_AUTH_TOKEN_FILE"},
		"caller and issuer":   {nil, []string{"--credentials=caller", "--oauth-issuer=https://id.example", "--public-url=https://mcp.example"}, "--oauth-issuer: cannot be combined"},
		"issuer without URL":  {nil, []string{"--oauth-issuer=https://id.example"}, "--oauth-issuer needs --public-url"},
		"URL of the endpoint": {nil, []string{"--public-url=https://mcp.example/mcp/"}, "--public-url must be the base URL without /mcp"},
		"issuer over HTTP":    {nil, []string{"--oauth-issuer=http://id.example", "--public-url=https://mcp.example"}, "--oauth-issuer: "},
		"public URL":          {nil, []string{"--public-url=mcp.example"}, "--public-url: must be a URL such as https://"},
		"no CA file":          {nil, []string{"--ca-file=/nonexistent"}, "--ca-file: open /nonexistent"},
		"bad CA file":         {nil, []string{"--ca-file=" + file}, "has no PEM certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			lookup := environment(row.env...)
			_, _, err := parse(t, lookup, append(row.args, "--http=127.0.0.1:0")...).HTTPOptions(lookup, slog.New(slog.DiscardHandler))
			require.ErrorContains(t, err, row.want)
			require.NotContains(t, err.Error(), "hunter2")
		})
	}
}

func TestVersionStringNamesProgramCommitAndGo(t *testing.T) {
	t.Parallel()
	require.Regexp(t, `^twilio-conversations-mcp \S+ \(commit \S+, go1\.\S+\)$`, config.VersionString())
}

func TestSettingsReachTheServer(t *testing.T) {
	t.Parallel()
	logger := slog.New(slog.DiscardHandler)
	o := parse(t, environment("MCP_MAX_MESSAGE", "2048"), "--max-concurrent=9", "--grace=7s").ServerOptions(logger)
	require.Equal(t, 2048, o.MaxMessage)
	require.Equal(t, 9, o.MaxConcurrent)
	require.Equal(t, 7*time.Second, o.Grace)
	require.Equal(t, config.Version(), o.Version)
	require.Same(t, logger, o.Log)
}

// send sends a request to a server with the access settings of a command line,
// and returns the status and the body of the response.
func send(t *testing.T, lookup config.LookupFunc, args []string, edit func(*http.Request)) (status int, body string) {
	t.Helper()
	o, _, err := parse(t, lookup, append(args, "--http=127.0.0.1:0")...).HTTPOptions(lookup, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	r, w := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost/mcp", nil), httptest.NewRecorder()
	edit(r)
	if caller, ok := o.Access.Admit(w, r); ok {
		return http.StatusOK, caller.Username
	}
	return w.Code, w.Body.String()
}

func TestAccessSettingsReachThePolicy(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(file, []byte("token-of-the-file\n"), 0o600))
	host := func(name string) func(*http.Request) { return func(r *http.Request) { r.Host = name } }
	with := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	tokens := []string{"MCP_AUTH_TOKEN", "token-of-the-variable,another-of-the-variable", "MCP_AUTH_TOKEN_FILE", file}
	oauth := []string{"--oauth-issuer=https://id.example", "--public-url=https://mcp.example"}
	for name, row := range map[string]struct {
		env    []string
		args   []string
		edit   func(*http.Request)
		status int
		body   string
	}{
		"loopback":             {nil, nil, host("localhost:8080"), 200, ""},
		"another host":         {nil, nil, host("mcp.example"), 403, "the server's option --allowed-host adds a host"},
		"an allowed host":      {nil, []string{"--allowed-host=a.example,mcp.example"}, host("mcp.example:8443"), 200, ""},
		"the public host":      {nil, []string{"--public-url=https://mcp.example/twilio"}, host("mcp.example"), 200, ""},
		"another origin":       {nil, nil, with("Origin", "https://app.example"), 403, "the server's option --allowed-origin adds an origin"},
		"an allowed origin":    {[]string{"MCP_ALLOWED_ORIGIN", "https://app.example"}, nil, with("Origin", "https://app.example"), 200, ""},
		"no token":             {tokens, nil, host("localhost"), 401, "Authorization: Bearer"},
		"a token":              {tokens, nil, with("Authorization", "Bearer another-of-the-variable"), 200, ""},
		"a token of the file":  {tokens, nil, with("Authorization", "Bearer token-of-the-file"), 200, ""},
		"the caller's own":     {nil, []string{"--credentials=caller"}, func(r *http.Request) { r.SetBasicAuth(apiKey, "x") }, 200, apiKey},
		"no credentials":       {nil, []string{"--credentials=caller"}, host("localhost"), 401, "HTTP Basic"},
		"no access token":      {nil, oauth, host("mcp.example"), 401, "https://id.example"},
		"an invalid token":     {nil, oauth, with("Authorization", "Bearer x"), 401, "not a JWT"},
		"credentials unneeded": {[]string{"TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "x"}, nil, host("localhost"), 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := send(t, environment(row.env...), row.args, row.edit)
			require.Equal(t, row.status, status, body)
			require.Contains(t, body, row.body)
		})
	}
}

func TestTheDrainTimeAndTheCertificateReachHTTP(t *testing.T) {
	t.Parallel()
	lookup := environment()
	o, _, err := parse(t, lookup, "--http=127.0.0.1:0", "--drain=5s", "--tls-cert=cert.pem", "--tls-key=key.pem").HTTPOptions(lookup, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.Equal(t, 5*time.Second, o.Drain)
	require.Equal(t, []string{"cert.pem", "key.pem"}, []string{o.CertFile, o.KeyFile})
}

func TestTheAddressOfTheServer(t *testing.T) {
	t.Parallel()
	at := func(ip string) net.Addr { return &net.TCPAddr{IP: net.ParseIP(ip), Port: 8080} }
	for name, row := range map[string]struct {
		args     []string
		listener net.Addr
		address  string
		complete bool
	}{
		"loopback":      {nil, at("127.0.0.1"), "http://127.0.0.1:8080", true},
		"IPv6":          {nil, at("::1"), "http://[::1]:8080", true},
		"TLS":           {[]string{"--tls-cert=c", "--tls-key=k"}, at("192.0.2.1"), "https://192.0.2.1:8080", true},
		"all addresses": {nil, at("0.0.0.0"), "http://HOST:8080", false},
		"all IPv6":      {[]string{"--tls-cert=c", "--tls-key=k"}, at("::"), "https://HOST:8080", false},
		"a public URL":  {[]string{"--public-url=https://mcp.example/"}, at("0.0.0.0"), "https://mcp.example", true},
		"a path":        {[]string{"--public-url=https://mcp.example/twilio"}, at("127.0.0.1"), "https://mcp.example/twilio", true},
	} {
		address, complete := parse(t, environment(), row.args...).Address(row.listener)
		require.Equal(t, row.address, address, name)
		require.Equal(t, row.complete, complete, name)
	}
}

func TestTheAuthorizationThatCallersSend(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		env    []string
		args   []string
		want   string
		tokens bool
	}{
		"none":              {nil, nil, "", false},
		"a token":           {[]string{"MCP_AUTH_TOKEN", "0123456789abcdef"}, nil, "Bearer YOUR_TOKEN", true},
		"a file":            {[]string{"MCP_AUTH_TOKEN_FILE", "/tokens"}, nil, "Bearer YOUR_TOKEN", true},
		"an empty variable": {[]string{"MCP_AUTH_TOKEN", "", "MCP_AUTH_TOKEN_FILE", "${user_config.file}"}, nil, "", false},
		"caller":            {nil, []string{"--credentials=caller", "--http=127.0.0.1:0"}, "Basic BASE64_OF_API_KEY_COLON_SECRET", false},
		"OAuth":             {nil, []string{"--oauth-issuer=https://id.example", "--public-url=https://mcp.example"}, "", false},
	} {
		lookup := environment(row.env...)
		require.Equal(t, row.want, parse(t, lookup, row.args...).Authorization(lookup), name)
		require.Equal(t, row.tokens, config.HasTokens(lookup), name)
	}
}

// The authorities of --ca-file are trusted in addition to those of the operating
// system: only then does the client accept the server's certificate.
func TestACAFileIsTrusted(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"webhooks":[]}`)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	require.NoError(t, os.WriteFile(file, authority, 0o600))
	lookup := environment("TWILIO_API_KEY", apiKey, "TWILIO_API_SECRET", "x")
	for args, trusted := range map[string]bool{"--ca-file=" + file: true, "--edge=": false} {
		c := twilio(t, lookup, "--base-url="+server.URL, args)
		c.Sleep = func(context.Context, time.Duration) error { return nil }
		client, err := twilioapi.New(c)
		require.NoError(t, err)
		_, err = client.ListWebhooks(t.Context(), "CH1", twilioapi.Page{})
		require.Equal(t, trusted, err == nil, err)
	}
	_, err := parse(t, lookup, "--ca-file=/nonexistent").TwilioConfig(lookup, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "--ca-file: open /nonexistent")
}
