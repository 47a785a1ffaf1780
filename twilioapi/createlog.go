package twilioapi

import (
	"hash/maphash"
	"strings"
	"sync"
	"time"
)

const (
	maxReturned = 50_000      // SIDs that are kept
	maxUnknown  = 50_000      // creates of unknown outcome that are kept
	unknownTime = time.Minute // how long one is kept
)

// A createLog records the creates of this process that may still own a webhook,
// and the webhooks that were returned. It keeps the webhook of one create from
// being returned for another.
type createLog struct {
	mu       sync.Mutex
	inFlight map[*pendingCreate]struct{} // the outcome is not known yet
	unknown  []*pendingCreate            // the outcome stayed unknown; the oldest first
	returned map[string]struct{}         // SIDs, in lower case
	order    []string                    // the same, the oldest first
}

func newCreateLog() *createLog {
	return &createLog{inFlight: map[*pendingCreate]struct{}{}, returned: map[string]struct{}{}}
}

// A pendingCreate describes a create in few bytes, however long its parameters
// are. Equal hashes of different values only make an outcome unknown.
type pendingCreate struct {
	conversation uint64
	isSID        bool
	account      uint64 // of the account SID; 0 for an API key, whose account is not known
	content      uint64 // of the target, the URL and the Flow SID
	expires      time.Time
}

var seed = maphash.MakeSeed()

func newPendingCreate(scope requestScope, w NewWebhook) *pendingCreate {
	p := &pendingCreate{
		conversation: maphash.String(seed, scope.conversation),
		isSID:        isSID("CH", scope.conversation),
		content:      maphash.Comparable(seed, [3]string{w.Target, deref(w.URL), deref(w.FlowSID)}),
	}
	if p.isSID { // a SID is the same in upper case
		p.conversation = maphash.String(seed, strings.ToLower(scope.conversation))
	}
	if strings.HasPrefix(scope.credentials.Username, "AC") {
		p.account = maphash.String(seed, scope.credentials.Username)
	}
	return p
}

// mayProduceSame reports whether two creates may create equal webhooks in one
// conversation. A conversation has a SID and a unique name, and several API keys
// give access to it.
func (p *pendingCreate) mayProduceSame(other *pendingCreate) bool {
	sameConversation := p.conversation == other.conversation || p.isSID != other.isSID
	sameAccount := p.account == other.account || p.account == 0 || other.account == 0
	return p.content == other.content && sameConversation && sameAccount
}

// begin adds a create whose outcome is not known until end is called.
func (l *createLog) begin(scope requestScope, w NewWebhook) *pendingCreate {
	p := newPendingCreate(scope, w)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight[p] = struct{}{}
	return p
}

// end removes a create. If its outcome stayed unknown, it counts for a while as
// the possible owner of a webhook: Twilio may have applied it, or may still.
func (l *createLog) end(p *pendingCreate, unknown bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.inFlight, p)
	if unknown {
		p.expires = time.Now().Add(unknownTime)
		l.unknown = append(l.unknown, p)
	}
	l.expire(time.Now())
}

func (l *createLog) expire(now time.Time) {
	for len(l.unknown) > 0 && (len(l.unknown) > maxUnknown || l.unknown[0].expires.Before(now)) {
		l.unknown = l.unknown[1:]
	}
}

// claim records that a webhook was returned. It reports false if it was returned
// before.
func (l *createLog) claim(sid string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.add(strings.ToLower(sid))
}

func (l *createLog) add(sid string) bool {
	if _, ok := l.returned[sid]; ok {
		return false
	}
	l.returned[sid] = struct{}{}
	if l.order = append(l.order, sid); len(l.order) > maxReturned {
		delete(l.returned, l.order[0])
		l.order = l.order[1:]
	}
	return true
}

// claimCreated claims the one webhook of a list that the create must have created.
// Otherwise it returns how many webhooks it may have created.
func (l *createLog) claimCreated(p *pendingCreate, w NewWebhook, listed []webhook, start interval) (found *webhook, candidates int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	certain := false
	for _, got := range listed {
		compared := w.compare(got)
		if len(compared.differs) > 0 {
			continue
		}
		if _, ok := l.returned[strings.ToLower(got.sid)]; ok {
			continue
		}
		created, dated := parseDate(got.dateCreated)
		if dated && start.isAfter(created) {
			continue
		}
		candidates++
		found = &got
		certain = compared.isEqual() && dated && start.isBefore(created) && isSID("WH", got.sid)
	}
	if candidates != 1 || !certain || l.hasRival(p) {
		return nil, candidates
	}
	l.add(strings.ToLower(found.sid))
	return found, 1
}

// hasRival reports whether another create may own the webhook that p created.
func (l *createLog) hasRival(p *pendingCreate) bool {
	l.expire(time.Now())
	for other := range l.inFlight {
		if other != p && other.mayProduceSame(p) {
			return true
		}
	}
	for _, other := range l.unknown {
		if other.mayProduceSame(p) {
			return true
		}
	}
	return false
}
