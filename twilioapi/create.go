package twilioapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// CreateWebhook creates a webhook and returns it.
//
// The create is retried only if Twilio did nothing or was not reached. If its
// outcome is unknown, it is reconciled by listing, which may take ten seconds
// beyond the timeout: Info.Reconciled reports that the webhook was found that way,
// and [Error.ReadBack] says why it was not. Unless the outcome of an error is
// [Unknown], nothing was created.
//
// A context that is done keeps the create from being sent, or sent again; once it
// may have reached Twilio it is completed and reconciled all the same.
//
// POST /v1/Conversations/{ConversationSid}/Webhooks
func (c *Client) CreateWebhook(ctx context.Context, conversation string, w NewWebhook) (Result, error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.create(ctx, scope, w, nil)
}

// create creates a webhook. Each request is sent only while lock is held, unless that
// is nil.
func (c *Client) create(ctx context.Context, scope requestScope, w NewWebhook, lock Lock) (result Result, err error) {
	pending := c.creates.begin(ctx, scope, w)
	defer func() { c.creates.end(ctx, pending, outcomeOf(err) == Unknown) }()
	result, err = newResult(c.do(ctx, &request{
		requestScope: scope, method: http.MethodPost, params: w.form(), lock: lock,
		decode: func(_ responseMeta, body []byte) (json.RawMessage, error) {
			object, sid, err := decodeWebhook(scope, body)
			if err == nil && !c.creates.claim(ctx, sid, false) {
				err = errors.New("the response is the webhook of another create")
			}
			return object, err
		},
	}))
	result.Ignored = w.ignored()
	if err == nil {
		result.Differs = w.compare(parseWebhook(result.JSON)).differs
	} else if outcomeOf(err) == Unknown {
		result.JSON, err = c.reconcile(context.WithoutCancel(ctx), pending, scope, w, err.(*Error))
		result.Info.Reconciled = err == nil
	}
	return result, err
}
