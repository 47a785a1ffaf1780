// Twilio-conversations-mcp is an MCP server that lists and creates the webhooks
// of a Twilio conversation.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/config"
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
func run(ctx context.Context, args []string, lookup config.LookupFunc, stdin io.Reader, stdout, stderr io.Writer) error {
	line, command, err := config.Parse(args, lookup, stdout)
	switch {
	case errors.Is(err, config.ErrHelp):
		return nil
	case err != nil:
		return err
	case command == "version":
		_, err := fmt.Fprintln(stdout, config.Build())
		return err
	case command == "sandbox":
		return serveSandbox(ctx, cmp.Or(line.HTTP, "127.0.0.1:8081"), line.BaseURL, stderr)
	}

	if command == "call" {
		line.LogLevel = slog.LevelError
	}
	log, flush := line.Logger(stderr)
	defer flush()
	client, instructions := line.Twilio(lookup, log), tools.Instructions
	if line.Sandbox {
		url, stop, err := startSandbox()
		if err != nil {
			return err
		}
		defer stop()
		client.BaseURL, client.Credentials = url, sandboxCredentials
		instructions += " " + sandbox.Guide
	}
	twilio, err := twilioapi.New(client)
	if err != nil {
		return err
	}
	offered := tools.All()
	if line.ReadOnly {
		offered = tools.ReadOnly(offered)
	}
	options := line.Server(log)
	options.Instructions, options.Tools = instructions, servedTools(offered, twilio)
	server := serve.New(options)

	switch {
	case command == "call":
		return config.Call(ctx, server, line.Call.Tool, line.Call.JSON, stdin, stdout)
	case line.HTTP == "":
		return server.Stdio(ctx, stdin, stdout)
	}
	httpOptions, allowRemote, err := line.Reach(lookup, log)
	if err != nil {
		return err
	}
	ln, err := serve.Listen(line.HTTP, allowRemote)
	if errors.Is(err, serve.ErrNotLoopback) {
		return fmt.Errorf("--http: %w; to let other machines call, say who may: set MCP_AUTH_TOKEN, or give --credentials caller, "+
			"or --allow-anonymous behind a proxy that authenticates", err)
	}
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	return server.HTTP(ctx, ln, httpOptions)
}

// servedTools lets each tool call Twilio with the credentials of the caller, or
// with the server's own where callers bring none.
func servedTools(offered []tools.Tool, twilio *twilioapi.Client) (served []serve.Tool) {
	for _, tool := range offered {
		served = append(served, serve.Tool{
			Definition: tool.Definition,
			Call: func(ctx context.Context, caller access.Caller, arguments json.RawMessage) (*mcp.CallToolResult, []slog.Attr) {
				client := twilio
				if caller.Username != "" {
					client = twilio.WithCredentials(twilioapi.Credentials{Username: caller.Username, Password: caller.Password})
				}
				result, info := tool.Call(ctx, client, arguments)
				return result, logAttributes(info)
			},
		})
	}
	return served
}

// logAttributes describes the requests that a call made, if it made any.
func logAttributes(i twilioapi.CallInfo) []slog.Attr {
	if i.Attempts == 0 {
		return nil
	}
	return []slog.Attr{
		slog.Int("status", i.Status), slog.Int("code", i.Code), slog.String("request_id", i.RequestID),
		slog.Int("attempts", i.Attempts), slog.Bool("settled", i.Reconciled),
	}
}

// serveSandbox serves the embedded Twilio alone. The base URL is for the
// addresses in its answers.
func serveSandbox(ctx context.Context, address, baseURL string, stderr io.Writer) error {
	ln, err := serve.Listen(address, false)
	if err != nil {
		return fmt.Errorf("--http: %w; the sandbox listens on loopback only", err)
	}
	fmt.Fprintf(stderr, "The sandbox listens on http://%s\n%s\n", ln.Addr(), sandbox.Guide)
	return serve.Run(ctx, sandbox.New(sandbox.Options{BaseURL: baseURL}), ln)
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
		_ = serve.Run(ctx, sandbox.New(sandbox.Options{}), ln)
	}()
	return "http://" + ln.Addr().String(), func() { cancel(); <-ended }, nil
}

func sandboxCredentials() (twilioapi.Credentials, error) {
	return twilioapi.Credentials{Username: "AC" + strings.Repeat("a", 32), Password: "no-account-needed"}, nil
}
