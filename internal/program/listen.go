package program

import (
	"cmp"
	"context"
	"fmt"
	"io"

	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/listen"
	"twilio-conversations-mcp/internal/serve"
)

// receive receives webhooks until ctx is done.
func receive(ctx context.Context, cfg *config.Config, lookup config.LookupFunc, stdout, stderr io.Writer) error {
	ln, err := serve.Listen(cmp.Or(cfg.HTTP, "127.0.0.1:8082"), true)
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	options, isSandbox := cfg.ListenOptions(lookup, stdout)
	fmt.Fprintf(stderr, "Receiving webhooks at %s\n", cmp.Or(cfg.PublicURL, "http://"+ln.Addr().String()))
	if isSandbox {
		fmt.Fprintln(stderr, "TWILIO_AUTH_TOKEN is not set: signatures are checked with the token of the sandbox")
	}
	return serve.Run(ctx, listen.New(options), ln)
}
