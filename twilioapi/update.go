package twilioapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// An UpdateOutcomeError is an update that failed with Err and that may have been
// carried out. The webhook was read afterwards, and differs from what was asked
// for, or it could not be read.
type UpdateOutcomeError struct {
	// Err is the update's error, an [Error] or a [NoAnswerError].
	Err error
	// Fetch is why the webhook could not be read; nil if it was.
	Fetch error
	// Differs names the parameters whose values in the webhook differ.
	Differs []string
	// Unread names the parameters whose values in the webhook cannot be read.
	Unread []string
	// NotApplied reports that the webhook was last changed before the update was
	// sent. Twilio may still apply the update. Otherwise the webhook was changed
	// since, by this update or another one, or that is not known.
	NotApplied bool
}

func (e *UpdateOutcomeError) Error() string {
	switch {
	case e.Fetch != nil:
		return fmt.Sprintf("%v; and reading the webhook failed: %v", e.Err, e.Fetch)
	case e.NotApplied:
		return fmt.Sprintf("%v; the update was not applied so far", e.Err)
	case len(e.Differs) > 0:
		return fmt.Sprintf("%v; the webhook differs in %s", e.Err, strings.Join(e.Differs, ", "))
	default:
		return fmt.Sprintf("%v; the webhook's %s cannot be read", e.Err, strings.Join(e.Unread, ", "))
	}
}

// Unwrap returns the update's error.
func (e *UpdateOutcomeError) Unwrap() error { return e.Err }

// UpdateWebhook changes a webhook and returns it. Result.Differs names the
// parameters whose values in Twilio's response differ from those in w.
//
// The update is retried only if Twilio did nothing or was not reached. If its
// outcome is unknown, the webhook is read, which may take ten seconds beyond the
// timeout: if it is as w asks, it is returned with Info.Reconciled; otherwise the
// error is an [UpdateOutcomeError]. After any other error it is certain that
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
	} else if mayHaveHappened(err) {
		result.JSON, err = c.readBack(context.WithoutCancel(ctx), scope, sid, w, err)
		result.Info.Reconciled = err == nil
	}
	return result, err
}

// readBack reads the webhook of an update that failed with failure, and once more
// if it is not as w asks.
func (c *Client) readBack(ctx context.Context, scope requestScope, sid string, w WebhookUpdate, failure error) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, reconcileTimeout)
	defer cancel()
	began, start := sentAt(failure), newInterval(failure)
	for poll := 1; ; poll++ {
		got, res, err := c.fetchIsolated(ctx, scope, sid)
		if err != nil {
			return nil, &UpdateOutcomeError{Err: failure, Fetch: err}
		}
		start.narrow(began, res.responseMeta)
		compared := w.compare(got)
		if compared.isEqual() {
			return got.raw, nil
		}
		if poll == 2 || c.sleep(ctx, untilNextPoll(time.Since(began))) != nil {
			changed, dated := parseDate(got.dateUpdated)
			return nil, &UpdateOutcomeError{Err: failure, Differs: compared.differs, Unread: compared.unread, NotApplied: dated && start.isAfter(changed)}
		}
	}
}

func (c *Client) fetchIsolated(ctx context.Context, scope requestScope, sid string) (webhook, *response, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r := fetchRequest(scope, sid)
	r.isolated = true
	res, err := c.do(ctx, r)
	if err != nil {
		return webhook{}, nil, err
	}
	return parseWebhook(res.body), res, nil
}
