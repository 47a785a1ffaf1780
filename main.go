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
	mcpserver "github.com/mark3labs/mcp-go/server"

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

// report writes why the program ends to standard error. If the reader of standard
// error is blocked, it gives up after a second.
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
	stdlog.SetOutput(logging.DefaultWriter(log))
	if cfg.Command == "sandbox" {
		return serveSandbox(ctx, cfg, stderr)
	}

	p := &program{cfg: cfg, lookup: lookup, log: log}
	if cfg.Command == "call" {
		return p.callTool(ctx, stdin, stdout, stderr)
	}
	if err := p.serveMetrics(ctx); err != nil {
		return err
	}
	if cfg.HTTP != "" {
		return p.serveHTTP(ctx)
	}
	return p.serveStdio(ctx, stdin, stdout)
}

// A program is what the parts of a running server have in common.
type program struct {
	cfg     *config.Config
	lookup  config.LookupFunc
	log     *slog.Logger
	metrics *metrics.Metrics // nil: there are none
}

// serveMetrics serves metrics until ctx is done, if an address is set for them.
func (p *program) serveMetrics(ctx context.Context) error {
	if p.cfg.Metrics == "" {
		return nil
	}
	ln, err := serve.Listen(p.cfg.Metrics, true)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	if host, _, _ := net.SplitHostPort(p.cfg.Metrics); !access.IsLoopback(host) {
		p.log.Warn("--metrics: anyone who can connect to the address can read the metrics")
	}
	p.log.Info("serving metrics", "url", "http://"+ln.Addr().String()+"/metrics")
	p.metrics = metrics.New(config.Version())
	go func() { _ = serve.Run(ctx, p.metrics.Handler(), ln) }()
	return nil
}

// callTool carries out one call.
func (p *program) callTool(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	server, stop, err := p.newServer("")
	if err != nil {
		return err
	}
	defer stop()
	return call.Run(ctx, server, p.cfg.Call.Tool, p.cfg.Call.JSON, stdin, stdout, stderr)
}

// serveStdio serves MCP over stdio until stdin ends or ctx is done.
func (p *program) serveStdio(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	server, stop, err := p.newServer("")
	if err != nil {
		return err
	}
	defer stop()
	return server.Stdio(ctx, stdin, stdout)
}

// serveHTTP serves MCP over HTTP until ctx is done, and the documentation unless
// it is switched off.
func (p *program) serveHTTP(ctx context.Context) error {
	options, allowRemote, err := p.cfg.HTTPOptions(p.lookup, p.log)
	if err != nil {
		return err
	}
	ln, err := serve.Listen(p.cfg.HTTP, allowRemote)
	if errors.Is(err, serve.ErrNotLoopback) {
		return fmt.Errorf("--http: %w; to let other machines call, set MCP_AUTH_TOKEN or --oauth-issuer, or give --credentials caller, "+
			"or --allow-anonymous behind a proxy that authenticates", err)
	}
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	address, complete := p.cfg.Address(ln.Addr())
	pages := ""
	if p.cfg.Docs && complete {
		pages = address
	}
	server, stop, err := p.newServer(pages)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer stop()
	if p.cfg.Docs {
		if options.Docs, err = p.newDocsServer(pages); err != nil {
			return errors.Join(err, ln.Close())
		}
		options.Web = web.New(p.webOptions(server, address, pages))
	}
	return server.HTTP(ctx, ln, options)
}

// newServer returns a server of the tools, which call Twilio or the sandbox, and
// a function that releases what it uses. The base URL of the web pages is empty
// if there are none.
func (p *program) newServer(pages string) (server *serve.Server, stop func(), err error) {
	offered, err := tools.Select(p.cfg.Toolsets, p.cfg.ReadOnly)
	if err != nil {
		return nil, nil, fmt.Errorf("--toolsets: %w", err)
	}
	twilio, stop, err := p.newClient()
	if err != nil {
		return nil, nil, err
	}
	options := p.serverOptions(offered)
	options.Tools = servedTools(tools.WithPages(offered, pages), twilio)
	addView(&options)
	if p.cfg.Sandbox {
		options.Instructions += " " + sandbox.Guide
	}
	return serve.New(options), stop, nil
}

