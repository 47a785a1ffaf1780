// Twilio-conversations-mcp is an MCP server that lets AI agents manage the
// webhooks of a Twilio conversation.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/call"
	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/logging"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

func main() {
	signal.Ignore(syscall.SIGPIPE) // a client that disconnects must not interrupt a create
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	if err := run(ctx, os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr); err != nil {
		report(err)
		os.Exit(1)
	}
}

// report writes why the program ends to standard error, which nobody may read:
// it gives up after a second.
func report(err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fmt.Fprintln(os.Stderr, "twilio-conversations-mcp:", err)
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// run is the program. It takes everything that is outside of the process as
// arguments.
func run(ctx context.Context, args []string, lookup config.LookupFunc, stdin io.Reader, stdout, stderr io.Writer) error {
	cfg, err := config.Parse(args, lookup, stdout)
	switch {
	case errors.Is(err, config.ErrHelp):
		return nil
	case err != nil:
		return err
	case cfg.Command == "version":
		_, err := fmt.Fprintln(stdout, config.VersionString())
		return err
	case cfg.Command == "call":
		cfg.LogLevel = slog.LevelError
	}
	log, flush := logging.New(stderr, cfg.LogFormat, cfg.LogLevel)
	defer flush()
	stdlog.SetFlags(0)
	stdlog.SetOutput(logging.Default(log))
	if cfg.Command == "sandbox" {
		return serveSandbox(ctx, cfg, stderr)
	}

	server, stop, err := newServer(cfg, lookup, log)
	if err != nil {
		return err
	}
	defer stop()
	switch {
	case cfg.Command == "call":
		return call.Run(ctx, server, cfg.Call.Tool, cfg.Call.JSON, stdin, stdout, stderr)
	case cfg.HTTP == "":
		return server.Stdio(ctx, stdin, stdout)
	default:
		return serveHTTP(ctx, server, cfg, lookup, log)
	}
}

// newServer returns a server of the tools, which call Twilio or the sandbox, and
// a function that releases what it uses.
func newServer(cfg *config.Config, lookup config.LookupFunc, log *slog.Logger) (server *serve.Server, stop func(), err error) {
	client, options, stop := cfg.Twilio(lookup, log), cfg.Server(log), func() {}
	options.Instructions = tools.Instructions
	if cfg.Sandbox {
		if client.BaseURL, stop, err = startSandbox(); err != nil {
			return nil, nil, err
		}
		client.Credentials = sandboxCredentials
		options.Instructions += " " + sandbox.Guide
	}
	twilio, err := twilioapi.New(client)
	if err != nil {
		stop()
		return nil, nil, err
	}
	offered := tools.All()
	if cfg.ReadOnly {
		offered = tools.ReadOnly(offered)
	}
	options.Tools = servedTools(offered, twilio)
	return serve.New(options), stop, nil
}

func serveHTTP(ctx context.Context, server *serve.Server, cfg *config.Config, lookup config.LookupFunc, log *slog.Logger) error {
	options, allowRemote, err := cfg.ServeHTTP(lookup, log)
	if err != nil {
		return err
	}
	ln, err := serve.Listen(cfg.HTTP, allowRemote)
	if err != nil {
		return err
	}
	return server.HTTP(ctx, ln, options)
}

// servedTools makes each tool call Twilio with the credentials of the caller, or
// with those of the server where callers send none.
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

// serveSandbox serves the sandbox alone.
func serveSandbox(ctx context.Context, cfg *config.Config, stderr io.Writer) error {
	ln, err := serve.Listen(cmp.Or(cfg.HTTP, "127.0.0.1:8081"), false)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "The sandbox listens on http://%s\n%s\n", ln.Addr(), sandbox.Guide)
	return serve.Run(ctx, sandbox.New(sandbox.Options{BaseURL: cfg.BaseURL}), ln)
}

// startSandbox serves the sandbox for this process, over TCP like the real API.
func startSandbox() (baseURL string, stop func(), err error) {
	ln, err := serve.Listen("127.0.0.1:0", false)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = serve.Run(ctx, sandbox.New(sandbox.Options{}), ln)
	}()
	return "http://" + ln.Addr().String(), func() { cancel(); <-done }, nil
}

func sandboxCredentials() (twilioapi.Credentials, error) {
	return twilioapi.Credentials{Username: "AC" + strings.Repeat("a", 32), Password: "no-account-needed"}, nil
}
