package twilioapi

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// EnsureWebhook returns the webhook of a conversation that is identical to w, with
// Existing set, or creates it as [Client.CreateWebhook] does.
//
// Identical means the same target and, because Twilio ignores what a target does
// not use, the same URL, method (post by default) and set of filters for webhook;
// URL, method and set of triggers for trigger; Flow SID, and set of filters if w
// has any, for studio. URLs are compared by [SameURL]. ReplayAfter is not compared: if the webhook exists, nothing is replayed.
//
// Calls with the same conversation, as it is spelled, and the same credentials run
// one after another. A call waits for at most two minutes, which do not count toward
// its timeout. While 15 calls wait, further ones are refused.
// Other processes and plain creates are not waited for.
func (c *Client) EnsureWebhook(ctx context.Context, conversation string, w NewWebhook) (Result, error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return Result{}, err
	}
	// The key has the credentials: callers with others cannot delay this call.
	unlock, err := c.ensures.lock(ctx, scope)
	if err != nil {
		return Result{}, notSent(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.ensure(ctx, scope, w)
}

func (c *Client) ensure(ctx context.Context, scope requestScope, w NewWebhook) (Result, error) {
	all, last, err := c.listAll(ctx, scope)
	if err != nil {
		return newResult(nil, err)
	}
	var similar []SimilarWebhook
	for _, existing := range all {
		compared := w.compareIdentity(existing)
		if len(compared.differs) == 0 {
			return w.found(existing, compared.unread, last)
		}
		if s, ok := w.similar(existing, compared.differs); ok {
			similar = append(similar, s)
		}
	}
	result, err := c.create(ctx, scope, w)
	result.Similar = similar
	return result, err
}

// found returns the result of an ensure that found the webhook in a response. If
// what was not read decides whether it is identical, that is an error.
func (w NewWebhook) found(existing webhook, unread []string, in *response) (Result, error) {
	var problem string
	switch {
	case !isSID("WH", existing.sid):
		problem = "the list has a webhook without a valid SID"
	case len(unread) > 0:
		problem = fmt.Sprintf("the %s of %s cannot be read", strings.Join(unread, ", "), existing.sid)
	}
	if problem != "" {
		failure := in.unusable(problem)
		failure.Permanent = true
		return newResult(nil, failure)
	}
	result, _ := newResult(in, nil)
	result.JSON, result.Existing = slices.Clone(existing.raw), true
	result.Ignored, result.NotReplayed = w.ignored(), w.ReplayAfter != nil
	if w.Target == "studio" && len(w.Filters) == 0 {
		result.Events = existing.filters
	}
	return result, nil
}
