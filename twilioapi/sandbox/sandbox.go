// Package sandbox is the Twilio Conversations API for conversation-scoped webhooks, in memory: an
// [http.Handler] that needs no account and no network. It answers as the API reference documents
// (https://www.twilio.com/docs/conversations/api/conversation-scoped-webhook-resource) and as recorded
// live answers show: all five operations on plain and Service paths, paging, limits, error codes, headers.
// The official SDKs work against it with nothing changed but the host.
//
// Conversation CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, by its unique name support/42, holds the three webhooks
// of the documented example. CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, by its unique name empty room, holds none.
// More are made with POST /v1/Conversations. Every Service is a world of its own with the same beginning;
// it opens when a request first names it. The plain paths are the account's default Service.
//
// Failures are asked for in-band, as with Twilio's magic phone numbers. Four conversations, empty at first,
// have a SID of CH, 29 zeros and three digits:
//
//	429  refuses its first request with Retry-After, then is like any other
//	503  refuses every write and applies none
//	502  applies every write, then answers as a broken load balancer does
//	000  never answers
//
// One account exists, and any well-formed credentials open it. Nothing is ever called: no webhook fires,
// no Flow runs, and nothing outlives the process.
//
// Where Twilio's documents leave a question open (the order of checks, the status of too many webhooks, a
// PageSize above five, an update without parameters), the sandbox gives the answer that the SDKs can live
// with. It is no evidence of what Twilio does there.
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

// Guide tells an LLM agent which conversations to try. The answer to an unknown conversation repeats it,
// because an agent may have seen nothing else of the sandbox.
const Guide = "This is the sandbox. It opens with conversation " + supportSID + " (unique name " + supportName +
	"), which has three webhooks, and " + emptySID + " (unique name " + emptyName + "), which has none. " +
	"For failures use " + rateLimitedSID + " (refuses once), or the same with 503 (refuses writes), " +
	"502 (writes, then fails) or 000 (never answers) at its end."

// Options set what a sandbox takes from the world. The zero value is ready to use.
type Options struct {
	// BaseURL is the scheme and host that resource and page addresses begin with, by default those that
	// Twilio documents: https://conversations.twilio.com. It is not where the sandbox listens.
	BaseURL string
	// Now tells the time of date_created, date_updated and the Date header, by default time.Now.
	Now func() time.Time
}

// A Sandbox is one Twilio account with its Conversation Services. It is safe for concurrent use.
type Sandbox struct {
	base     string
	now      func() time.Time
	mux      *http.ServeMux
	inFlight atomic.Int64

	mu       sync.Mutex // guards services and all that is in them
	services map[string]*service
	webhooks int // made so far
}

// New opens a sandbox with the conversations that Guide names.
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
	s.service(defaultService) // whose webhooks have the first SIDs
	s.mux.HandleFunc("/", s.answering(notFound))
	for _, version := range []string{"/v1", "/v1/Services/{service}"} {
		all := version + "/Conversations"
		s.route(all, verbs{"POST": s.createConversation})
		s.route(all+"/{conversation}/Webhooks", verbs{"GET": s.in(s.list), "POST": s.in(s.create)})
		s.route(all+"/{conversation}/Webhooks/{webhook}",
			verbs{"GET": s.in(s.fetch), "POST": s.in(s.update), "DELETE": s.in(s.remove)})
	}
	return s
}

// ServeHTTP answers one API request. As Twilio does, it never redirects. For the conversation that never
// answers it waits until the client has gone, then panics with [http.ErrAbortHandler], which every
// [http.Server] understands.
func (s *Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// ServeMux would redirect from a path that is not clean, and the SDKs do not follow.
	if p := r.URL.EscapedPath(); p != path.Clean("/"+p) {
		s.answering(notFound)(w, r)
		return
	}
	s.mux.ServeHTTP(w, r)
}

// A handler answers a request from someone who may ask. It never sees the connection.
type handler func(*http.Request) answer

// verbs are what one path can do, by HTTP method.
type verbs map[string]handler

func (s *Sandbox) route(path string, can verbs) {
	for verb, h := range can {
		s.mux.HandleFunc(verb+" "+path, s.answering(prepared(h)))
	}
	allowed := strings.Join(slices.Sorted(maps.Keys(can)), ", ")
	s.mux.HandleFunc(path, s.answering(prepared(func(r *http.Request) answer {
		return refuse(http.StatusMethodNotAllowed, 20004, "Method "+r.Method+" is not allowed on this resource").
			with("Allow", allowed)
	})))
}

// answering is the one place that writes: it admits, answers, and adds what Twilio sends with every answer.
func (s *Sandbox) answering(h handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		inFlight := s.inFlight.Add(1)
		defer s.inFlight.Add(-1)

		a := refuse(http.StatusUnauthorized, 20003, "Authenticate").with("WWW-Authenticate", `Basic realm="Twilio API"`)
		if hasCredentials(r) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			a = h(r)
		}
		if a.status == 0 {
			panic(http.ErrAbortHandler) // returning would answer 200
		}
		a.with("Date", s.now().UTC().Format(http.TimeFormat)).
			with("Twilio-Request-Id", requestID()).
			with("Twilio-Concurrent-Requests", fmt.Sprint(inFlight)).
			with("Twilio-Request-Duration", fmt.Sprintf("%.3f", time.Since(began).Seconds())).
			writeTo(w)
	}
}

const maxBody = 1 << 20

var userName = regexp.MustCompile(`^(AC|SK)[0-9A-Za-z]+$`)

// hasCredentials accepts account SID and auth token, API key and secret, and OAuth access tokens:
// https://www.twilio.com/docs/usage/requests-to-twilio.
func hasCredentials(r *http.Request) bool {
	if user, password, ok := r.BasicAuth(); ok {
		return userName.MatchString(user) && password != ""
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(token) != ""
}

func requestID() string {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	return fmt.Sprintf("RQ%x", id)
}

// prepared gives h only requests that name a possible Service and whose form has been read to its end.
func prepared(h handler) handler {
	return func(r *http.Request) answer {
		if !serviceSIDs.MatchString(serviceSID(r)) {
			return notFound(r)
		}
		err := r.ParseForm()
		if err == nil {
			// A client that goes away is noticed only once its body has been read, form or not.
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
