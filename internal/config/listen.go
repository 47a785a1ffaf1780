package config

import (
	"cmp"
	"io"

	"twilio-conversations-mcp/internal/listen"
)

// ListenOptions returns the options of the receiver, which prints to out. Without
// TWILIO_AUTH_TOKEN it checks signatures with sandboxToken, and isSandbox is true.
func (c *Config) ListenOptions(lookup LookupFunc, sandboxToken string, out io.Writer) (o listen.Options, isSandbox bool) {
	token := lookup.value("TWILIO_AUTH_TOKEN")
	return listen.Options{
		AuthToken: cmp.Or(token, sandboxToken),
		Key:       lookup.value("TWILIO_WEBHOOK_KEY"),
		PublicURL: c.PublicURL,
		Status:    c.Listen.Status,
		Delay:     c.Listen.Delay,
		JSON:      c.Listen.Format == "json",
		Out:       out,
	}, token == ""
}
