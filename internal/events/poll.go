package events

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"twilio-conversations-mcp/twilioapi"
)

// Limits of one poll.
const (
	pageSize      = 50 // messages
	maxPages      = 10
	defaultEvents = 100
	maxEvents     = pageSize * maxPages
	pollInterval  = 10 * time.Second // that clients are asked to keep
)

// Poll returns the messages of a conversation that were added after a cursor, the
// oldest first. Without a cursor it returns the newest one as a cursor. It is the
// method events/poll.
func (s *Server) Poll(ctx context.Context, c Call) (map[string]any, error) {
	p, conversation, err := readPoll(ctx, c)
	if err != nil {
		return nil, err
	}
	after, resumes, err := p.position()
	if err != nil {
		return nil, err
	}
	result := map[string]any{"events": []any{}, "truncated": false, "hasMore": false, "nextPollMs": pollInterval.Milliseconds()}
	if !resumes {
		newest, err := newestIndex(ctx, c.Twilio, conversation)
		result["cursor"] = strconv.FormatInt(newest, 10)
		return result, err
	}
	messages, complete, err := messagesAfter(ctx, c.Twilio, conversation, after)
	if err != nil {
		return nil, err
	}
	recent := dropOld(messages, s.now(), p.MaxAge)
	result["truncated"] = !complete || len(recent) < len(messages)
	if len(messages) > 0 {
		after = messages[len(messages)-1].Index
	}
	if n := int(min(*p.MaxEvents, maxEvents)); len(recent) > n {
		recent, result["hasMore"] = recent[:n], true
		after = recent[n-1].Index
	}
	list := []any{}
	for _, m := range recent {
		list = append(list, s.polled(conversation, m))
	}
	result["events"], result["cursor"] = list, strconv.FormatInt(after, 10)
	return result, nil
}

// readPoll returns the params of a poll, and the SID of the conversation.
func readPoll(ctx context.Context, c Call) (*params, string, error) {
	p, err := readParams(c.Params)
	if err != nil {
		return nil, "", err
	}
	event, err := p.event()
	if err != nil {
		return nil, "", err
	}
	if name := eventTypes[event].name; name != messageAdded {
		return nil, "", unsupported("poll", name+" cannot be polled; "+messageAdded+" can")
	}
	if p.MaxEvents == nil {
		p.MaxEvents = new(int64(defaultEvents))
	}
	if *p.MaxEvents < 1 {
		return nil, "", invalid("maxEvents must be at least 1")
	}
	conversation, err := p.conversation(ctx, c.Twilio)
	return p, (&subscription{conversation: conversation}).conversationSID(), err
}

// A chatMessage is a message of a conversation. What Twilio does not give is empty.
type chatMessage struct {
	SID            string         `json:"sid"`
	AccountSID     string         `json:"account_sid"`
	Index          int64          `json:"index"`
	Author         string         `json:"author"`
	Body           string         `json:"body"`
	ParticipantSID string         `json:"participant_sid"`
	Attributes     string         `json:"attributes"`
	Media          jsontext.Value `json:"media"`
	DateCreated    string         `json:"date_created"`
}

// readMessages returns a page of messages, the newest first, and the token of the
// next page, which is empty if there is none.
func readMessages(ctx context.Context, twilio *twilioapi.Client, conversation string, size int, token string) (page []chatMessage, next string, err error) {
	p := twilioapi.Parameters{"ConversationSid": {conversation}, "Order": {"desc"}, "PageSize": {strconv.Itoa(size)}}
	if token != "" {
		p.Set("PageToken", token)
	}
	result, err := twilio.Read(ctx, twilioapi.ListMessages, p)
	if err != nil {
		return nil, "", err
	}
	var list struct {
		Messages []chatMessage `json:"messages"`
		Meta     struct {
			Next string `json:"next_page_url"`
		} `json:"meta"`
	}
	if err := jsonv2.Unmarshal(result.JSON, &list); err != nil {
		return nil, "", errors.New("the list of messages in Twilio's response cannot be read")
	}
	if address, err := url.Parse(list.Meta.Next); err == nil {
		next = address.Query().Get("PageToken")
	}
	return list.Messages, next, nil
}

// newestIndex returns the index of the newest message, or -1 if there is none.
func newestIndex(ctx context.Context, twilio *twilioapi.Client, conversation string) (int64, error) {
	page, _, err := readMessages(ctx, twilio, conversation, 1, "")
	if err != nil || len(page) == 0 {
		return -1, err
	}
	return page[0].Index, nil
}

// messagesAfter returns the messages after an index, the oldest first, and whether
// these are all. It reads the newest ones first, a limited number of pages.
func messagesAfter(ctx context.Context, twilio *twilioapi.Client, conversation string, index int64) (list []chatMessage, complete bool, err error) {
	token := ""
	for range maxPages {
		page, next, err := readMessages(ctx, twilio, conversation, pageSize, token)
		if err != nil {
			return nil, false, err
		}
		for _, m := range page {
			complete = complete || m.Index <= index
			if m.Index > index {
				list = append(list, m)
			}
		}
		if complete = complete || next == ""; complete {
			break
		}
		token = next
	}
	slices.SortFunc(list, func(a, b chatMessage) int { return int(a.Index - b.Index) })
	list = slices.CompactFunc(list, func(a, b chatMessage) bool { return a.Index == b.Index }) // pages shift while they are read
	return list, complete, nil
}

// dropOld leaves out messages that are older than age, in milliseconds, unless that
// is nil.
func dropOld(messages []chatMessage, now time.Time, age *int64) []chatMessage {
	if age == nil {
		return messages
	}
	return slices.DeleteFunc(slices.Clone(messages), func(m chatMessage) bool {
		created, err := time.Parse(time.RFC3339, m.DateCreated)
		return err == nil && now.Sub(created).Milliseconds() > *age
	})
}

// polled returns a message as the event that a subscriber gets of it.
func (s *Server) polled(conversation string, m chatMessage) json.RawMessage {
	data := map[string]any{"EventType": messageAdded, "ConversationSid": conversation}
	for name, value := range map[string]string{
		"AccountSid": m.AccountSID, "MessageSid": m.SID, "Index": strconv.FormatInt(m.Index, 10), "Body": m.Body, "Author": m.Author,
		"ParticipantSid": m.ParticipantSID, "Attributes": m.Attributes, "Media": strings.TrimPrefix(string(m.Media), "null"), "DateCreated": m.DateCreated,
	} {
		if value != "" {
			data[name] = value
		}
	}
	return occurrence(messageAdded, m.SID, "", m.DateCreated, data, s.now())
}

// setPosition sets the position that the subscriber knows: the one it asks for or,
// if it asks for none, the newest one. A new webhook then replays what came after.
func (n *subscriber) setPosition(ctx context.Context, p *params) error {
	after, resumes, err := p.position()
	if err != nil || n.name() != messageAdded {
		return err
	}
	if !resumes {
		n.position, err = newestIndex(ctx, n.Twilio, n.conversationSID())
		return err
	}
	n.position, n.replayAfter, n.skips = after, new(after+1), p.MaxAge != nil
	return nil
}
