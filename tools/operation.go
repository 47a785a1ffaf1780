package tools

import (
	"context"
	"sync"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

// An operation defines a tool: its contract, what models and clients are told of
// it, and either the request that it makes or, if it reads the documentation, its
// answer.
type operation[Input any] struct {
	contract     schemas.Contract[Input]
	title        string
	description  string // see [offered.render]
	hints        hints
	scope        scope
	view         bool   // see [Tool]
	refusesEmpty bool   // see [parameters]
	afterFailure string // what is known after Twilio failed or did not answer
	reconciled   string // the note on a result with Info.Reconciled
	notFound     string // what to try after a 404, if not checkConversation
	lost         lostWrite
	ensures      bool // whether a result says if the webhook was there already
	// check adds what the schema cannot say about the arguments. It may be nil.
	check func(in Input, problems *problems)
	// note returns a note on the result that depends on the arguments, or "". It may
	// be nil.
	note func(in Input) string
	// question reads what the call would delete or overwrite, and asks about it. If
	// nil, the call is not confirmed.
	question func(context.Context, *twilioapi.Client, Input) (question, error)
	call     func(context.Context, *twilioapi.Client, Input) (twilioapi.Result, error)
	// answer is called with the base URL of the web pages, or "" if there are
	// none. Its errors are [argumentError].
	answer func(in Input, pages string) (*mcp.CallToolResult, error)
}

// hints are the annotations of a tool.
type hints struct{ readOnly, destructive, idempotent, closedWorld bool }

// scope is the OAuth scope that a call of a tool needs. Each tool names one: with an
// access token, nobody may call a tool that names none.
type scope string

const (
	scopeNone  scope = "none" // any caller
	scopeRead  scope = "webhooks:read"
	scopeWrite scope = "webhooks:write"
)

func (o *operation[Input]) name() string   { return string(o.contract) }
func (o *operation[Input]) readOnly() bool { return o.hints.readOnly }

// tool returns the tool of the operation, given the names of all tools that are
// offered.
func (o *operation[Input]) tool(names offered, s Selection) Tool {
	input := sync.OnceValue(func() *parameters { return newParameters[Input](o.contract.Input(), o.refusesEmpty) })
	explainer := o.explainer(names)
	return Tool{Definition: o.definition(names), Scope: string(o.scope), View: o.view, Call: func(ctx context.Context, twilio *twilioapi.Client, in Request) (*mcp.CallToolResult, twilioapi.CallInfo) {
		arguments, err := decode(ctx, input(), in.Arguments, o.check)
		if err != nil {
			return explainer.errorResult(err), twilioapi.CallInfo{}
		}
		if o.answer != nil {
			return explainer.result(o.answer(arguments, s.Pages)), twilioapi.CallInfo{}
		}
		if o.question != nil && s.Confirm && canAsk(in.Capabilities) {
			if result, info := o.confirm(ctx, twilio, arguments, in, explainer); result != nil {
				return result, info
			}
		}
		result, err := o.call(ctx, twilio, arguments)
		return o.conclude(arguments, &result, err, explainer), result.Info
	}}
}

// confirm asks the user, and returns what is answered instead of acting, or nil if the
// user has agreed.
func (o *operation[Input]) confirm(ctx context.Context, twilio *twilioapi.Client, arguments Input, in Request, explain *explainer) (*mcp.CallToolResult, twilioapi.CallInfo) {
	q, err := o.question(ctx, twilio, arguments)
	if err != nil {
		failure := *explain
		failure.afterFailure = "Nothing was changed."
		return failure.errorResult(err), q.info
	}
	return q.result(in), q.info
}

// conclude returns what the request has come to.
func (o *operation[Input]) conclude(arguments Input, result *twilioapi.Result, err error, explain *explainer) *mcp.CallToolResult {
	if err != nil {
		failure := *explain
		failure.similar, failure.arguments = result.Similar, arguments
		return failure.errorResult(err)
	}
	success := explain.successResult(*result)
	if o.note != nil {
		if note := o.note(arguments); note != "" {
			success.Content = append(success.Content, mcp.NewTextContent(note))
		}
	}
	return success
}

func (o *operation[Input]) explainer(names offered) *explainer {
	return &explainer{
		offered:      names,
		idempotent:   o.hints.idempotent,
		closedWorld:  o.hints.closedWorld,
		afterFailure: o.afterFailure,
		reconciled:   o.reconciled,
		notFound:     o.notFound,
		ensures:      o.ensures,
		lost:         o.lost,
	}
}

func (o *operation[Input]) definition(names offered) mcp.Tool {
	return mcp.Tool{
		Name:            o.name(),
		Title:           o.title,
		Description:     names.render(o.description),
		RawInputSchema:  o.contract.Input(),
		RawOutputSchema: o.contract.Output(),
		Annotations: mcp.ToolAnnotation{
			ReadOnlyHint:    new(o.hints.readOnly),
			DestructiveHint: new(o.hints.destructive),
			IdempotentHint:  new(o.hints.idempotent),
			OpenWorldHint:   new(!o.hints.closedWorld),
		},
	}
}
