package config

import (
	"errors"
	"io"
	"log/slog"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/twilioapi"
)

// Twilio returns the settings of the client.
func (c *CommandLine) Twilio(lookup LookupFunc, log *slog.Logger) twilioapi.Config {
	config := twilioapi.Config{
		BaseURL:     c.BaseURL,
		Edge:        c.Edge,
		Region:      c.Region,
		ServiceSID:  c.ChatServiceSID,
		Connections: c.MaxConcurrent,
		Credentials: serverCredentials(lookup),
		Timeout:     c.Timeout,
		Version:     Version(),
	}
	if c.caller() {
		if _, err := config.Credentials(); err == nil {
			log.Warn("--credentials caller: the Twilio credentials in the environment are not used")
		}
	}
	return config
}

func (c *CommandLine) caller() bool { return c.Credentials == "caller" }

// Server returns the settings of the server, without its tools.
func (c *CommandLine) Server(log *slog.Logger) serve.Options {
	return serve.Options{
		Version:       Version(),
		Log:           log,
		MaxMessage:    c.MaxMessage,
		MaxConcurrent: c.MaxConcurrent,
		Grace:         c.Grace,
	}
}

// Reach returns who may reach the server over HTTP, and whether that lets it
// listen beyond loopback.
func (c *CommandLine) Reach(lookup LookupFunc, log *slog.Logger) (o serve.HTTPOptions, open bool, err error) {
	tokens, err := tokens(lookup)
	if err != nil {
		return o, false, err
	}
	guarded := c.caller() || len(tokens) > 0
	switch {
	case c.caller() && len(tokens) > 0:
		return o, false, errors.New("--credentials caller and MCP_AUTH_TOKEN exclude each other: both want the Authorization header")
	case c.AllowAnonymous && !guarded:
		log.Warn("--allow-anonymous: whoever reaches the address may call")
	}
	policy, err := access.New(access.Options{
		AllowedHosts:      c.AllowedHost,
		AllowedOrigins:    c.AllowedOrigin,
		HostHint:          "the server's option --allowed-host adds a host",
		OriginHint:        "the server's option --allowed-origin adds an origin",
		Tokens:            tokens,
		CallerCredentials: c.caller(),
		Log:               log,
	})
	if err != nil {
		return o, false, err
	}
	return serve.HTTPOptions{
		Access:   policy,
		Drain:    c.Drain,
		CertFile: c.TLSCert,
		KeyFile:  c.TLSKey,
	}, guarded || c.AllowAnonymous, nil
}

// Logger returns the log of the server, and what waits until it is written.
func (c *CommandLine) Logger(stderr io.Writer) (log *slog.Logger, flush func()) {
	lines := newAsyncWriter(stderr)
	options := &slog.HandlerOptions{Level: c.LogLevel}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(lines, options)), lines.flush
	}
	return slog.New(slog.NewTextHandler(lines, options)), lines.flush
}
