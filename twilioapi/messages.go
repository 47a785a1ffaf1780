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

// A Message is a message of a conversation. A field is empty if Twilio gave none.
type Message struct {
	SID            string          `json:"sid"`
	AccountSID     string          `json:"account_sid"`
	Index          int64           `json:"index"`
	Author         string          `json:"author"`
	Body           string          `json:"body"`
	ParticipantSID string          `json:"participant_sid"`
	Attributes     string          `json:"attributes"`
	Media          json.RawMessage `json:"media"`
	DateCreated    string          `json:"date_created"`
}

// Messages returns a page of a conversation's messages, the newest first. The first
// page has an empty token. There is another page if next is not empty.
//
// GET /v1/Conversations/{ConversationSid}/Messages
func (c *Client) Messages(ctx context.Context, conversation string, size int64, token string) (page []Message, next string, err error) {
	scope, err := c.scope(conversation)
	if err != nil {
		return nil, "", err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	order := "desc"
	query := form{}
	query.text("Order", &order)
	query.integer("PageSize", &size)
	if token != "" {
		query.text("PageToken", &token)
	}
	var list messageList
	_, err = c.do(ctx, request{
		requestScope: scope, method: http.MethodGet, collection: "/Messages", params: query, maxBody: maxMessages,
		decode: func(_ responseMeta, body []byte) (json.RawMessage, error) { return list.decode(scope, body) },
	})
	return list.Messages, list.Meta.token(), err
}

// maxMessages limits a page of messages, in bytes. A body and the attributes of a
// message may have tens of thousands of characters.
const maxMessages = 4 << 20

// A messageList is a page as Twilio writes it.
type messageList struct {
	Messages []Message `json:"messages"`
	Meta     listMeta  `json:"meta"`
}

type listMeta struct {
	NextPageURL string `json:"next_page_url"`
}

// token is the PageToken of the next page, or empty.
func (m listMeta) token() string {
	next, err := url.Parse(m.NextPageURL)
	if err != nil {
		return ""
	}
	return next.Query().Get("PageToken")
}

func (l *messageList) decode(scope requestScope, body []byte) (json.RawMessage, error) {
	object, err := decodeObject(body, "messages", func(name []byte, value jsontext.Value) error {
		if string(name) == "conversation_sid" && !scope.allows(value) {
			return errors.New("the response is the list of another conversation")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	*l = messageList{}
	if jsonv2.Unmarshal(object, l, jsontext.AllowDuplicateNames(true)) != nil {
		return nil, errors.New("the response is not a list of messages")
	}
	return object, nil
}
