package twilioapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
)

// FetchWebhook returns one webhook of a conversation.
//
// GET /v1/Conversations/{ConversationSid}/Webhooks/{Sid}
func (c *Client) FetchWebhook(ctx context.Context, conversation, sid string) (Result, error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return newResult(c.do(ctx, fetchRequest(new(webhook), scope, sid)))
}

// fetchRequest returns a request that stores the webhook in w.
func fetchRequest(w *webhook, scope requestScope, sid string) request {
	return request{requestScope: scope, method: http.MethodGet, sid: &sid, decode: decodeInto(w, scope, sid)}
}

// decodeInto returns a decoder of one certain webhook, which also stores it in w.
func decodeInto(w *webhook, scope requestScope, sid string) func(responseMeta, []byte) (json.RawMessage, error) {
	return func(_ responseMeta, body []byte) (json.RawMessage, error) {
		var err error
		if *w, err = decodeWebhook(scope, body); err != nil {
			return nil, err
		}
		if !strings.EqualFold(w.id.SID, sid) {
			return nil, errors.New("the response is another webhook")
		}
		return w.raw, nil
	}
}
