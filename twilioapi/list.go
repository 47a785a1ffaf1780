package twilioapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// A Page asks for a part of a list. A nil field is not sent.
type Page struct {
	Size  *int64  // items per page, 1 to 5
	Index *int64  // for the client's own state, from 0
	Token *string // from the next_page_url of the page before
}

// ListWebhooks returns one page of a conversation's webhooks, given the
// conversation's SID or its unique name.
//
// GET /v1/Conversations/{ConversationSid}/Webhooks
func (c *Client) ListWebhooks(ctx context.Context, conversation string, p Page) (Result, error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return Result{}, err
	}
	query := form{}
	query.integer("PageSize", p.Size)
	query.integer("Page", p.Index)
	query.text("PageToken", p.Token)
	return newResult(c.doInTime(ctx, listRequest(scope, query)))
}

func listRequest(scope requestScope, query form) *request {
	return &request{requestScope: scope, method: http.MethodGet, params: query,
		decode: func(_ responseMeta, body []byte) (json.RawMessage, error) { return decodeList(scope, body) }}
}

// decodeList decodes a page of the webhooks of a conversation.
func decodeList(scope requestScope, body []byte) (json.RawMessage, error) {
	return decodeObject(body, "webhooks", func(name []byte, value jsontext.Value) error {
		if string(name) == "conversation_sid" && !scope.allows(value) {
			return errors.New("the response is the list of another conversation")
		}
		return nil
	})
}

// maxPages limits the pages of a list. A conversation has at most five webhooks.
const maxPages = 10

// listAll returns every webhook of a conversation, and the last page's response, for
// a decision about a write.
func (c *Client) listAll(ctx context.Context, scope requestScope) (all []webhook, last *response, err error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r := listRequest(scope, nil)
	r.isolated = true
	for range maxPages {
		if last, err = c.do(ctx, r); err != nil {
			return nil, nil, err
		}
		var page struct {
			Webhooks []jsontext.Value `json:"webhooks"`
			Meta     struct {
				NextPageURL *string `json:"next_page_url"`
			} `json:"meta"`
		}
		if err := jsonv2.Unmarshal(last.body, &page); err != nil {
			return nil, nil, last.unusable("the page's meta cannot be read")
		}
		for _, raw := range page.Webhooks {
			all = append(all, parseWebhook(json.RawMessage(raw)))
		}
		if page.Meta.NextPageURL == nil {
			return all, last, nil
		}
		next, err := url.Parse(*page.Meta.NextPageURL)
		if err != nil || !next.Query().Has("PageToken") {
			return nil, nil, last.unusable("the page's next_page_url has no PageToken")
		}
		r.params = form(next.Query()) // the query alone: credentials go to no other host
	}
	return nil, nil, last.unusable("the list does not end")
}

// unusable returns the error of a response to a read that was accepted.
func (r *response) unusable(problem string) *Error {
	return unusable(http.MethodGet, r.responseMeta, problem)
}
