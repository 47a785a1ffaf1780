package twilioapi

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// A Page asks for a part of a list. A nil field is not sent.
type Page struct {
	Size  *int64  // items a page, 1 to 5
	Index *int64  // for the client's own state, from 0
	Token *string // from the next_page_url of the page before
}

// ListWebhooks returns one page of a conversation's webhooks, Twilio's own JSON
// without white space. The conversation is given by SID or by unique name.
//
// GET /v1/Conversations/{ConversationSid}/Webhooks
func (c *Client) ListWebhooks(ctx context.Context, conversation string, p Page) (Result, error) {
	to, err := c.begin(conversation)
	if err != nil {
		return Result{}, err
	}
	res, err := c.list(ctx, to, p)
	return newResult(res, err), err
}

func newResult(res *response, err error) Result {
	result := Result{Info: callInfo(res, err)}
	if err == nil {
		result.JSON = res.body
	}
	return result
}

func (c *Client) list(ctx context.Context, to call, p Page) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	query := form{}
	query.integer("PageSize", p.Size)
	query.integer("Page", p.Index)
	query.text("PageToken", p.Token)
	return c.do(ctx, http.MethodGet, to, url.Values(query))
}

// A NewWebhook is what a create asks for, in Twilio's words and not checked
// here. A nil field is not sent.
type NewWebhook struct {
	Target      string   // webhook, trigger or studio
	URL         *string  // absolute, at most 512 characters
	Method      *string  // get or post
	Filters     []string // event names
	Triggers    []string // keywords, at most 5
	FlowSID     *string  // FW...
	ReplayAfter *int64   // message index, from 0
}

// CreateWebhook makes a webhook and returns it, Twilio's own JSON without white
// space.
//
// It is sent again only when Twilio did nothing or was not reached. When its
// outcome is unknown it is settled by listing, which may take ten seconds
// beyond the time limit: Info.Reconciled tells that the webhook was found so. An
// [OutcomeUnknownError] says that the list did not tell. Only after any other error
// is it certain that nothing was made.
//
// A context that is done keeps the create from being sent, or sent again; once
// it is on its way it is finished and settled all the same.
//
// POST /v1/Conversations/{ConversationSid}/Webhooks
func (c *Client) CreateWebhook(ctx context.Context, conversation string, w NewWebhook) (Result, error) {
	to, err := c.begin(conversation)
	if err != nil {
		return Result{}, err
	}
	res, err := c.create(ctx, to, w)
	result := newResult(res, err)
	if err != nil && mayHaveHappened(err) {
		result.JSON, err = c.settle(context.WithoutCancel(ctx), to, w, err)
		result.Info.Reconciled = err == nil
	}
	return result, err
}

// create sends a create, and remembers what it made as nobody else's.
func (c *Client) create(ctx context.Context, to call, w NewWebhook) (*response, error) {
	defer c.known.begin(to, w)()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	res, err := c.do(ctx, http.MethodPost, to, w.form())
	if err == nil {
		c.known.remember(res.body)
	}
	return res, err
}

func (w NewWebhook) form() url.Values {
	f := form{}
	f.text("Target", &w.Target)
	f.text("Configuration.Url", w.URL)
	f.text("Configuration.Method", w.Method)
	f["Configuration.Filters"] = w.Filters
	f["Configuration.Triggers"] = w.Triggers
	f.text("Configuration.FlowSid", w.FlowSID)
	f.integer("Configuration.ReplayAfter", w.ReplayAfter)
	return url.Values(f)
}

// A form holds parameters as Twilio takes them: a list is its key repeated, and
// what was not given has no key.
type form url.Values

func (f form) text(key string, value *string) {
	if value != nil {
		f[key] = []string{*value}
	}
}

func (f form) integer(key string, value *int64) {
	if value != nil {
		f[key] = []string{strconv.FormatInt(*value, 10)}
	}
}
