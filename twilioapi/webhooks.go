package twilioapi

import (
	"context"

	jsonv2 "github.com/go-json-experiment/json"
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
		var got struct {
			SID           string `json:"sid"`
			Target        string `json:"target"`
			Configuration struct {
				URL     string   `json:"url"`
				Filters []string `json:"filters"`
			} `json:"configuration"`
		}
		if jsonv2.Unmarshal(w.raw, &got) != nil || !webhookSID().MatchString(got.SID) {
			return nil, last.unusable("the list has a webhook that cannot be read")
		}
		all = append(all, Webhook{got.SID, got.Target, got.Configuration.URL, got.Configuration.Filters})
	}
	return all, nil
}

// Lock keeps ensures of a conversation, and other callers of Lock, waiting until
// unlock is called. It waits itself as [Client.EnsureWebhook] does.
func (c *Client) Lock(ctx context.Context, conversation string) (unlock func(), err error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return nil, err
	}
	unlock, err = c.ensures.lock(ctx, scope)
	if err != nil {
		return nil, &UnsentError{err}
	}
	return unlock, nil
}
