package program

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

// A sendFunc sends a message to the server and returns the response; nil: there
// was none.
type sendFunc func(ctx context.Context, id int, message string) []byte

// A testServer is a server in front of a faulty proxy.
type testServer struct {
	proxy *faultyProxy
	send  sendFunc
	stop  func()
}

// newTestServer returns a server over a transport, "stdio" or "HTTP". The clock
// is that of the sandbox.
func newTestServer(transport string, now func() time.Time, next func() fault) (*testServer, error) {
	s := &testServer{proxy: newFaultyProxy(sandbox.New(sandbox.Options{Now: now}), next)}
	client, err := twilioapi.New(twilioapi.Config{
		BaseURL: s.proxy.URL, Credentials: sandboxCredentials, Timeout: 250 * time.Millisecond,
		Sleep: func(ctx context.Context, _ time.Duration) error { runtime.Gosched(); return ctx.Err() },
	})
	if err != nil {
		return nil, err
	}
	offered, err := tools.Select(tools.Selection{Toolsets: []string{"all"}})
	if err != nil {
		return nil, err
	}
	server := serve.New(serve.Options{
		Tools: servedTools(offered, client),
		Log:   slog.New(slog.DiscardHandler), MaxMessage: 1 << 20, MaxConcurrent: 32, Grace: time.Minute,
	})
	if transport == "stdio" {
		s.serveStdio(server)
		return s, nil
	}
	return s, s.serveHTTP(server)
}

