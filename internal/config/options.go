package config

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/twilioapi"
)

// Twilio returns the configuration of the Twilio client.
func (c *Config) Twilio(lookup LookupFunc, log *slog.Logger) twilioapi.Config {
	config := twilioapi.Config{
		BaseURL:     c.BaseURL,
		Edge:        c.Edge,
		Region:      c.Region,
		ServiceSID:  c.ChatServiceSID,
		Connections: c.MaxConcurrent,
		Credentials: credentials(lookup),
		Timeout:     c.Timeout,
		Version:     Version(),
	}
	if c.callerCredentials() {
		if _, err := config.Credentials(); err == nil {
			log.Warn("--credentials caller: the Twilio credentials in the environment are not used")
		}
	}
	return config
}

// Server returns the options of the server, without its tools.
func (c *Config) Server(log *slog.Logger) serve.Options {
	return serve.Options{
		Version:       Version(),
		Log:           log,
		MaxMessage:    c.MaxMessage,
		MaxConcurrent: c.MaxConcurrent,
		Grace:         c.Grace,
	}
}

// ServeHTTP returns the options for HTTP, and whether they allow the server to
// listen beyond loopback.
func (c *Config) ServeHTTP(lookup LookupFunc, log *slog.Logger) (o serve.HTTPOptions, allowRemote bool, err error) {
	tokens, err := tokens(lookup)
	if err != nil {
		return o, false, err
	}
	authenticated := c.callerCredentials() || len(tokens) > 0
	switch {
	case c.callerCredentials() && len(tokens) > 0:
		return o, false, errors.New("--credentials caller and MCP_AUTH_TOKEN are mutually exclusive: both use the Authorization header")
	case c.AllowAnonymous && !authenticated:
		log.Warn("--allow-anonymous: anyone who can connect to the address can call the tools")
	}
	policy := access.New(access.Options{
		AllowedHosts:      c.AllowedHost,
		AllowedOrigins:    c.AllowedOrigin,
		Tokens:            tokens,
		CallerCredentials: c.callerCredentials(),
	})
	return serve.HTTPOptions{Access: policy, Drain: c.Drain, CertFile: c.TLSCert, KeyFile: c.TLSKey}, authenticated || c.AllowAnonymous, nil
}

// tokens returns the bearer tokens of MCP_AUTH_TOKEN and of the file that
// MCP_AUTH_TOKEN_FILE names. There are none if neither variable is set.
func tokens(lookup LookupFunc) ([]string, error) {
	text, file := lookup.value("MCP_AUTH_TOKEN"), lookup.value("MCP_AUTH_TOKEN_FILE")
	if text == "" && file == "" {
		return nil, nil
	}
	if file != "" {
		read, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("MCP_AUTH_TOKEN_FILE: %w", err)
		}
		text += "\n" + string(read)
	}
	all := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\r' || r == '\n' })
	if len(all) == 0 {
		return nil, errors.New("MCP_AUTH_TOKEN and MCP_AUTH_TOKEN_FILE contain no token")
	}
	return all, nil
}
