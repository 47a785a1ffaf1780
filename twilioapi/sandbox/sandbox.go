// Package sandbox is an in-memory fake of the Twilio Conversations API for conversation-scoped webhooks: an
// [http.Handler] that needs no account and no network. It responds as the API reference documents
// (https://www.twilio.com/docs/conversations/api/conversation-scoped-webhook-resource) and as recorded
// live responses show: all five operations on plain and Service paths, paging, limits, error codes, headers.
// The official SDKs work with it if their host is changed.
//
// Conversation CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, with the unique name support/42, has the three webhooks of
// the documented example. CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, with the unique name empty room, has none.
// POST /v1/Conversations creates more. Every Service starts with the same conversations and shares none; it
// exists once a request names it. Paths without a Service mean the account's default one.
//
// Four conversations fail, as Twilio's magic phone numbers do. They are empty at first, and their SIDs are CH,
// 29 zeros and three digits:
//
//	429  refuses the first request with Retry-After, then works
//	503  refuses every write and applies none
//	502  applies every write, then responds as a broken load balancer does
//	000  never responds
//
// There is one account, and any well-formed credentials give access to it. No webhook is called, no Flow runs,
// and nothing is stored beyond the process.
//
// Some behavior of Twilio's is not documented: the order of checks, the status of a sixth webhook, a PageSize
// above five, an update without parameters. There the sandbox does what the SDKs accept, which is no evidence
// of what Twilio does. It returns replay_after if a create sent it, as clients that read it back suggest.
package sandbox

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Guide tells an LLM agent which conversations to try. The response for an unknown conversation repeats it,
// because an agent may have seen nothing else of the sandbox.
const Guide = "This is the sandbox. It has conversation " + supportSID + " (unique name " + supportName +
	"), which starts with three webhooks, and " + emptySID + " (unique name " + emptyName + "), which starts with none. " +
	"For failures use " + rateLimitedSID + " (refuses once), or the same with 503 (refuses writes), " +
	"502 (writes, then fails) or 000 (never answers) at its end."

// Options configure a sandbox. The zero value is ready to use.
type Options struct {
	// BaseURL is the scheme and host of the URLs in responses. If empty, it is what Twilio documents:
	// https://conversations.twilio.com. It is not where the sandbox listens.
	BaseURL string
	// Now returns the time for date_created, date_updated and the Date header. If nil, it is time.Now.
	Now func() time.Time
}

// A Sandbox is one Twilio account with its Conversation Services. It is safe for concurrent use.
type Sandbox struct {
	base     string
	now      func() time.Time
	mux      *http.ServeMux
	inFlight atomic.Int64

	mu       sync.Mutex // guards services, what they contain, and webhooks
	services map[string]*service
	webhooks int // created so far
}

// New returns a sandbox with the conversations that Guide names.
func New(o Options) *Sandbox {
	s := &Sandbox{
		base:     strings.TrimRight(cmp.Or(o.BaseURL, "https://conversations.twilio.com"), "/"),
		now:      o.Now,
		mux:      http.NewServeMux(),
		services: map[string]*service{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.service(defaultService) // first, so that its webhooks have the first SIDs
	s.mux.HandleFunc("/", s.respond(notFound))
	for _, version := range []string{"/v1", "/v1/Services/{service}"} {
		all := version + "/Conversations"
		s.route(all, methods{"POST": s.createConversation})
		s.route(all+"/{conversation}/Webhooks", methods{"GET": s.conversation(s.list), "POST": s.conversation(s.create)})
		s.route(all+"/{conversation}/Webhooks/{webhook}",
			methods{"GET": s.conversation(s.fetch), "POST": s.conversation(s.update), "DELETE": s.conversation(s.remove)})
	}
	return s
}

// ServeHTTP handles an API request. It never redirects, as Twilio does not. For the conversation that never
// responds it waits until the client is gone, then panics with [http.ErrAbortHandler].
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// ServeMux would redirect a path that is not clean, and the SDKs do not follow redirects.
	if p := r.URL.EscapedPath(); p != path.Clean("/"+p) {
		s.respond(notFound)(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// A handler returns the response to a request that has valid credentials.
type handler func(*http.Request) response

// methods are the handlers of one path, by HTTP method.
type methods map[string]handler

// route registers the handlers of a path, and refuses all other methods.
func (s *Sandbox) route(path string, handlers methods) {
	for method, h := range handlers {
		s.mux.HandleFunc(method+" "+path, s.respond(parsed(h)))
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(handlers)), ", ")
	s.mux.HandleFunc(path, s.respond(parsed(func(r *http.Request) response {
		return refuse(http.StatusMethodNotAllowed, 20004, "Method "+r.Method+" is not allowed on this resource").
			with("Allow", allowed)
	})))
}

// respond returns an HTTP handler that checks the credentials, calls h, and writes the response with the header
// that Twilio sends with every one.
func (s *Sandbox) respond(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		inFlight := s.inFlight.Add(1)
		defer s.inFlight.Add(-1)

		res := refuse(http.StatusUnauthorized, 20003, "Authenticate").with("WWW-Authenticate", `Basic realm="Twilio API"`)
		if hasCredentials(r) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			res = h(r)
		}
		if res.status == 0 {
			panic(http.ErrAbortHandler) // to return would send 200
		}
		res.with("Date", s.now().UTC().Format(http.TimeFormat)).
			with("Twilio-Request-Id", requestID()).
			with("Twilio-Concurrent-Requests", fmt.Sprint(inFlight)).
			with("Twilio-Request-Duration", fmt.Sprintf("%.3f", time.Since(start).Seconds())).
			writeTo(w)
	}
}

const maxBody = 1 << 20

var userName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(AC|SK)[0-9A-Za-z]+$`) })

// hasCredentials reports whether r has an account SID and auth token, an API key and secret, or an OAuth access
// token, all of which may be invented:
// https://www.twilio.com/docs/usage/requests-to-twilio.
func hasCredentials(r *http.Request) bool {
	if user, password, ok := r.BasicAuth(); ok {
		return userName().MatchString(user) && password != ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != ""
}

func requestID() string {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	return fmt.Sprintf("RQ%x", id)
}

// parsed returns a handler that checks the Service SID and parses the form before it calls h.
func parsed(h handler) handler {
	return func(r *http.Request) response {
		if !serviceSIDs().MatchString(serviceSID(r)) {
			return notFound(r)
		}
		err := r.ParseForm()
		if err == nil {
			// net/http notices that a client is gone only after the body was read.
			_, err = io.Copy(io.Discard, r.Body)
		}
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			return badRequest(20001, "The request body is too large, the limit is %d bytes", maxBody)
		}
		if err != nil {
			return badRequest(20001, "The parameters are not a well-formed form")
		}
		return h(r)
	}
}
