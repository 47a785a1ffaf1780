package program

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

// serveSandbox serves the sandbox alone.
func serveSandbox(ctx context.Context, cfg *config.Config, lookup config.LookupFunc, stderr io.Writer) error {
	ln, err := serve.Listen(cmp.Or(cfg.HTTP, "127.0.0.1:8081"), false)
	if errors.Is(err, serve.ErrNotLoopback) {
		return fmt.Errorf("--http: %w; the sandbox listens on loopback only", err)
	}
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	fmt.Fprintf(stderr, "The sandbox listens on http://%s, and shows there what it sends.\n%s\n", ln.Addr(), sandbox.Guide)
	return serve.Run(ctx, sandbox.New(cfg.SandboxOptions(lookup)), ln)
}

// startSandbox serves the sandbox for this process, over TCP like the real API.
func (p *program) startSandbox() (baseURL string, stop func(), err error) {
	ln, err := serve.Listen("127.0.0.1:0", false)
	if err != nil {
		return "", nil, err
	}
	return "http://" + ln.Addr().String(), p.background("the sandbox", sandbox.New(sandbox.Options{Deliver: sandbox.DeliverNone}), ln), nil
}

func sandboxCredentials() (twilioapi.Credentials, error) {
	return twilioapi.Credentials{Username: "AC" + strings.Repeat("a", 32), Password: "no-account-needed"}, nil
}
