package twilioapi

import (
	"context"
	"slices"
	"strings"
)

// A Webhook is what [Client.Webhooks] returns of a webhook.
type Webhook struct {
	SID, Target, URL string
	Filters          []string
}

// Webhooks returns all webhooks of a conversation, for a decision about a write.
func (c *Client) Webhooks(ctx context.Context, conversation string) (all []Webhook, err error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return nil, err
	}
	listed, last, err := c.listAll(ctx, scope)
	if err != nil {
		return nil, err
	}
	for _, w := range listed {
		if !isSID("WH", w.sid) || slices.Contains(w.unreadable, "Configuration.Url") {
			return nil, last.unusable("the list has a webhook that cannot be read")
		}
		all = append(all, Webhook{w.sid, w.target, w.url, w.filters})
	}
	return all, nil
}

// Lock keeps ensures of a conversation, given by its SID, and other callers of Lock
// waiting until unlock is called. With a [Store], that holds for all processes. It
// waits itself as [Client.EnsureWebhook] does.
func (c *Client) Lock(ctx context.Context, conversation string) (unlock func(), err error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, maxWait, errBusy)
	defer cancel()
	release, err := c.ensures.lock(ctx, scope)
	if err != nil {
		return nil, notSent(err)
	}
	if c.creates.store == nil {
		return release, nil
	}
	lock, err := c.lockStore(ctx, scope)
	if err != nil {
		release()
		return nil, err
	}
	return func() { lock.Release(); release() }, nil
}

// lockStore takes the lock that processes share, if the caller has access to the
// conversation.
func (c *Client) lockStore(ctx context.Context, scope requestScope) (Lock, error) {
	if _, _, err := c.listAll(ctx, scope); err != nil {
		return nil, err
	}
	lock, err := c.creates.store.Lock(ctx, "ensure "+strings.ToLower(scope.conversation))
	if err != nil {
		return nil, notSent(storeError(err))
	}
	return lock, nil
}
