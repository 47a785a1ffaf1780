// Twilio-conversations-mcp is an MCP server that lists and creates the webhooks
// of a Twilio conversation.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"twilio-conversations-mcp/internal/cli"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a client that is gone must not end a create half way
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "twilio-conversations-mcp:", err)
		os.Exit(1)
	}
}

// run is the program; it takes the world as arguments. This is the one place
// where everything meets.
func run(ctx context.Context, args []string, lookup cli.LookupFunc, stdin io.Reader, stdout, stderr io.Writer) error {
	line, command, err := cli.Parse(args, lookup, stdout)
	switch {
	case errors.Is(err, cli.ErrHelp):
		return nil
	case err != nil:
		return err
	case command == "version":
		_, err := fmt.Fprintln(stdout, cli.Build())
		return err
	case command == "sandbox":
		return serveSandbox(ctx, cmp.Or(line.HTTP, "127.0.0.1:8081"), line.BaseURL, stderr)
	}

	if command == "call" {
		line.LogLevel, line.MaxMessage = slog.LevelError, 1<<30
	}
	log, flush := line.Logger(stderr)
	defer flush()
	config, instructions := line.Twilio(lookup, log), tools.Instructions
	if line.Sandbox {
		url, stop, err := startSandbox()
		if err != nil {
			return err
		}
		defer stop()
		config.BaseURL, config.Credentials = url, sandboxCredentials
		instructions += " " + sandbox.Guide
	}
	twilio, err := twilioapi.New(config)
	if err != nil {
		return err
	}
	offered := tools.All(twilio)
	if line.ReadOnly {
		offered = tools.ReadOnly(offered)
	}
	server := serve.New(instructions, offered, line.Server(log))

	switch {
	case command == "call":
		return cli.Call(ctx, server, line.Call.Tool, line.Call.JSON, stdin, stdout)
	case line.HTTP == "":
		return server.Stdio(ctx, stdin, stdout)
	}
	reach, open, err := line.Reach(lookup, log)
	if err != nil {
		return err
	}
	ln, err := serve.Listen(line.HTTP, open)
	if err != nil {
		return err
	}
	return server.HTTP(ctx, ln, reach)
}

// serveSandbox serves the embedded Twilio alone. The base URL is for the
// addresses in its answers.
func serveSandbox(ctx context.Context, address, baseURL string, stderr io.Writer) error {
	ln, err := serve.Listen(address, false)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "The sandbox listens on http://%s\n%s\n", ln.Addr(), sandbox.Guide)
	return serve.Handler(ctx, sandbox.New(sandbox.Options{BaseURL: baseURL}), ln)
}

// startSandbox serves the embedded Twilio for this process, over TCP as the
// real one is reached. It returns the base URL, and what ends it.
func startSandbox() (baseURL string, stop func(), err error) {
	ln, err := serve.Listen("127.0.0.1:0", false)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = serve.Handler(ctx, sandbox.New(sandbox.Options{}), ln)
	}()
	return "http://" + ln.Addr().String(), func() { cancel(); <-ended }, nil
}

func sandboxCredentials(context.Context) (twilioapi.Credentials, error) {
	return twilioapi.Credentials{Username: "AC" + strings.Repeat("a", 32), Password: "no-account-needed"}, nil
}
