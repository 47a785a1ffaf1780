// Package program wires the parts of the server together.
package program

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/call"
	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/events"
	"twilio-conversations-mcp/internal/logging"
	"twilio-conversations-mcp/internal/metrics"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
)

// Report prints err to stderr. If the reader of stderr is blocked, Report returns
// after a second.
func Report(stderr io.Writer, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		fmt.Fprintln(stderr, "twilio-conversations-mcp:", err)
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
	}
}

// Run runs the command that args name until it is done or ctx is. The arguments are
// all that it uses of the process.
func Run(ctx context.Context, args []string, lookup config.LookupFunc, stdin io.Reader, stdout, stderr io.Writer) error {
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
		return entry(cfg, lookup, stdout, stderr)
	}
	log, flush := logging.New(stderr, cfg.LogFormat, cfg.Level())
	defer flush()
	stdlog.SetFlags(0)
	stdlog.SetOutput(logging.DefaultWriter(log))
	for _, warning := range cfg.Warnings {
		log.Warn(warning)
	}
	switch cfg.Command {
	case "health":
		return health(ctx, cfg)
	case "sandbox":
		return serveSandbox(ctx, cfg, lookup, stderr)
	case "listen":
		return receive(ctx, cfg, lookup, stdout, stderr)
	}

	p := &program{cfg: cfg, lookup: lookup, log: log}
	if cfg.Command == "call" {
		return p.callTool(ctx, stdin, stdout, stderr)
	}
	stop, err := p.serveMetrics()
	if err != nil {
		return err
	}
	defer stop()
	if cfg.HTTP != "" {
		return p.serveHTTP(ctx)
	}
	return p.serveStdio(ctx, stdin, stdout)
}

// program holds what the commands share.
type program struct {
	cfg     *config.Config
	lookup  config.LookupFunc
	log     *slog.Logger
	metrics *metrics.Metrics // nil: there are none
	store   twilioapi.Store  // what copies share; nil: nothing
	events  *events.Server   // nil: none are offered
}

// serveMetrics serves metrics until stop is called, if an address is set for them.
func (p *program) serveMetrics() (stop func(), err error) {
	if p.cfg.Metrics == "" {
		return func() {}, nil
	}
	ln, err := serve.Listen(p.cfg.Metrics, true)
	if err != nil {
		return nil, fmt.Errorf("--metrics: %w", err)
	}
	if host, _, _ := net.SplitHostPort(p.cfg.Metrics); !access.IsLoopback(host) {
		p.log.Warn("--metrics: anyone who can connect to the address can read the metrics")
	}
	p.log.Info("serving metrics", "url", "http://"+ln.Addr().String()+"/metrics")
	p.metrics = metrics.New(config.Version())
	return p.background("the metrics", p.metrics.Handler(), ln), nil
}

// background serves a handler until stop is called. An error is logged.
func (p *program) background(name string, h http.Handler, ln net.Listener) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := serve.Run(ctx, h, ln); err != nil {
			p.log.Error("serving "+name, "error", err)
		}
	}()
	return func() { cancel(); <-done }
}

// callTool carries out one call, of any tool.
func (p *program) callTool(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	selection := p.selection("")
	if _, err := tools.Select(selection); err != nil {
		return nameFlag(selection, err)
	}
	p.cfg.Toolsets, p.cfg.Tools, p.cfg.ExcludeTools = []string{"all"}, nil, nil
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
