// Package sandbox is an in-memory fake of Twilio's Conversations API: an [http.Handler] that needs no account and no
// network. It responds as the API reference documents (https://www.twilio.com/docs/conversations/api) and as recorded
// live responses show, and it sends webhooks, signed, to the receivers that they name. The official SDKs work with it if
// their host is changed.
//
// It has conversations, participants, messages, their webhooks, the conversations of a participant, Services, the webhooks
// of the account and of Services, address configurations, and the alerts of Monitor. Webhooks are as strict as Twilio's; of
// the rest it has what programs around webhooks use.
//
// Conversation CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, with the unique name support/42, has the three webhooks of
// the documented example. CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, with the unique name empty room, has none. Alice, +15558675310,
// and the chat user agent are in both. Every Service starts with the same conversations and shares none; it
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
// There is one account, and any well-formed credentials give access to it. Nothing is stored beyond the process.
//
// An action through the API fires webhooks if its request has the header X-Twilio-Webhook-Enabled: true. POST
// /_sandbox/messages, and the page at /, write in the name of a participant, which always fires them. A Flow is recorded and
// does not run. A delivery that fails becomes an alert. GET /_sandbox/deliveries has the deliveries as JSON.
//
// Some behavior of Twilio's is not documented: the order of checks, the status of a sixth webhook, a PageSize
// above five, an update without parameters, and what the guide "receiving" lists about deliveries. There the sandbox does
// what the SDKs accept, which is no evidence of what Twilio does. It returns replay_after if a create sent it, as clients
// that read it back suggest.
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

// Deliver says where webhooks are delivered to.
type Deliver string

// The zero value is the address of a receiver on this machine.
const (
	DeliverLoopback Deliver = "loopback"
	DeliverAny      Deliver = "any"
	DeliverNone     Deliver = "none" // they are only recorded
)

// Options configure a sandbox. The zero value is ready to use.
type Options struct {
	// BaseURL is the scheme and host of the URLs in responses. If empty, it is what Twilio documents:
	// https://conversations.twilio.com. It is not where the sandbox listens.
	BaseURL string
	// Now returns the time for date_created, date_updated and the Date header. If nil, it is time.Now.
	Now func() time.Time
	// AuthToken signs the webhooks. If empty, it is [AuthToken].
	AuthToken string
	// Deliver is where webhooks are delivered to. If empty, it is DeliverLoopback.
	Deliver Deliver
}

// A Sandbox is one Twilio account with its Conversation Services. It is safe for concurrent use.
type Sandbox struct {
	base, monitor string
	now           func() time.Time
	mux           *http.ServeMux
	inFlight      atomic.Int64

	authToken string
	deliverTo Deliver
	client    *http.Client
	slots     chan struct{} // full while as many deliveries as may be are sent at once

	mu         sync.Mutex // guards the fields below, and what they contain
	services   map[string]*service
	names      map[string]string // of Services, by SID
	hooks      hooks             // the webhooks of the account
	addresses  []address
	alerts     []alert // the newest last
	counts     counts
	resources  int              // that were created by requests; see reserve
	queues     map[string][]job // of each webhook with deliveries
	queued     int              // jobs in all of them
	deliveries []Delivery       // the newest last
	delivered  int
}

