package twilioapi

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// UpdateWebhookConfiguration changes the webhooks that the account or, if p has
// ChatServiceSid, that Service has for all its conversations. It returns the new
// configuration. Result.Differs names the parameters whose values in it differ from
// those in p.
//
// Retries, outcomes and the context are as for [Client.UpdateWebhook].
//
// POST /v1/Configuration/Webhooks, POST /v1/Services/{ChatServiceSid}/Configuration/Webhooks
func (c *Client) UpdateWebhookConfiguration(ctx context.Context, p Parameters) (Result, error) {
	o := FetchAccountWebhooks
	if p.Has("ChatServiceSid") {
		o = FetchServiceWebhooks
	}
	write, err := c.request(o.writes(), p)
	if err != nil {
		return Result{}, err
	}
	result, err := newResult(c.doInTime(ctx, write))
	if err == nil {
		result.Differs = compareConfiguration(p, result.JSON).differs
	} else if outcomeOf(err) == Unknown {
		read := *write
		read.method, read.params = "GET", nil
		result.JSON, err = c.readBack(context.WithoutCancel(ctx), &read, err.(*Error), func(body json.RawMessage) (comparison, string) {
			return compareConfiguration(p, body), ""
		})
		result.Info.Reconciled = err == nil
	}
	return result, err
}

// compareConfiguration compares the given parameters with a configuration.
func compareConfiguration(p Parameters, body json.RawMessage) comparison {
	var method, pre, post, target string
	var filters []string
	var got webhook // for what cannot be read
	got.read(jsontext.Value(body), []field{
		{"method", "Method", &method}, {"filters", "Filters", &filters}, {"target", "Target", &target},
		{"pre_webhook_url", "PreWebhookUrl", &pre}, {"post_webhook_url", "PostWebhookUrl", &post},
	})
	c := comparison{got: &got}
	c.add("Method", p.Has("Method"), strings.EqualFold(method, p.Get("Method")))
	c.add("Filters", p.Has("Filters"), sameSet(filters, p["Filters"]))
	c.add("PreWebhookUrl", p.Has("PreWebhookUrl"), SameURL(pre, p.Get("PreWebhookUrl")))
	c.add("PostWebhookUrl", p.Has("PostWebhookUrl"), SameURL(post, p.Get("PostWebhookUrl")))
	c.add("Target", p.Has("Target"), target == p.Get("Target"))
	return c
}
