package twilioapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// EnsureWebhook returns the webhook of a conversation that is identical to w, with
// Existing set, or creates it as [Client.CreateWebhook] does.
//
// Identical means the same target and, because Twilio ignores what a target does
// not use, the same URL, method (post by default) and set of filters for webhook;
// URL, method and set of triggers for trigger; Flow SID, and set of filters if w
// has any, for studio. URLs are compared by [SameURL]. ReplayAfter is not compared:
// if the webhook exists, nothing is replayed.
//
// Calls with the same conversation, as it is spelled, and the same credentials run
// one after another. With a [Store], so do those of all processes that may create a
// webhook in one conversation, however they name it. A call waits for at most two
// minutes, which do not count toward its timeout. While 15 calls of a process wait,
// further ones are refused. Plain creates are not waited for.
func (c *Client) EnsureWebhook(ctx context.Context, conversation string, w NewWebhook) (Result, error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return Result{}, err
	}
	waiting, stop := context.WithTimeoutCause(ctx, maxWait, errBusy)
	defer stop()
	// The key has the credentials: callers with others cannot delay this call.
	unlock, err := c.ensures.lock(waiting, scope)
	if err != nil {
		return Result{}, notSent(err)
	}
	defer unlock()
	if c.creates.store != nil {
		return c.ensureLocked(ctx, waiting, scope, w)
	}
	ctx, cancel := c.WithTimeout(ctx)
	defer cancel()
	return c.ensure(ctx, scope, w, nil)
}

// ensureLocked creates a webhook while it has the conversation's lock. That is taken
// only after the list was read, so that only callers who have access to the
// conversation can hold it, and is not needed if the webhook is there.
func (c *Client) ensureLocked(caller, waiting context.Context, scope requestScope, w NewWebhook) (Result, error) {
	ctx, cancel := c.WithTimeout(caller)
	defer cancel()
	result, _, err := c.find(ctx, scope, w)
	if err != nil || result.Existing {
		return result, err
	}
	sid, err := c.conversationSID(ctx, scope)
	if err != nil {
		return Result{}, err
	}
	deadline, _ := ctx.Deadline()
	left := time.Until(deadline)
	lock, err := c.creates.store.Lock(waiting, "ensure "+sid)
	if err != nil {
		return Result{}, notSent(storeError(err))
	}
	defer lock.Release()
	ctx, cancel = context.WithTimeout(caller, left)
	defer cancel()
	return c.ensure(ctx, scope, w, lock)
}

// conversationSID returns the SID of the conversation, which may be given by its unique
// name.
func (c *Client) conversationSID(ctx context.Context, scope requestScope) (string, error) {
	if isSID("CH", scope.conversation) {
		return strings.ToLower(scope.conversation), nil
	}
	var fetched struct {
		SID string `json:"sid"`
	}
	conversation, err := c.Read(ctx, FetchConversation, Parameters{"ConversationSid": {scope.conversation}})
	if err == nil {
		err = json.Unmarshal(conversation.JSON, &fetched)
	}
	if err == nil && !isSID("CH", fetched.SID) {
		err = errors.New("the conversation has no valid SID")
	}
	if err != nil {
		return "", notSent(fmt.Errorf("the SID of the conversation cannot be read (%w), so nothing was created; give the SID (CH...) instead of the unique name", err))
	}
	return strings.ToLower(fetched.SID), nil
}

// ErrStore is wrapped by the error of an ensure that sends no create because the [Store]
// does not answer, or has lost the lock.
var ErrStore = errors.New("another copy might create the same webhook at this moment, so nothing was created; try again in a minute")

func storeError(err error) error {
	if errors.Is(err, errBusy) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w; %w", err, ErrStore)
}

func (c *Client) ensure(ctx context.Context, scope requestScope, w NewWebhook, lock Lock) (Result, error) {
	found, similar, err := c.find(ctx, scope, w)
	if err != nil || found.Existing {
		return found, err
	}
	result, err := c.create(ctx, scope, w, lock)
	result.Similar = similar
	return result, err
}

// find returns the webhook that is identical to w, with Existing set, or those that are
// similar.
func (c *Client) find(ctx context.Context, scope requestScope, w NewWebhook) (found Result, similar []SimilarWebhook, err error) {
	all, last, err := c.listAll(ctx, scope)
	if err != nil {
		found, err = newResult(nil, err)
		return found, nil, err
	}
	for _, existing := range all {
		compared := w.compareIdentity(existing)
		if len(compared.differs) == 0 {
			found, err = w.found(existing, compared.unread, last)
			return found, nil, err
		}
		if s, ok := w.similar(existing, compared.differs); ok {
			similar = append(similar, s)
		}
	}
	return Result{}, similar, nil
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
