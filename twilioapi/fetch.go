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
	return newResult(c.do(ctx, fetchRequest(scope, sid)))
}

func fetchRequest(scope requestScope, sid string) *request {
	return &request{requestScope: scope, method: http.MethodGet, sid: &sid, decode: decodeOne(scope, sid)}
}

// decodeOne returns a decoder of one certain webhook.
func decodeOne(scope requestScope, sid string) func(responseMeta, []byte) (json.RawMessage, error) {
	return func(_ responseMeta, body []byte) (json.RawMessage, error) {
		object, got, err := decodeWebhook(scope, body)
		if err == nil && !strings.EqualFold(got, sid) {
			err = errors.New("the response is another webhook")
		}
		return object, err
	}
}
