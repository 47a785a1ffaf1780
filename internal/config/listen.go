package config

import (
	"cmp"
	"io"

	"twilio-conversations-mcp/internal/listen"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

// SandboxOptions returns what the command sandbox serves.
func (c *Config) SandboxOptions(lookup LookupFunc) sandbox.Options {
	return sandbox.Options{BaseURL: c.BaseURL, AuthToken: lookup.value("TWILIO_AUTH_TOKEN"), Deliver: sandbox.Deliver(c.SandboxAPI.Deliver)}
}

// ListenOptions returns the options of the receiver, which prints to out. Without
// TWILIO_AUTH_TOKEN it checks signatures with the token of the sandbox, and isSandbox
// is true.
func (c *Config) ListenOptions(lookup LookupFunc, out io.Writer) (o listen.Options, isSandbox bool) {
	token := lookup.value("TWILIO_AUTH_TOKEN")
	return listen.Options{
		AuthToken: cmp.Or(token, sandbox.AuthToken),
		Key:       lookup.value("TWILIO_WEBHOOK_KEY"),
		PublicURL: c.PublicURL,
		Status:    c.Listen.Status,
		Delay:     c.Listen.Delay,
		JSON:      c.Listen.Format == "json",
		Out:       out,
	}, token == ""
}
