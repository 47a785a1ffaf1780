package twilioapi

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// UpdateWebhook changes a webhook and returns it. Result.Differs names the
// parameters whose values in Twilio's response differ from those in w.
//
// The update is retried only if Twilio did nothing or was not reached. If its
// outcome is unknown, the webhook is read, which may take ten seconds beyond the
// timeout: if it is as w asks, it is returned with Info.Reconciled; otherwise
// [Error.ReadBack] says how it differs. Unless the outcome of an error is [Unknown],
// nothing was changed.
//
// The context acts as in [Client.CreateWebhook].
//
// POST /v1/Conversations/{ConversationSid}/Webhooks/{Sid}
func (c *Client) UpdateWebhook(ctx context.Context, conversation, sid string, w WebhookUpdate) (Result, error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	result, err := newResult(c.do(ctx, request{
		requestScope: scope, method: http.MethodPost, sid: &sid, params: w.form(), decode: decodeOne(scope, sid),
	}))
	if err == nil {
		result.Differs = w.compare(parseWebhook(result.JSON)).differs
	} else if outcomeOf(err) == Unknown {
		result.JSON, err = c.readBack(context.WithoutCancel(ctx), scope, sid, w, err.(*Error))
		result.Info.Reconciled = err == nil
	}
	return result, err
}

// readBack reads the webhook of an update that failed with failure, and once more
// if it is not as w asks.
func (c *Client) readBack(ctx context.Context, scope requestScope, sid string, w WebhookUpdate, failure *Error) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, reconcileTimeout)
	defer cancel()
	began, start := failure.meta.sent, newInterval(failure)
	for poll := 1; ; poll++ {
		res, err := c.fetchIsolated(ctx, scope, sid)
		if err != nil {
			failure.ReadBack = &ReadBack{Err: err}
			return nil, failure
		}
		start.narrow(began, res.responseMeta)
		got := parseWebhook(res.body)
		compared := w.compare(got)
		if compared.isEqual() {
			return got.raw, nil
		}
		if poll == 2 || c.sleep(ctx, untilNextPoll(time.Since(began))) != nil {
			changed, dated := parseDate(got.dateUpdated)
			failure.ReadBack = &ReadBack{NotApplied: dated && start.isAfter(changed), Differs: compared.differs, Unreadable: compared.unread}
			return nil, failure
		}
	}
}

func (c *Client) fetchIsolated(ctx context.Context, scope requestScope, sid string) (*response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r := fetchRequest(scope, sid)
	r.isolated = true
	return c.do(ctx, r)
}
