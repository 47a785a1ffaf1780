// Twilio-conversations-mcp is an MCP server that lets AI agents manage the
// webhooks of a Twilio conversation.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"twilio-conversations-mcp/internal/program"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a client that disconnects must not interrupt a create
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := program.Run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		program.Report(os.Stderr, err)
		os.Exit(1)
	}
}
