package twilioapi

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	maxReturned = 50_000      // SIDs that are kept
	maxUnknown  = 50_000      // creates of unknown outcome that are kept
	unknownTime = time.Minute // how long one is kept

	returnedTime = 24 * time.Hour // how long a store keeps a SID
)

// A createLog records the creates of this process that may still own a webhook,
// and the webhooks that were returned. It keeps the webhook of one create from
// being returned for another. With a store, it does so for all processes: what it
// does not learn from the store makes an outcome unknown, and nothing else.
type createLog struct {
	store Store         // nil: there is one process
	root  string        // of the API, in the keys of the store
	life  time.Duration // of a create, from its begin until it is not kept any more

	mu       sync.Mutex
	inFlight map[*pendingCreate]struct{} // the outcome is not known yet
	unknown  []*pendingCreate            // the outcome stayed unknown; the oldest first
	returned map[string]struct{}         // SIDs, in lower case
	order    []string                    // the same, the oldest first
}

// newCreateLog returns the log of creates at root that take at most timeout. The store
// may be nil.
func newCreateLog(store Store, root string, timeout time.Duration) *createLog {
	return &createLog{store: store, root: root, life: timeout + reconcileTimeout + unknownTime,
		inFlight: map[*pendingCreate]struct{}{}, returned: map[string]struct{}{}}
}

// A pendingCreate describes a create in few bytes, however long its parameters
// are. Equal hashes of different values only make an outcome unknown.
type pendingCreate struct {
	conversation string // hash
	isSID        bool
	account      string // hash of the account SID; "" for an API key, whose account is not known
	content      string // hash of the target, the URL and the Flow SID
	id           string // of this create among those of all processes; "" without a store
	began        time.Time
	expires      time.Time
}

func hash(values ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(values, "\x00")))
	return hex.EncodeToString(sum[:8])
}

func newPendingCreate(scope requestScope, w NewWebhook) *pendingCreate {
	p := &pendingCreate{
		conversation: hash(scope.conversation),
		isSID:        isSID("CH", scope.conversation),
		content:      hash(w.Target, deref(w.URL), deref(w.FlowSID)),
		began:        time.Now(),
	}
	if p.isSID { // a SID is the same in upper case
		p.conversation = hash(strings.ToLower(scope.conversation))
	}
	if strings.HasPrefix(scope.credentials.Username, "AC") {
		p.account = hash(scope.credentials.Username)
	}
	return p
}

// record returns the create as a member of a store's set. The content is in the key
// of the set.
func (p *pendingCreate) record() string {
	kind := "name"
	if p.isSID {
		kind = "sid"
	}
	return strings.Join([]string{p.id, kind, p.conversation, p.account}, " ")
}

// parseRecord returns the create of a record in the set of the creates that have the
// content.
func parseRecord(record, content string) *pendingCreate {
	fields := slices.Concat(strings.Split(record, " "), make([]string, 4))
	return &pendingCreate{id: fields[0], isSID: fields[1] == "sid", conversation: fields[2], account: fields[3], content: content}
}

// mayProduceSame reports whether two creates may create equal webhooks in one
// conversation. A conversation has a SID and a unique name, and several API keys
// give access to it.
func (p *pendingCreate) mayProduceSame(other *pendingCreate) bool {
	sameConversation := p.conversation == other.conversation || p.isSID != other.isSID
	sameAccount := p.account == other.account || p.account == "" || other.account == ""
	return p.content == other.content && sameConversation && sameAccount
}

// begin adds a create whose outcome is not known until end is called.
func (l *createLog) begin(ctx context.Context, scope requestScope, w NewWebhook) *pendingCreate {
	p := newPendingCreate(scope, w)
	if l.store != nil {
		p.id = rand.Text()
		_, _ = l.store.Add(ctx, l.creates(p), p.record(), l.life)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inFlight[p] = struct{}{}
	return p
}

// end removes a create. If its outcome stayed unknown, it counts for a while as
// the possible owner of a webhook: Twilio may have applied it, or may still.
func (l *createLog) end(ctx context.Context, p *pendingCreate, unknown bool) {
	if l.store != nil && unknown {
		_, _ = l.store.Add(ctx, l.creates(p), p.record(), unknownTime)
	} else if l.store != nil {
		_ = l.store.Remove(ctx, l.creates(p), p.record())
	}
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
// before, or if the store does not answer and must.
func (l *createLog) claim(ctx context.Context, sid string, storeMust bool) bool {
	if l.store != nil {
		first, err := l.store.Add(ctx, l.claims(sid), "", returnedTime)
		if err == nil && !first || err != nil && storeMust {
			return false
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.add(strings.ToLower(sid))
}

// creates and claims return keys of the store's sets: of creates with the content of p,
// and of a webhook, which is not empty if the webhook was returned.
func (l *createLog) creates(p *pendingCreate) string { return l.root + " creates " + p.content }
func (l *createLog) claims(sid string) string        { return l.root + " " + strings.ToLower(sid) }

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
func (l *createLog) claimCreated(ctx context.Context, p *pendingCreate, w NewWebhook, listed []webhook, start interval) (found *webhook, candidates int) {
	possible := slices.DeleteFunc(slices.Clone(listed), func(got webhook) bool {
		created, dated := parseDate(got.dateCreated)
		return len(w.compare(got).differs) > 0 || dated && start.isAfter(created)
	})
	rival := l.hasRival(p)
	others, returned, err := l.ask(ctx, p, possible)
	possible = slices.DeleteFunc(possible, func(got webhook) bool { return returned[got.sid] || l.wasReturned(got.sid) })
	if len(possible) != 1 {
		return nil, len(possible)
	}
	found = &possible[0]
	created, dated := parseDate(found.dateCreated)
	certain := w.compare(*found).isEqual() && dated && start.isBefore(created) && isSID("WH", found.sid)
	if err != nil || !certain || rival || slices.ContainsFunc(others, p.mayProduceSame) || !l.claim(ctx, found.sid, true) {
		return nil, 1
	}
	return found, 1
}

// ask returns what the store knows of other creates, and which of the webhooks were
// returned. Creates that begin later are no rivals: the webhooks were there before.
func (l *createLog) ask(ctx context.Context, p *pendingCreate, webhooks []webhook) (others []*pendingCreate, returned map[string]bool, err error) {
	if l.store == nil || len(webhooks) == 0 {
		return nil, nil, nil
	}
	keys := []string{l.creates(p)}
	for _, w := range webhooks {
		keys = append(keys, l.claims(w.sid))
	}
	sets, err := l.store.Members(ctx, time.Since(p.began)+l.life, keys...)
	if err != nil {
		return nil, nil, err
	}
	for _, record := range sets[0] {
		if other := parseRecord(record, p.content); other.id != p.id {
			others = append(others, other)
		}
	}
	returned = map[string]bool{}
	for i, w := range webhooks {
		returned[w.sid] = len(sets[i+1]) > 0
	}
	return others, returned, nil
}

func (l *createLog) wasReturned(sid string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.returned[strings.ToLower(sid)]
	return ok
}

// hasRival reports whether another create of this process may own the webhook that p
// created.
func (l *createLog) hasRival(p *pendingCreate) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
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
