package program

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"twilio-conversations-mcp/internal/clients"
	"twilio-conversations-mcp/internal/config"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/internal/web"
)

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
	options.BaseURL = address
	pages := ""
	if p.cfg.Docs && complete {
		pages = address
	}
	server, stop, err := p.newServer(pages)
	if err != nil {
		return errors.Join(err, ln.Close())
	}
	defer stop()
	go options.Access.FetchKeys(ctx)
	if p.events != nil && p.events.Subscribes() {
		options.Events = p.events
		defer p.events.Close(after(ctx, p.cfg.Drain+p.cfg.Grace))
	}
	if p.cfg.Docs {
		if options.Docs, err = p.newDocsServer(pages); err != nil {
			return errors.Join(err, ln.Close())
		}
		options.Web = web.New(p.webOptions(server, address, pages))
	}
	if p.cfg.PublicURL != "" {
		options.Documents = cards(address, server, p.cfg.Authorization(p.lookup))
	}
	return server.HTTP(ctx, ln, options)
}

// webOptions returns the options of the web pages about a server at an address.
// The base URL of the pages is empty if a part of the address is not known.
func (p *program) webOptions(server *serve.Server, address, pages string) web.Options {
	o := web.Options{BaseURL: address, Address: pages, Authorization: p.cfg.Authorization(p.lookup)}
	for _, tool := range server.Tools {
		o.Tools = append(o.Tools, tool.Definition)
	}
	if strings.HasPrefix(o.Authorization, "Basic ") {
		return o // an entry of an AI tool cannot send Twilio's credentials
	}
	o.Clients = func() (all []web.Client) {
		for _, c := range clients.All() {
			entry, err := c.Config(clients.Options{URL: address + "/mcp", Token: config.HasTokens(p.lookup)})
			if err == nil { // else its file cannot hold a URL
				all = append(all, web.Client{Client: c, Config: entry})
			}
		}
		return all
	}
	return o
}
