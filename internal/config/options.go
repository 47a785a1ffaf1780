package config

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/copies"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/twilioapi"
)

// TwilioConfig returns the configuration of the Twilio client.
func (c *Config) TwilioConfig(lookup LookupFunc, log *slog.Logger) (twilioapi.Config, error) {
	roots, err := c.RootCAs()
	config := twilioapi.Config{
		BaseURL:      c.BaseURL,
		Edge:         c.Edge,
		Region:       c.Region,
		ServiceSID:   c.ChatServiceSID,
		RootCAs:      roots,
		Connections:  c.MaxConcurrent,
		IsolateReads: c.callerCredentials(),
		Credentials:  credentials(lookup),
		Timeout:      c.Timeout,
		Version:      Version(),
	}
	if c.callerCredentials() {
		if _, err := config.Credentials(); err == nil {
			log.Warn("--credentials caller: the Twilio credentials in the environment are not used")
		}
	}
	return config, err
}

// Level returns the least severe level that is logged.
func (c *Config) Level() slog.Level {
	switch {
	case c.LogLevel != nil:
		return *c.LogLevel
	case c.Command == "call":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}

// ServerOptions returns the options of the server, without its tools.
func (c *Config) ServerOptions(log *slog.Logger) serve.Options {
	return serve.Options{
		Version:       Version(),
		Log:           log,
		MaxMessage:    c.MaxMessage,
		MaxConcurrent: c.MaxConcurrent,
		Rate:          c.Rate,
		Burst:         c.Burst,
		Routing:       c.routing(),
		Grace:         c.Grace,
	}
}

// CopiesOptions returns the options of the store that the copies of the server share,
// and whether there is one.
func (c *Config) CopiesOptions(lookup LookupFunc, log *slog.Logger) (o copies.Options, ok bool, err error) {
	address := lookup.value("MCP_REDIS_URL")
	if address == "" {
		return o, false, nil
	}
	roots, err := c.RootCAs()
	return copies.Options{URL: address, TLS: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, Log: log}, true, err
}

// routing is the parameter that clients mirror in a header.
func (c *Config) routing() string {
	if c.RoutingHeader {
		return "ConversationSid"
	}
	return ""
}

// HTTPOptions returns the options for HTTP, and whether they allow the server to
// listen beyond loopback.
func (c *Config) HTTPOptions(lookup LookupFunc, log *slog.Logger) (o serve.HTTPOptions, allowRemote bool, err error) {
	options, err := c.accessOptions(lookup)
	if err != nil {
		return o, false, err
	}
	options.Log = log
	policy, err := access.New(options)
	if err != nil {
		return o, false, nameSetting(err)
	}
	authenticated := len(options.Tokens) > 0 || options.TokenFile != "" || options.CallerCredentials || options.Issuer != ""
	if c.AllowAnonymous && !authenticated {
		log.Warn("--allow-anonymous: anyone who can connect to the address can call the tools")
	}
	proxies, err := networks("--trusted-proxy", c.TrustedProxy)
	if err != nil {
		return o, false, err
	}
	return serve.HTTPOptions{Access: policy, TrustedProxies: proxies, Drain: c.Drain, IdleTimeout: c.IdleTimeout, CertFile: c.TLSCert, KeyFile: c.TLSKey}, authenticated || c.AllowAnonymous, nil
}

func (c *Config) accessOptions(lookup LookupFunc) (access.Options, error) {
	if err := c.checkHTTP(lookup); err != nil {
		return access.Options{}, err
	}
	tokens, err := authTokens(lookup)
	if err != nil {
		return access.Options{}, fmt.Errorf("MCP_AUTH_TOKEN: %w", err)
	}
	roots, err := c.RootCAs()
	return access.Options{
		AllowedHosts:      c.AllowedHost,
		AllowedOrigins:    c.AllowedOrigin,
		HostHint:          "the server's option --allowed-host adds a host",
		OriginHint:        "the server's option --allowed-origin adds an origin",
		Tokens:            tokens,
		TokenFile:         lookup.value("MCP_AUTH_TOKEN_FILE"),
		CallerCredentials: c.callerCredentials(),
		Issuer:            c.OAuthIssuer,
		PublicURL:         c.PublicURL,
		Audiences:         c.OAuthAudience,
		ScopePrefix:       c.OAuthScopePrefix,
		RootCAs:           roots,
	}, err
}

// checkHTTP checks combinations of settings that matter only over HTTP.
func (c *Config) checkHTTP(lookup LookupFunc) error {
	switch {
	case strings.HasSuffix(strings.TrimSuffix(c.PublicURL, "/"), "/mcp"):
		return errors.New("--public-url must be the base URL without /mcp, which is appended to it, such as https://mcp.example.com")
	case c.OAuthIssuer != "" && c.PublicURL == "":
		return errors.New("--oauth-issuer needs --public-url, the base URL of this server as clients see it, such as https://mcp.example.com")
	case c.OAuthIssuer != "" && HasTokens(lookup):
		return errors.New("--oauth-issuer cannot be combined with MCP_AUTH_TOKEN or MCP_AUTH_TOKEN_FILE: both use the Authorization header")
	case c.callerCredentials() && HasTokens(lookup):
		return errors.New("--credentials caller cannot be combined with MCP_AUTH_TOKEN or MCP_AUTH_TOKEN_FILE: both use the Authorization header")
	case c.OAuthIssuer == "" && len(c.OAuthAudience) > 0:
		return errors.New("--oauth-audience needs --oauth-issuer")
	case c.OAuthIssuer == "" && c.OAuthScopePrefix != "":
		return errors.New("--oauth-scope-prefix needs --oauth-issuer")
	}
	return nil
}

// authTokens returns the tokens in MCP_AUTH_TOKEN; nil: it is not set.
func authTokens(lookup LookupFunc) ([]string, error) {
	text := lookup.value("MCP_AUTH_TOKEN")
	switch {
	case text == "":
		return nil, nil
	case !isReal(text):
		return nil, errors.New("the value is a placeholder: replace it by a token, such as the output of openssl rand -hex 32")
	}
	return access.ParseTokens(text)
}

// Address returns the base URL of the server as clients see it: --public-url, or
// the address of the listener. If the server listens on all addresses, HOST stands
// for the host, and complete is false.
func (c *Config) Address(listener net.Addr) (base string, complete bool) {
	if c.PublicURL != "" {
		return strings.TrimSuffix(c.PublicURL, "/"), true
	}
	scheme, address := "http://", listener.String()
	if c.TLSCert != "" {
		scheme = "https://"
	}
	if tcp, ok := listener.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("%sHOST:%d", scheme, tcp.Port), false
	}
	return scheme + address, true
}

