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
	"github.com/mark3labs/mcp-go/server"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/call"
	"twilio-conversations-mcp/internal/clients"
	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/logging"
	"twilio-conversations-mcp/internal/metrics"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/internal/web"
	"twilio-conversations-mcp/internal/web/app"
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
	if cfg.Command == "serve" && cfg.HTTP != "" {
		return serveHTTP(ctx, cfg, lookup, log, m)
	}
	server, stop, err := newServer(cfg, lookup, log, m, "")
	if err != nil {
		return err
	}
	defer stop()
	if cfg.Command == "call" {
		return call.Run(ctx, server, cfg.Call.Tool, cfg.Call.JSON, stdin, stdout, stderr)
	}
	return server.Stdio(ctx, stdin, stdout)
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
// a function that releases what it uses. The metrics may be nil. The base URL of
// the web pages is empty if there are none.
func newServer(cfg *config.Config, lookup config.LookupFunc, log *slog.Logger, m *metrics.Metrics, pages string) (server *serve.Server, stop func(), err error) {
	offered, err := tools.Select(cfg.Toolsets, cfg.ReadOnly)
	if err != nil {
		return nil, nil, fmt.Errorf("--toolsets: %w", err)
	}
	options, stop := withDocumentation(serverOptions(cfg, log, m), offered), func() {}
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
	options.Tools = servedTools(tools.WithPages(offered, pages), twilio)
	addView(&options)
	if cfg.Sandbox {
		options.Instructions += " " + sandbox.Guide
	}
	return serve.New(options), stop, nil
}

func serverOptions(cfg *config.Config, log *slog.Logger, m *metrics.Metrics) serve.Options {
	options := cfg.Server(log)
	if m != nil {
		options.Metrics = serve.Metrics{OperationDone: m.OperationDone, InFlight: m.InFlight, Queued: m.Queued, Refused: m.Refused}
	}
	return options
}

// withDocumentation adds what models read to the options of a server: its instructions,
// the pages of the documentation, and the prompts for its tools.
func withDocumentation(options serve.Options, offered []tools.Tool) serve.Options {
	options.Instructions = tools.Instructions(offered)
	options.Resources, options.ResourceTemplates, options.ResourceCompletion = tools.Resources(), tools.ResourceTemplates(), tools.Completion{}
	if options.Prompts = tools.Prompts(offered); options.Prompts != nil {
		options.PromptCompletion = tools.Completion{}
	}
	return options
}

// addView lets hosts of MCP Apps show the webhooks in the results of tools.
func addView(options *serve.Options) {
	page := mcp.TextResourceContents{URI: app.URI, MIMEType: app.MIMEType, Text: app.HTML(), Meta: app.ResourceMeta()}
	options.Resources = append(options.Resources, server.ServerResource{
		Resource: mcp.NewResource(app.URI, app.Name, mcp.WithResourceTitle(app.Title), mcp.WithResourceDescription(app.Description), mcp.WithMIMEType(app.MIMEType)),
		Handler: func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{page}, nil
		},
	})
	options.Extensions = map[string]any{app.Extension: struct{}{}}
	for i := range options.Tools {
		definition := &options.Tools[i].Definition
		switch definition.Name {
		case "list_conversation_webhooks", "fetch_conversation_webhook", "ensure_conversation_webhook", "create_conversation_webhook":
			definition.Meta = &mcp.Meta{AdditionalFields: app.ToolMeta()}
		}
	}
}

// newDocsServer returns a server of the documentation only. Its limits are its
// own, and lower than those of the tools that call Twilio.
func newDocsServer(options serve.Options, pages string) (*serve.Server, error) {
	offered, err := tools.Select([]string{"docs"}, true)
	if err != nil {
		return nil, err
	}
	options = withDocumentation(options, offered)
	options.Name, options.Title = "twilio-conversations-docs", "Documentation of Twilio conversation webhooks"
	options.MaxMessage, options.MaxConcurrent = 64<<10, 16
	options.Tools = servedTools(tools.WithPages(offered, pages), nil)
	return serve.New(options), nil
}

// webOptions returns what the web pages show of a server at an address.
func webOptions(server *serve.Server, cfg *config.Config, lookup config.LookupFunc, address string) web.Options {
	o := web.Options{BaseURL: address, Authorization: cfg.Authorization(lookup)}
	for _, tool := range server.Tools {
		d := tool.Definition
		o.Tools = append(o.Tools, web.Tool{Name: d.Name, Title: d.Title, Description: d.Description, ReadOnly: *d.Annotations.ReadOnlyHint, Input: d.RawInputSchema})
	}
	if strings.HasPrefix(o.Authorization, "Basic ") {
		return o // the entries of AI tools have no place for Twilio's credentials
	}
	for _, c := range clients.All() {
		entry, err := c.Config(clients.Options{URL: address + "/mcp", Token: config.HasTokens(lookup)})
		if err == nil { // else its file cannot hold a URL
			o.Clients = append(o.Clients, web.Client{Name: c.Title, File: c.File, Secrets: c.Secrets, Entry: entry.Entry, Command: entry.Command})
		}
	}
	return o
}

func serveHTTP(ctx context.Context, cfg *config.Config, lookup config.LookupFunc, log *slog.Logger, m *metrics.Metrics) error {
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
	address, complete := cfg.Address(ln.Addr())
	pages := ""
	if cfg.Docs && complete {
		pages = address
	}
	server, stop, err := newServer(cfg, lookup, log, m, pages)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer stop()
	if cfg.Docs {
		if options.Docs, err = newDocsServer(serverOptions(cfg, log, m), pages); err != nil {
			return errors.Join(err, ln.Close())
		}
		options.Web = web.New(webOptions(server, cfg, lookup, address))
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