// newClient returns a client of Twilio or of the sandbox, and a function that
// stops the sandbox.
func (p *program) newClient() (client *twilioapi.Client, stop func(), err error) {
	c, err := p.cfg.TwilioConfig(p.lookup, p.log)
	if err != nil {
		return nil, nil, err
	}
	if m := p.metrics; m != nil {
		c.OnResponse, c.OnRetry, c.OnReconciled = m.Response, m.Retry, m.Reconciled
	}
	stop = func() {}
	if p.cfg.Sandbox {
		if c.BaseURL, stop, err = startSandbox(); err != nil {
			return nil, nil, err
		}
		c.Credentials = sandboxCredentials
	}
	client, err = twilioapi.New(c)
	if err != nil {
		stop()
		return nil, nil, err
	}
	if client.Plaintext() {
		p.log.Warn("--base-url: Twilio credentials are sent unencrypted to another machine; use https")
	}
	return client, stop, nil
}

// newDocsServer returns a server of the documentation only. Its limits are its
// own, and lower than those of the tools that call Twilio.
func (p *program) newDocsServer(pages string) (*serve.Server, error) {
	offered, err := tools.Select([]string{"docs"}, true)
	if err != nil {
		return nil, err
	}
	options := p.serverOptions(offered)
	options.Name, options.Title = "twilio-conversations-docs", "Documentation of Twilio conversation webhooks"
	options.Instructions += " " + tools.DocsEndpoint
	options.MaxMessage, options.MaxConcurrent = 64<<10, 16
	options.Tools = servedTools(tools.WithPages(offered, pages), nil)
	return serve.New(options), nil
}

// serverOptions returns the options of a server that offers tools, without the
// tools themselves: its limits, and what models read.
func (p *program) serverOptions(offered []tools.Tool) serve.Options {
	options := p.cfg.ServerOptions(p.log)
	if m := p.metrics; m != nil {
		options.Metrics = serve.Metrics{OperationDone: m.OperationDone, InFlight: m.InFlight, Queued: m.Queued, Refused: m.Refused}
	}
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
	options.Resources = append(options.Resources, mcpserver.ServerResource{
		Resource: mcp.NewResource(app.URI, app.Name, mcp.WithResourceTitle(app.Title), mcp.WithResourceDescription(app.Description), mcp.WithMIMEType(app.MIMEType)),
		Handler: func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
			return []mcp.ResourceContents{page}, nil
		},
	})
	options.Extensions = map[string]any{app.Extension: struct{}{}}
	for i := range options.Tools {
		definition := &options.Tools[i].Definition
		switch definition.Name {
		case "list_conversation_webhooks", "create_conversation_webhook", "ensure_conversation_webhook", "fetch_conversation_webhook":
			definition.Meta = &mcp.Meta{AdditionalFields: app.ToolMeta()}
		}
	}
}

// webOptions returns the options of the web pages about a server at an address.
// The base URL of the pages is empty if a part of the address is not known.
func (p *program) webOptions(server *serve.Server, address, pages string) web.Options {
	o := web.Options{BaseURL: address, Address: pages, Authorization: p.cfg.Authorization(p.lookup)}
	for _, tool := range server.Tools {
		d := tool.Definition
		o.Tools = append(o.Tools, web.Tool{Name: d.Name, Title: d.Title, Description: d.Description, ReadOnly: *d.Annotations.ReadOnlyHint, Input: d.RawInputSchema})
	}
	if strings.HasPrefix(o.Authorization, "Basic ") {
		return o // an entry of an AI tool cannot send Twilio's credentials
	}
	for _, c := range clients.All() {
		entry, err := c.Config(clients.Options{URL: address + "/mcp", Token: config.HasTokens(p.lookup)})
		if err == nil { // else its file cannot hold a URL
			o.Clients = append(o.Clients, web.Client{Name: c.Title, File: c.File, Secrets: c.Secrets, Entry: entry.Entry, Command: entry.Command})
		}
	}
	return o
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