// Authorization returns a placeholder for the Authorization header that callers
// have to send. It is empty if they need none, or get a token by OAuth.
func (c *Config) Authorization(lookup LookupFunc) string {
	switch {
	case c.callerCredentials():
		return "Basic BASE64_OF_API_KEY_COLON_SECRET"
	case HasTokens(lookup):
		return "Bearer YOUR_TOKEN"
	default:
		return ""
	}
}

// HasTokens reports whether the environment has tokens that callers over HTTP
// must send.
func HasTokens(lookup LookupFunc) bool {
	return lookup.value("MCP_AUTH_TOKEN") != "" || lookup.value("MCP_AUTH_TOKEN_FILE") != ""
}

// settings are the flags and variables that set the options of access.
var settings = map[string]string{
	"AllowedHosts":      "--allowed-host",
	"AllowedOrigins":    "--allowed-origin",
	"Tokens":            "MCP_AUTH_TOKEN",
	"TokenFile":         "MCP_AUTH_TOKEN_FILE",
	"CallerCredentials": "--credentials caller",
	"Issuer":            "--oauth-issuer",
	"PublicURL":         "--public-url",
	"Audiences":         "--oauth-audience",
	"ScopePrefix":       "--oauth-scope-prefix",
}

// nameSetting names the flag or variable that set an invalid option.
func nameSetting(err error) error {
	if invalid, ok := errors.AsType[*access.OptionError](err); ok {
		return fmt.Errorf("%s: %w", settings[invalid.Option], invalid.Err)
	}
	return err
}

// RootCAs returns the certificate authorities of the operating system and those
// of --ca-file; nil: only those of the operating system.
func (c *Config) RootCAs() (*x509.CertPool, error) {
	if c.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("--ca-file: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca-file %s has no PEM certificate", c.CAFile)
	}
	return roots, nil
}
