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
	result, err := newResult(c.do(ctx, &request{
		requestScope: scope, method: http.MethodPost, sid: &sid, params: w.form(), decode: decodeOne(scope, sid),
	}))
	if err == nil {
		result.Differs = w.compare(parseWebhook(result.JSON)).differs
	} else if outcomeOf(err) == Unknown {
		result.JSON, err = c.readBack(context.WithoutCancel(ctx), fetchRequest(scope, sid), err.(*Error), func(body json.RawMessage) (comparison, string) {
			got := parseWebhook(body)
			return w.compare(got), got.dateUpdated
		})
		result.Info.Reconciled = err == nil
	}
	return result, err
}

// readBack reads what an update that failed with failure should have changed, and
// once more if it is not as asked. The function compares a response with what was
// asked, and returns the date of its last change, or "".
func (c *Client) readBack(ctx context.Context, r *request, failure *Error, compare func(json.RawMessage) (comparison, string)) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, reconcileTimeout)
	defer cancel()
	r.isolated = true
	began, start := failure.meta.sent, newInterval(failure)
	for poll := 1; ; poll++ {
		res, err := c.doInTime(ctx, r)
		if err != nil {
			failure.ReadBack = &ReadBack{Err: err}
			return nil, failure
		}
		start.narrow(began, res.responseMeta)
		compared, date := compare(res.body)
		if compared.isEqual() {
			return res.body, nil
		}
		if poll == 2 || c.sleep(ctx, untilNextPoll(time.Since(began))) != nil {
			changed, dated := parseDate(date)
			failure.ReadBack = &ReadBack{NotApplied: dated && start.isAfter(changed), Differs: compared.differs, Unreadable: compared.unread}
			return nil, failure
		}
	}
}

// doInTime is do with the time limit of a call.
func (c *Client) doInTime(ctx context.Context, r *request) (*response, error) {
	ctx, cancel := c.WithTimeout(ctx)
	defer cancel()
	return c.do(ctx, r)
}
