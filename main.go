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
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/call"
	"twilio-conversations-mcp/internal/clients"
	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/logging"
	"twilio-conversations-mcp/internal/metrics"
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
	case cfg.Command == "config":
		return clients.Print(stdout, stderr, cfg.Config.Client, clients.Options{URL: cfg.Config.URL, Token: config.HasTokens(lookup)})
	case cfg.Command == "call":
		cfg.LogLevel, cfg.Toolsets = slog.LevelError, []string{"all"}
	}
	log, flush := logging.New(stderr, cfg.LogFormat, cfg.LogLevel)
	defer flush()
	stdlog.SetFlags(0)
	stdlog.SetOutput(logging.Default(log))
	if cfg.Command == "sandbox" {
		return serveSandbox(ctx, cfg, stderr)
	}

	m, err := serveMetrics(ctx, cfg.Metrics, log)
	if err != nil {
		return err
	}
	server, stop, err := newServer(cfg, lookup, log, m)
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

// serveMetrics serves metrics at an address until ctx is done. Without an
// address it returns nil.
func serveMetrics(ctx context.Context, address string, log *slog.Logger) (*metrics.Metrics, error) {
	if address == "" {
		return nil, nil
	}
	ln, err := serve.Listen(address, true)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	if host, _, _ := net.SplitHostPort(address); !access.IsLoopback(host) {
		log.Warn("--metrics: anyone who can connect to the address can read the metrics")
	}
	log.Info("serving metrics", "url", "http://"+ln.Addr().String()+"/metrics")
	m := metrics.New(config.Version())
	go func() { _ = serve.Run(ctx, m.Handler(), ln) }()
	return m, nil
}

// newServer returns a server of the tools, which call Twilio or the sandbox, and
// a function that releases what it uses. The metrics may be nil.
func newServer(cfg *config.Config, lookup config.LookupFunc, log *slog.Logger, m *metrics.Metrics) (server *serve.Server, stop func(), err error) {
	options, stop := cfg.Server(log), func() {}
	client, err := cfg.Twilio(lookup, log)
	if err != nil {
		return nil, nil, err
	}
	if cfg.Sandbox {
		if client.BaseURL, stop, err = startSandbox(); err != nil {
			return nil, nil, err
		}
		client.Credentials = sandboxCredentials
	}
	if m != nil {
		options.Metrics = serve.Metrics{OperationDone: m.OperationDone, InFlight: m.InFlight, Queued: m.Queued, Refused: m.Refused}
		client.OnResponse, client.OnRetry, client.OnReconciled = m.Response, m.Retry, m.Reconciled
	}
	twilio, err := twilioapi.New(client)
	if err != nil {
		stop()
		return nil, nil, err
	}
	if twilio.Plaintext() {
		log.Warn("--base-url: Twilio credentials are sent unencrypted to another machine; use https")
	}
	offered, err := tools.Select(cfg.Toolsets, cfg.ReadOnly)
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("--toolsets: %w", err)
	}
	options.Tools, options.Instructions = servedTools(offered, twilio), tools.Instructions(offered)
	if cfg.Sandbox {
		options.Instructions += " " + sandbox.Guide
	}
	return serve.New(options), stop, nil
}

func serveHTTP(ctx context.Context, server *serve.Server, cfg *config.Config, lookup config.LookupFunc, log *slog.Logger) error {
	options, allowRemote, err := cfg.ServeHTTP(lookup, log)
	if err != nil {
		return err
	}
	ln, err := serve.Listen(cfg.HTTP, allowRemote)
	if errors.Is(err, serve.ErrNotLoopback) {
		return fmt.Errorf("--http: %w; to let other machines call, set MCP_AUTH_TOKEN or --oauth-issuer, or give --credentials caller, "+
			"or --allow-anonymous behind a proxy that authenticates", err)
	}
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	return server.HTTP(ctx, ln, options)
}

// servedTools makes each tool call Twilio with the credentials of the caller, or
// with those of the server where callers send none.
func servedTools(offered []tools.Tool, twilio *twilioapi.Client) (served []serve.Tool) {
	for _, tool := range offered {
		served = append(served, serve.Tool{
			Definition: tool.Definition,
			Scope:      scope(tool),
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

// scope is the OAuth scope that a caller needs for a tool; none for the
// documentation.
func scope(tool tools.Tool) string {
	switch {
	case !*tool.Definition.Annotations.OpenWorldHint:
		return ""
	case tool.ReadOnly():
		return access.ScopeRead
	default:
		return access.ScopeWrite
	}
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
	if errors.Is(err, serve.ErrNotLoopback) {
		return fmt.Errorf("--http: %w; the sandbox listens on loopback only", err)
	}
	if err != nil {
		return fmt.Errorf("--http: %w", err)
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
