package twilioapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// DeleteWebhook deletes a webhook of a conversation.
//
// The delete is retried as reads are. If Twilio does not find the webhook after an
// attempt that may have been carried out, it is deleted.
//
// DELETE /v1/Conversations/{ConversationSid}/Webhooks/{Sid}
func (c *Client) DeleteWebhook(ctx context.Context, conversation, sid string) (Result, error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	deleted := newDeleted(sid)
	r := &request{requestScope: scope, method: http.MethodDelete, sid: &sid,
		decode: func(meta responseMeta, body []byte) (json.RawMessage, error) {
			return deleted, checkDeleted(meta.status, sid, body)
		}}
	var uncertain *Error // of an attempt that may have been carried out
	attempts := 0
	res, failure := c.retry(ctx, r.method, func() (*response, *Error) {
		attempts++
		res, failure := c.send(ctx, r)
		switch {
		case failure == nil:
		case failure.Outcome == Unknown:
			uncertain = failure
		case failure.isNotFound() && uncertain != nil:
			return &response{deleted, failure.meta}, nil
		}
		return res, failure
	})
	if failure != nil && uncertain != nil { // the last attempt may have done nothing, an earlier one may have
		failure = uncertain
		failure.Attempts = attempts
	}
	return newResult(res, failure.orNil())
}

// isNotFound reports whether Twilio, and not something in between, said that the
// webhook is not there.
func (e *Error) isNotFound() bool {
	return e.Status == http.StatusNotFound && (e.Code == 20404 || e.Code == 50360)
}

func newDeleted(sid string) json.RawMessage {
	quoted, _ := jsontext.AppendQuote(nil, sid) // invalid UTF-8 is replaced
	return json.RawMessage(`{"sid":` + string(quoted) + `,"deleted":true}`)
}

// checkDeleted returns an error if a 2xx response does not say that the webhook
// was deleted: 204, or 200 with no body or with an object that has no other SID.
func checkDeleted(status int, sid string, body []byte) error {
	if status == http.StatusNoContent || status == http.StatusOK && len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	object, err := decodeObject(body, "", nil)
	if err != nil {
		return err
	}
	got := parseWebhook(object).sid
	if status != http.StatusOK || got != "" && !strings.EqualFold(got, sid) {
		return errors.New("the response does not say that the webhook was deleted")
	}
	return nil
}