// New returns a sandbox with the conversations that Guide names.
func New(o Options) *Sandbox {
	s := &Sandbox{
		base:      strings.TrimRight(cmp.Or(o.BaseURL, "https://conversations.twilio.com"), "/"),
		monitor:   strings.TrimRight(cmp.Or(o.BaseURL, "https://monitor.twilio.com"), "/"),
		now:       o.Now,
		mux:       http.NewServeMux(),
		authToken: cmp.Or(o.AuthToken, AuthToken),
		deliverTo: cmp.Or(o.Deliver, DeliverLoopback),
		slots:     make(chan struct{}, 16),
		services:  map[string]*service{},
		names:     map[string]string{defaultService: "Default Conversations Service", secondService: "Second Service"},
		queues:    map[string][]job{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	s.client = newDeliverer(s.deliverTo)
	s.seed()
	s.routes()
	return s
}

// seed adds what a sandbox starts with.
func (s *Sandbox) seed() {
	support := s.service(defaultService).conversations[supportSID] // first, so that its webhooks have the first SIDs
	s.hooks = hooks{postURL: "https://example.com/account", method: "POST", filters: []string{"onConversationAdded"}}
	s.addresses = []address{{
		sid: "IG" + strings.Repeat("a", 32), kind: "sms", number: "+15017122662", name: "New customers", created: documentedDate, isEnabled: true,
		service: defaultService, creation: "webhook",
		webhook: configuration{URL: "http://127.0.0.1:8082/new", Method: "POST", Filters: []string{"onMessageAdded"}},
	}}
	for _, minutes := range []time.Duration{50, 20} {
		s.addAlert(Delivery{Conversation: support.sid, service: defaultService, URL: "https://example.com/", Method: "GET", Event: "onMessageAdded",
			Status: 404, Code: 11217, Error: "the receiver answered 404"}, "<h1>Not found</h1>", "", s.now().Add(-minutes*time.Minute))
	}
}

// routes registers the resources.
func (s *Sandbox) routes() {
	s.mux.HandleFunc("/", s.respond(notFound))
	for _, version := range []string{"/v1", "/v1/Services/{service}"} {
		all := version + "/Conversations"
		one := all + "/{conversation}"
		s.route(all, methods{"GET": s.listConversations, "POST": s.createConversation})
		s.route(one, methods{"GET": s.conversation(s.fetchConversation), "POST": s.guarded("onConversationUpdate", s.updateConversation),
			"DELETE": s.guarded("onConversationRemove", s.removeConversation)})
		s.route(one+"/Webhooks", methods{"GET": s.conversation(s.list), "POST": s.conversation(s.create)})
		s.route(one+"/Webhooks/{webhook}",
			methods{"GET": s.conversation(s.fetch), "POST": s.conversation(s.update), "DELETE": s.conversation(s.remove)})
		s.route(one+"/Participants", methods{"GET": s.conversation(s.listParticipants), "POST": s.guarded("onParticipantAdd", s.createParticipant)})
		s.route(one+"/Participants/{participant}", methods{"GET": s.conversation(s.fetchParticipant),
			"POST": s.guarded("onParticipantUpdate", s.updateParticipant), "DELETE": s.guarded("onParticipantRemove", s.removeParticipant)})
		s.route(one+"/Messages", methods{"GET": s.conversation(s.listMessages), "POST": s.guarded("onMessageAdd", s.createMessage)})
		s.route(one+"/Messages/{message}", methods{"GET": s.conversation(s.fetchMessage),
			"POST": s.guarded("onMessageUpdate", s.updateMessage), "DELETE": s.guarded("onMessageRemove", s.removeMessage)})
		s.route(version+"/ParticipantConversations", methods{"GET": s.listParticipantConversations})
		s.route(version+"/Configuration/Webhooks", methods{"GET": s.levelWebhooks, "POST": s.levelWebhooks})
	}
	s.route("/v1/Services", methods{"GET": s.listServices, "POST": s.createService})
	s.route("/v1/Configuration", methods{"GET": s.showDefaults})
	s.route("/v1/Configuration/Addresses", methods{"GET": s.listAddresses, "POST": s.createAddress})
	s.route("/v1/Alerts", methods{"GET": s.listAlerts})
	s.route("/v1/Alerts/{alert}", methods{"GET": s.fetchAlert})
	s.pages()
}

// maxResources is how many resources requests can create. None but webhooks are counted when they are deleted.
const maxResources = 100_000

// reserve reports whether one more resource can be created. The caller holds s.mu.
func (s *Sandbox) reserve() bool {
	s.resources++
	return s.resources <= maxResources
}

func full() response {
	return badRequest(20001, "The sandbox holds no more than %d resources; start it again", maxResources)
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
