package serve

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// maxCallers is how many callers are remembered. Of one that is forgotten, no call
// counts any more.
const maxCallers = 10_000

// A callerKey identifies a caller over HTTP: by its credentials, or else by its
// network. The client of a stdio server has the zero key.
type callerKey struct {
	principal string
	network   netip.Prefix // an IPv4 address, or the /64 network of an IPv6 address
}

func keyOf(r *request) callerKey {
	if r.caller.Principal != "" {
		return callerKey{principal: r.caller.Principal}
	}
	if r.transport != "tcp" {
		return callerKey{}
	}
	address := addressOf(r.client)
	if !address.IsValid() {
		return callerKey{}
	}
	network, _ := address.Prefix(min(address.BitLen(), 64))
	return callerKey{network: network}
}

// A share is what one caller uses of the server.
type share struct {
	rate  *rate.Limiter       // of its calls; nil: not limited
	slots *semaphore.Weighted // one for each call that runs
	calls int                 // that run or wait
}

// callers limit what each of them uses, so that no caller keeps others from
// calling.
type callers struct {
	rate            rate.Limit // calls a second; 0: not limited
	burst           int        // calls at once before that
	slots, maxCalls int        // of one caller over HTTP
	allSlots        int

	mu     sync.Mutex
	shares map[callerKey]*share
}

func newCallers(o Options) *callers {
	slots, queue := o.MaxConcurrent, queueFactor*o.MaxConcurrent
	return &callers{
		rate: rate.Limit(o.Rate), burst: cmp.Or(o.Burst, int(math.Ceil(o.Rate))),
		slots: slots - slots/8, maxCalls: slots - slots/8 + queue - queue/8, allSlots: slots,
		shares: map[callerKey]*share{},
	}
}

// admit counts a call of a caller, or refuses it. Unless it refuses, leave must be
// called when the call is done.
func (c *callers) admit(r *request) (*share, *rpcError) {
	key := keyOf(r)
	c.mu.Lock()
	defer c.mu.Unlock()
	s, ok := c.shares[key]
	if !ok {
		s = c.newShare(key)
		c.shares[key] = s
	}
	if s.calls >= c.maxCalls && key != (callerKey{}) {
		return nil, errOverloaded
	}
	if s.rate != nil {
		reserved := s.rate.Reserve()
		if delay := reserved.Delay(); delay > 0 {
			reserved.Cancel()
			return nil, c.tooFast(delay)
		}
	}
	s.calls++
	return s, nil
}

func (c *callers) leave(s *share) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.calls--
}

func (c *callers) newShare(key callerKey) *share {
	if len(c.shares) >= maxCallers {
		c.forget()
	}
	slots := c.slots
	if key == (callerKey{}) {
		slots = c.allSlots // there is no other caller
	}
	s := &share{slots: semaphore.NewWeighted(int64(slots))}
	if c.rate > 0 {
		s.rate = rate.NewLimiter(c.rate, c.burst)
	}
	return s
}

// forget drops callers without calls: those that may make as many as a new one, and
// then others, as long as few are gone.
func (c *callers) forget() {
	now := time.Now()
	for key, s := range c.shares {
		if s.calls == 0 && (s.rate == nil || s.rate.TokensAt(now) >= float64(c.burst)) {
			delete(c.shares, key)
		}
	}
	for key, s := range c.shares {
		if len(c.shares) <= maxCallers*3/4 {
			return
		}
		if s.calls == 0 {
			delete(c.shares, key)
		}
	}
}

// A retry is the data of an error that is over after some time.
type retry struct {
	Seconds int `json:"retryAfter"`
	status  int // over HTTP
}

// tooFast refuses a call that exceeds the rate.
func (c *callers) tooFast(delay time.Duration) *rpcError {
	seconds := int(math.Ceil(delay.Seconds()))
	e := newRPCError(mcp.INTERNAL_ERROR, fmt.Sprintf("too many calls: the server carries out %g a second for each caller; nothing was sent; try again in %d s", float64(c.rate), seconds))
	e.Data = retry{seconds, http.StatusTooManyRequests}
	return e
}

// rateResult returns the error of a call that exceeds the rate as a tool error,
// where a client has no other sign that a call may be repeated. It returns nil for
// other errors.
func rateResult(r *request, e *rpcError) *mcp.CallToolResult {
	wait, ok := e.Data.(retry)
	if !ok || wait.status != http.StatusTooManyRequests || r.transport != "pipe" {
		return nil
	}
	result := mcp.NewToolResultError(e.Message)
	result.Meta = mcp.NewMetaFromMap(map[string]any{"error": map[string]any{
		"message": e.Message, "retryable": true, "outcome": "not_sent", "retry_after": wait.Seconds,
	}})
	return result
}
