package events

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// conversationMessages are the messages of a conversation, as Twilio lists them.
type conversationMessages struct {
	mu       sync.Mutex
	list     []map[string]any
	requests int
	endless  bool // every page names a next one
	status   int  // of answers, unless 0
}

func messageSID(index int) string { return fmt.Sprintf("IM%032x", index) }

// add adds a message for each index.
func (c *conversationMessages) add(indexes ...int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, i := range indexes {
		c.list = append(c.list, map[string]any{
			"sid": messageSID(i), "account_sid": "ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "conversation_sid": room, "index": i, "author": "alice",
			"body": fmt.Sprint("message ", i), "participant_sid": nil, "attributes": "{}", "media": nil,
			"date_created": time.Now().Add(time.Duration(i-1000) * time.Minute).UTC().Format(time.RFC3339),
		})
	}
}

func (c *conversationMessages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests++
	if c.status != 0 {
		w.WriteHeader(c.status)
		return
	}
	newest := slices.Clone(c.list)
	slices.Reverse(newest)
	size, _ := strconv.Atoi(r.FormValue("PageSize"))
	from, _ := strconv.Atoi(r.FormValue("PageToken"))
	to := min(from+size, len(newest))
	var next any
	if to < len(newest) || c.endless {
		next = "https://conversations.twilio.com/v1/Messages?PageSize=50&Page=1&PageToken=" + url.QueryEscape(strconv.Itoa(to%max(1, len(newest))))
	}
	page := newest[min(from, to):to]
	if page == nil {
		page = []map[string]any{}
	}
	if r.FormValue("Order") != "desc" {
		page = nil
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"messages": page, "meta": map[string]any{"next_page_url": next}})
}

// A polled is a result of a poll.
type polled struct {
	Events []struct {
		EventID, Name, Timestamp string
		Data                     map[string]any
	}
	Cursor             string
	Truncated, HasMore bool
	NextPollMs         int
}

func (s *site) poll(cursor any, changes ...func(map[string]any)) (p polled) {
	s.t.Helper()
	result, err := s.server.Poll(s.t.Context(), s.call(s.params(messageAdded, append(changes, set("cursor", cursor), set("delivery", nil))...)))
	require.NoError(s.t, err)
	raw, err := json.Marshal(result)
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal(raw, &p))
	return p
}

func (p polled) ids() (ids []string) {
	for _, e := range p.Events {
		ids = append(ids, e.EventID)
	}
	return ids
}

func sids(indexes ...int) (list []string) {
	for _, i := range indexes {
		list = append(list, messageSID(i))
	}
	return list
}

func upTo(n int) (indexes []int) {
	for i := range n {
		indexes = append(indexes, i)
	}
	return indexes
}

func TestAPollStartsFromNow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, cursor := range []any{nil, ""} {
		p := s.poll(cursor)
		require.Empty(t, p.Events)
		require.Equal(t, "-1", p.Cursor, "there is no message")
		require.False(t, p.Truncated || p.HasMore)
		require.Equal(t, 10000, p.NextPollMs)
	}
	s.messages.add(upTo(3)...)
	require.Equal(t, "2", s.poll(nil).Cursor)
	require.Equal(t, sids(0, 1, 2), s.poll("-1").ids())
	require.Equal(t, sids(2), s.poll("1").ids())
	require.Empty(t, s.poll("2").Events)
	require.Equal(t, "2", s.poll("2").Cursor)
	require.Equal(t, "7", s.poll("7").Cursor, "the newest messages have been removed")
}

// A poll returns what a subscriber gets.
func TestAPolledMessageIsTheEventOfASubscriber(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.messages.add(5)
	got := s.poll("4").Events[0]
	m := s.messages.list[0]
	require.Equal(t, 204, s.fire(s.hook(messageAdded), happened(messageAdded, "MessageSid", messageSID(5), "Index", "5", "Body", "message 5",
		"Author", "alice", "Attributes", "{}", "DateCreated", m["date_created"].(string))))
	delivered := s.receiver.await("", 1)[0].fields
	delete(delivered["data"].(map[string]any), "Source") // which is not a field of a message
	require.Equal(t, delivered, map[string]any{"eventId": got.EventID, "name": got.Name, "timestamp": got.Timestamp, "data": got.Data})
}

func TestAPollReturnsWhatIsNewInParts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.messages.add(upTo(120)...)
	var ids []string
	cursor, polls := "-1", 0
	for more := true; more; polls++ {
		p := s.poll(cursor, set("maxEvents", 50))
		require.Equal(t, p.HasMore, polls < 2)
		require.False(t, p.Truncated)
		ids, cursor, more = append(ids, p.ids()...), p.Cursor, p.HasMore
	}
	require.Equal(t, sids(upTo(120)...), ids)
	require.Equal(t, "119", cursor)
	require.Len(t, s.poll("-1").Events, defaultEvents)
	require.Len(t, s.poll("-1", set("maxEvents", 1_000_000)).Events, 120)
}

