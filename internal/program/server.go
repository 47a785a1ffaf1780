package program

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/copies"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/internal/web/app"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
)

// newServer returns a server of the tools, which call Twilio or the sandbox, and
// a function that releases what it uses. The base URL of the web pages is empty
// if there are none.
func (p *program) newServer(pages string) (server *serve.Server, stop func(), err error) {
	selection := p.selection(pages)
	offered, err := tools.Select(selection)
	if err != nil {
		return nil, nil, nameFlag(selection, err)
	}
	twilio, stop, err := p.newClient()
	if err != nil {
		return nil, nil, err
	}
	options := p.serverOptions(offered)
	options.Tools = servedTools(offered, twilio)
	canDelete := offers(offered, "delete_conversation_webhook")
	options.Resources = append(options.Resources, serve.Resource{
		Definition: app.Resource(),
		Read:       func() mcp.TextResourceContents { return app.Contents(canDelete) },
	})
	options.Methods, options.Extensions = map[string]serve.Method{}, map[string]any{app.Extension: struct{}{}}
	addSkills(&options)
	if err := p.addEvents(&options, twilio); err != nil {
		stop()
		return nil, nil, err
	}
	options.Instructions, options.Narrow = p.instructions(offered), p.narrow(selection, twilio)
	return serve.New(options), stop, nil
}

// offers reports whether a tool is among those that are offered.
func offers(offered []tools.Tool, name string) bool {
	return slices.ContainsFunc(offered, func(t tools.Tool) bool { return t.Definition.Name == name })
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
		if c.BaseURL, stop, err = p.startSandbox(); err != nil {
			return nil, nil, err
		}
		c.Credentials = sandboxCredentials
	}
	if p.store, err = p.newStore(); err != nil {
		stop()
		return nil, nil, err
	}
	c.Store = p.store
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

// newStore returns the store that the copies of the server share, or nil if there is
// none. The sandbox of a process has conversations of its own.
func (p *program) newStore() (twilioapi.Store, error) {
	o, ok, err := p.cfg.CopiesOptions(p.lookup, p.log)
	if err != nil || !ok || p.cfg.Sandbox {
		return nil, err
	}
	if m := p.metrics; m != nil {
		o.OnRequest, o.OnLock = m.StoreRequest, m.Lock
	}
	store, err := copies.New(o)
	if err != nil {
		return nil, fmt.Errorf("MCP_REDIS_URL: %w", err)
	}
	return store, nil
}

// newDocsServer returns a server of the documentation only. Its limits are its
// own, and lower than those of the tools that call Twilio.
func (p *program) newDocsServer(pages string) (*serve.Server, error) {
	offered, err := tools.Select(tools.Selection{Toolsets: []string{"docs"}, Pages: pages})
	if err != nil {
		return nil, err
	}
	options := p.serverOptions(offered)
	options.Name, options.Title = "twilio-conversations-docs", "Documentation of Twilio conversation webhooks"
	options.Instructions = tools.Instructions(offered) + " " + tools.DocsEndpoint
	options.MaxMessage, options.MaxConcurrent = 64<<10, 16
	options.Tools = servedTools(offered, nil)
	return serve.New(options), nil
}

// serverOptions returns the options of a server that offers tools, without the
// tools themselves: its limits, and what models read.
func (p *program) serverOptions(offered []tools.Tool) serve.Options {
	options := p.cfg.ServerOptions(p.log)
	if m := p.metrics; m != nil {
		options.Metrics = serve.Metrics{OperationDone: m.OperationDone, InFlight: m.InFlight, Queued: m.Queued, Refused: m.Refused}
	}
	options.Resources, options.ResourceTemplates = servedResources(tools.Resources()), tools.ResourceTemplates()
	options.Prompts, options.Complete = servedPrompts(offered), tools.Complete
	return options
}

func servedResources(resources []tools.Resource) (served []serve.Resource) {
	for _, resource := range resources {
		served = append(served, serve.Resource(resource))
	}
	return served
}

func servedPrompts(offered []tools.Tool) (served []serve.Prompt) {
	for _, prompt := range tools.Prompts(offered) {
		served = append(served, serve.Prompt(prompt))
	}
	return served
}

// servedTools makes each tool call Twilio with the credentials of the caller, or
// with those of the server where callers send none.
func servedTools(offered []tools.Tool, twilio *twilioapi.Client) []serve.Tool {
	served := make([]serve.Tool, 0, len(offered))
	for _, tool := range offered {
		if tool.View {
			tool.Definition.Meta = app.ToolMeta()
		}
		served = append(served, serve.Tool{
			Definition: tool.Definition,
			Scope:      tool.Scope,
			Call: func(ctx context.Context, caller access.Caller, in serve.Input) (*mcp.CallToolResult, []slog.Attr) {
				result, info := tool.Call(ctx, clientOf(twilio, caller), tools.Request(in))
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
		slog.Int("attempts", i.Attempts), slog.Bool("reconciled", i.Reconciled),
	}
}
