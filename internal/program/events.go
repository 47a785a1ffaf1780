package program

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/events"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/twilioapi"
)

const eventsExtension = "io.modelcontextprotocol/events"

// addEvents offers MCP Events where they can be subscribed to, and where agents may
// read conversations, so that they can be polled.
func (p *program) addEvents(options *serve.Options, twilio *twilioapi.Client) error {
	o, err := p.cfg.EventsOptions(p.lookup)
	if err != nil {
		return err
	}
	if len(o.Keys) == 0 && !p.offersToolset("conversations") {
		return nil
	}
	o.Log = p.log
	if p.cfg.Credentials != "caller" {
		o.Twilio = twilio
	}
	if m := p.metrics; m != nil {
		o.Metrics = events.Metrics{Done: m.EventDone, Waiting: m.EventsWaiting}
	}
	if p.events, err = events.New(o); err != nil {
		return fmt.Errorf("MCP_EVENTS_KEY: %w", err)
	}
	maps.Copy(options.Methods, eventMethods(p.events, twilio))
	options.Capabilities = map[string]any{"events": struct{}{}}
	options.Extensions[eventsExtension] = struct{}{}
	return nil
}

func (p *program) offersToolset(name string) bool {
	return slices.Contains(p.cfg.Toolsets, name) || slices.Contains(p.cfg.Toolsets, "all")
}

// eventMethods returns the methods of MCP Events that a server offers.
func eventMethods(server *events.Server, twilio *twilioapi.Client) map[string]serve.Method {
	method := func(scope string, call func(context.Context, events.Call) (map[string]any, error)) serve.Method {
		return serve.Method{Scope: scope, Call: func(ctx context.Context, caller access.Caller, params json.RawMessage) (map[string]any, []slog.Attr, *mcp.JSONRPCErrorDetails) {
			result, err := call(ctx, events.Call{Twilio: clientOf(twilio, caller), Principal: caller.Principal, Params: params})
			if err == nil {
				return result, nil, nil
			}
			details := &mcp.JSONRPCErrorDetails{}
			problem := events.AsError(err)
			details.Code, details.Message = problem.Code, problem.Message
			if problem.Data != nil {
				details.Data = problem.Data
			}
			return nil, nil, details
		}}
	}
	methods := map[string]serve.Method{
		"events/list": method(access.ScopeNone, server.List),
		"events/poll": method(access.ScopeMessages, server.Poll),
	}
	if server.Subscribes() {
		methods["events/subscribe"] = method(access.ScopeWrite+" "+access.ScopeMessages, server.Subscribe)
		methods["events/unsubscribe"] = method(access.ScopeWrite, server.Unsubscribe)
	}
	return methods
}

// clientOf returns a client that calls Twilio with the credentials of the caller, or
// with those of the server where callers send none.
func clientOf(twilio *twilioapi.Client, caller access.Caller) *twilioapi.Client {
	if caller.Username == "" {
		return twilio
	}
	return twilio.WithCredentials(twilioapi.Credentials{Username: caller.Username, Password: caller.Password})
}

// after returns a context that is done some time after another one is.
func after(ctx context.Context, d time.Duration) context.Context {
	later, cancel := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(d, cancel) })
	return later
}