// Removed messages leave holes in the indexes.
func TestHolesDoNotStopAPoll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.messages.add(1, 2, 9, 40)
	require.Equal(t, sids(9, 40), s.poll("5").ids())
	require.Equal(t, sids(9, 40), s.poll("2").ids())
	require.Equal(t, "40", s.poll("2").Cursor)
}

func TestAPollReadsALimitedNumberOfPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.messages.add(upTo(700)...)
	p := s.poll("3", set("maxEvents", 1000))
	require.True(t, p.Truncated)
	require.False(t, p.HasMore)
	require.Len(t, p.Events, maxEvents)
	require.Equal(t, messageSID(699), p.Events[maxEvents-1].EventID)
	require.Equal(t, "699", p.Cursor)
	require.Equal(t, maxPages, s.messages.requests)

	s = newSite(t)
	s.messages.endless = true
	s.messages.add(1, 2, 3)
	require.Equal(t, sids(1, 2, 3), s.poll("0").ids(), "pages that repeat")
	require.Equal(t, maxPages, s.messages.requests)
}

func TestAPollLeavesOutWhatIsTooOld(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.messages.add(upTo(1000)[990:]...) // one a minute, until now
	p := s.poll("980", set("maxAgeMs", (4*time.Minute+30*time.Second).Milliseconds()))
	require.Equal(t, sids(996, 997, 998, 999), p.ids())
	require.True(t, p.Truncated)
	require.Equal(t, "999", p.Cursor)
	p = s.poll("995", set("maxAgeMs", time.Hour.Milliseconds()))
	require.False(t, p.Truncated)
	require.Len(t, p.Events, 4)
}

func TestOnlyMessagesCanBePolled(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *Options) { o.Keys = nil })
	for code, changes := range map[int][]func(map[string]any){
		codeUnsupported: {set("name", "onMessageRemoved")}, codeNotFound: {set("name", "x")}, codeInvalidParams: {set("maxEvents", 0)},
	} {
		_, err := s.server.Poll(t.Context(), s.call(s.params(messageAdded, changes...)))
		require.Equal(t, code, asError(t, err).Code)
	}
	for _, cursor := range []any{"x", "1.5", "-2", "+1", "01", "99999999999", 5, "0x1", " 1"} {
		_, err := s.server.Poll(t.Context(), s.call(s.params(messageAdded, set("cursor", cursor))))
		require.Equal(t, codeInvalidParams, asError(t, err).Code, "%v", cursor)
	}
	for status, code := range map[int]int{404: codeNotFound, 401: codeForbidden, 500: codeInternal} {
		s.messages.status = status
		for _, cursor := range []any{nil, "1"} {
			_, err := s.server.Poll(t.Context(), s.call(s.params(messageAdded, set("cursor", cursor))))
			require.Equal(t, code, asError(t, err).Code)
		}
	}
}

// A subscription to messages says where a poll misses nothing, and a new webhook
// replays what came after the cursor of its subscriber.
func TestASubscriptionToMessagesHasACursor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.messages.add(upTo(3)...)
	require.Equal(t, "2", s.subscribe(messageAdded)["cursor"])
	require.EqualValues(t, 2, s.server.open(s.webhooks(room)[0].URL).position)
	require.Nil(t, s.replayAfter())

	s.messages.add(3, 4)
	require.Equal(t, "2", s.subscribe(messageAdded, set("cursor", "2"))["cursor"], "a refresh keeps what is safe")
	require.Nil(t, s.replayAfter())

	result := s.subscribe(messageAdded, set("cursor", "2"), set("delivery.url", s.receiver.URL+"/new"))
	require.Equal(t, "2", result["cursor"])
	require.Equal(t, false, result["truncated"])
	require.EqualValues(t, 3, *s.replayAfter())

	result = s.subscribe(messageAdded, set("cursor", "2"), set("maxAgeMs", 1000), set("delivery.url", s.receiver.URL+"/recent"))
	require.Equal(t, true, result["truncated"], "nothing is replayed that may be too old")
	require.Nil(t, s.replayAfter())
}

// replayAfter returns that of the last webhook.
func (s *site) replayAfter() *int64 {
	s.t.Helper()
	all := s.webhooks(room)
	result, err := s.twilio.FetchWebhook(s.t.Context(), room, all[len(all)-1].SID)
	require.NoError(s.t, err)
	var w struct {
		Configuration struct {
			ReplayAfter *int64 `json:"replay_after"`
		}
	}
	require.NoError(s.t, json.Unmarshal(result.JSON, &w))
	return w.Configuration.ReplayAfter
}