func (s *testServer) serveStdio(server *serve.Server) {
	in, requests := io.Pipe()
	responses, out := io.Pipe()
	var group sync.WaitGroup
	group.Go(func() {
		_ = server.Stdio(context.Background(), in, out)
		_ = out.Close()
	})
	waiting := &responseMap{waiting: map[int]chan []byte{}}
	group.Go(func() { waiting.read(responses) })
	s.send = func(ctx context.Context, id int, message string) []byte {
		response := waiting.expect(id)
		_, _ = io.WriteString(requests, message+"\n")
		select {
		case raw := <-response:
			return raw
		case <-ctx.Done():
			_, _ = fmt.Fprintf(requests, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`+"\n", id)
			return nil
		}
	}
	s.stop = func() {
		_ = requests.Close()
		group.Wait()
		s.proxy.close()
	}
}

// A responseMap delivers the responses of a stream by their ids.
type responseMap struct {
	mu      sync.Mutex
	waiting map[int]chan []byte
}

func (m *responseMap) expect(id int) <-chan []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	response := make(chan []byte, 1)
	m.waiting[id] = response
	return response
}

func (m *responseMap) read(stream io.Reader) {
	for decoder := json.NewDecoder(stream); ; {
		var raw json.RawMessage
		if decoder.Decode(&raw) != nil {
			return
		}
		var response struct{ ID int }
		_ = json.Unmarshal(raw, &response)
		m.mu.Lock()
		m.waiting[response.ID] <- raw
		m.mu.Unlock()
	}
}

func (s *testServer) serveHTTP(server *serve.Server) error {
	ln, err := serve.Listen("127.0.0.1:0", false)
	if err != nil {
		return err
	}
	policy, err := access.New(access.Options{})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var group sync.WaitGroup
	group.Go(func() { _ = server.HTTP(ctx, ln, serve.HTTPOptions{Access: policy}) })
	transport := &http.Transport{}
	s.send = sendTo("http://"+ln.Addr().String(), transport)
	s.stop = func() {
		cancel()
		group.Wait()
		transport.CloseIdleConnections()
		s.proxy.close()
	}
	return nil
}

// sendTo posts messages to a server. A response with a status other than 200 is
// none.
func sendTo(url string, transport *http.Transport) sendFunc {
	return func(ctx context.Context, _ int, message string) []byte {
		req, err := http.NewRequestWithContext(ctx, "POST", url+"/mcp", strings.NewReader(message))
		if err != nil {
			return nil
		}
		req.Header.Set("Content-Type", "application/json")
		res, err := transport.RoundTrip(req)
		if err != nil {
			return nil
		}
		defer res.Body.Close()
		raw, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != http.StatusOK {
			return nil
		}
		return raw
	}
}

// A step is one tool call of an agent, and its outcome.
type step struct {
	tool         string // list, create, ensure, fetch, update or delete
	conversation string // SID
	url          string // of the webhook to create, or to set by an update
	sid          string // of the webhook to fetch, update or delete
	cancel       time.Duration
	outcome      string   // that of _meta.error, or ok, reconciled, existing or cancelled; empty: unclear
	sids         []string // of the webhooks in the result
	text         string
}

// run makes the call.
func (s *step) run(send sendFunc, id int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.cancel > 0 {
		time.AfterFunc(s.cancel, cancel)
	}
	raw := send(ctx, id, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, s.toolName(), s.arguments()))
	if raw == nil && ctx.Err() != nil {
		s.outcome = "cancelled"
		return
	}
	s.read(raw)
}

func (s *step) toolName() string {
	if s.tool == "list" {
		return "list_conversation_webhooks"
	}
	return s.tool + "_conversation_webhook"
}

func (s *step) arguments() []byte {
	arguments := map[string]any{"ConversationSid": s.conversation}
	switch s.tool {
	case "create", "ensure":
		arguments["Target"] = "webhook"
		arguments["Configuration.Url"] = s.url
		arguments["Configuration.Filters"] = []string{"onMessageAdded", "onParticipantAdded"}
	case "fetch", "delete":
		arguments["Sid"] = s.sid
	case "update":
		arguments["Sid"] = s.sid
		arguments["Configuration.Url"] = s.url
	}
	raw, err := json.Marshal(arguments)
	if err != nil {
		panic(err)
	}
	return raw
}

// read takes the outcome from a response.
func (s *step) read(raw []byte) {
	var response struct {
		Result struct {
			IsError    bool
			Content    []struct{ Text string }
			Structured struct {
				SID      string
				Webhooks []struct{ SID string }
			} `json:"structuredContent"`
			Meta struct {
				Reconciled, Existing bool
				Error                struct{ Outcome string }
			} `json:"_meta"`
		}
	}
	s.text = string(raw)
	if json.Unmarshal(raw, &response) != nil || len(response.Result.Content) == 0 {
		return
	}
	result := response.Result
	s.text = result.Content[0].Text
	switch {
	case result.IsError:
		s.outcome = result.Meta.Error.Outcome
		return
	case result.Meta.Reconciled:
		s.outcome = "reconciled"
	case result.Meta.Existing:
		s.outcome = "existing"
	default:
		s.outcome = "ok"
	}
	if result.Structured.SID != "" {
		s.sids = []string{result.Structured.SID}
	}
	for _, webhook := range result.Structured.Webhooks {
		s.sids = append(s.sids, webhook.SID)
	}
}

// request sends a request to the sandbox itself, where no fault happens.
func request(s *sandbox.Sandbox, method, path, form string) []byte {
	req := httptest.NewRequest(method, "/v1/Conversations"+path, strings.NewReader(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("AC1", "x")
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, req)
	return recorder.Body.Bytes()
}

// newConversation makes a conversation and returns its SID.
func newConversation(s *sandbox.Sandbox) string {
	var conversation struct{ SID string }
	if err := json.Unmarshal(request(s, "POST", "", ""), &conversation); err != nil {
		panic(err)
	}
	return conversation.SID
}

// newWebhook makes a webhook as the create step of that URL asks for it, and
// returns its SID.
func newWebhook(s *sandbox.Sandbox, conversation, address string) string {
	var webhook struct{ SID string }
	form := url.Values{"Target": {"webhook"}, "Configuration.Url": {address}, "Configuration.Filters": {"onParticipantAdded", "onMessageAdded"}}
	if err := json.Unmarshal(request(s, "POST", "/"+conversation+"/Webhooks", form.Encode()), &webhook); err != nil {
		panic(err)
	}
	return webhook.SID
}

// webhooks returns the URLs of a conversation's webhooks by SID.
func webhooks(s *sandbox.Sandbox, conversation string) map[string]string {
	var page struct {
		Webhooks []struct {
			SID           string
			Configuration struct{ URL string }
		}
	}
	if err := json.Unmarshal(request(s, "GET", "/"+conversation+"/Webhooks", ""), &page); err != nil {
		panic(err)
	}
	all := map[string]string{}
	for _, webhook := range page.Webhooks {
		all[webhook.SID] = webhook.Configuration.URL
	}
	return all
}

// A snapshot holds the webhooks of some conversations: their URLs by SID.
type snapshot map[string]map[string]string

func takeSnapshot(s *sandbox.Sandbox, steps []*step) snapshot {
	all := snapshot{}
	for _, step := range steps {
		all[step.conversation] = webhooks(s, step.conversation)
	}
	return all
}

// A checker compares the responses to agents with the webhooks in the sandbox.
type checker struct {
	before, after snapshot
	updates       map[string]int // carried out, by path
	given         map[string]bool
	attempts      map[[2]string]int // creates that may have been carried out, by conversation and URL
	problems      []error
}

// check returns what is wrong with the outcomes of the steps.
func check(steps []*step, before, after snapshot, updates map[string]int) error {
	c := &checker{before: before, after: after, updates: updates, given: map[string]bool{}, attempts: map[[2]string]int{}}
	for _, s := range steps {
		switch s.tool {
		case "create", "ensure":
			c.checkCreate(s)
		case "update":
			c.checkUpdate(s)
		case "delete":
			c.checkDelete(s)
		default:
			c.checkRead(s)
		}
		if s.outcome == "" {
			c.report(s, "has no clear outcome: %q", s.text)
		}
	}
	c.countCreated()
	return errors.Join(c.problems...)
}

func (c *checker) report(s *step, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("%s of %s in %s, outcome %s: %s", s.tool, s.url+s.sid, s.conversation, s.outcome, fmt.Sprintf(format, args...)))
}

func (s *step) succeeded() bool {
	return slices.Contains([]string{"ok", "reconciled", "existing"}, s.outcome)
}

func (s *step) mayHaveBeenCarriedOut() bool {
	return slices.Contains([]string{"ok", "reconciled", "unknown", "cancelled"}, s.outcome)
}

// checkRead checks that a list or fetch shows webhooks of its conversation only.
// They may have been deleted since.
func (c *checker) checkRead(s *step) {
	for _, sid := range s.sids {
		if _, ok := c.after[s.conversation][sid]; !ok && c.before[s.conversation][sid] == "" {
			c.report(s, "shows %s, which is not in the conversation", sid)
		}
	}
	if s.tool == "fetch" && s.succeeded() && !slices.Equal(s.sids, []string{s.sid}) {
		c.report(s, "returned %v", s.sids)
	}
}

// checkCreate checks that the webhook is there with the URL that was sent, and was
// returned for no other create.
func (c *checker) checkCreate(s *step) {
	if s.mayHaveBeenCarriedOut() {
		c.attempts[[2]string{s.conversation, s.url}]++
	}
	if !s.succeeded() {
		return
	}
	if len(s.sids) != 1 {
		c.report(s, "returned %v: %s", s.sids, s.text)
		return
	}
	sid := s.sids[0]
	if c.after[s.conversation][sid] != s.url {
		c.report(s, "returned %s, which is not there with that URL", sid)
	}
	if s.outcome == "existing" {
		return
	}
	if c.given[sid] || c.before[s.conversation][sid] != "" {
		c.report(s, "returned %s as new, which another call made", sid)
	}
	c.given[sid] = true
	if s.tool == "ensure" && slices.Contains(values(c.before[s.conversation]), s.url) {
		c.report(s, "created a duplicate of a webhook that was there")
	}
}

func values(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// countCreated checks that no call created two webhooks.
func (c *checker) countCreated() {
	created := map[[2]string]int{}
	for conversation, all := range c.after {
		for sid, url := range all {
			if c.before[conversation][sid] == "" {
				created[[2]string{conversation, url}]++
			}
		}
	}
	for key, n := range created {
		if n > c.attempts[key] {
			c.problems = append(c.problems, fmt.Errorf("%d webhooks of %v were created by at most %d calls", n, key, c.attempts[key]))
		}
	}
}

// checkUpdate checks one update of a webhook that no other call changes.
func (c *checker) checkUpdate(s *step) {
	is := c.after[s.conversation][s.sid]
	switch {
	case s.succeeded() && is != s.url:
		c.report(s, "the URL is %s", is)
	case (s.outcome == "refused" || s.outcome == "not_sent") && is == s.url:
		c.report(s, "the update was carried out")
	}
	if n := c.updates["/v1/Conversations/"+s.conversation+"/Webhooks/"+s.sid]; n > 1 {
		c.report(s, "the update was carried out %d times", n)
	}
}

// checkDelete checks one delete of a webhook that no other call changes.
func (c *checker) checkDelete(s *step) {
	_, there := c.after[s.conversation][s.sid]
	switch {
	case s.succeeded() && there:
		c.report(s, "the webhook is still there")
	case (s.outcome == "refused" || s.outcome == "not_sent") && !there:
		c.report(s, "the webhook was deleted")
	}
}
