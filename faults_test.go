package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

// A fault is what becomes of one request on its way to Twilio and back.
type fault struct {
	applied string // never, first or late: whether Twilio carries it out, before it answers or after
	status  int    // of an answer that is not Twilio's own; 0: Twilio's own
	body    string // of that answer
	cut     string // how much of the answer is sent, see cuts
	end     string // what happens then, see ends
}

func (f fault) String() string {
	return fmt.Sprintf("%s, %d %.8q, %s, %s", f.applied, f.status, f.body, f.cut, f.end)
}

var (
	cuts = []string{"before headers", "in headers", "before body", "in body", "after body"}
	ends = []string{"close", "reset", "stall", "garbage", "delay"}

	none = fault{"first", 0, "", "after body", "close"}
)

// faults is the table: where an answer ends and how, and what else is answered.
func faults() (all []fault) {
	for _, cut := range cuts {
		for _, end := range ends {
			all = append(all, fault{"first", 0, "", cut, end})
			if strings.HasSuffix(cut, "headers") {
				all = append(all, fault{"never", 0, "", cut, end}, fault{"late", 0, "", cut, end})
			}
		}
	}
	bodies := []string{`{"code":20001,"message":"no","status":400}`, "<html>no</html>", "", strings.Repeat("x", 300<<10), "\x1f\x8b\x08no gzip", "{\"a\":\xff"}
	for _, body := range bodies {
		for _, status := range []int{408, 500, 502, 503, 504} {
			for _, applied := range []string{"never", "first", "late"} {
				all = append(all, fault{applied, status, body, "after body", "close"})
			}
		}
		for _, status := range []int{307, 400, 401, 403, 404, 409, 429} {
			all = append(all, fault{"never", status, body, "after body", "close"})
		}
		if !strings.HasPrefix(body, "{\"code") {
			all = append(all, fault{"first", 201, body, "after body", "close"})
		}
	}
	return all
}

// A proxy stands between the server and the sandbox, and lets faults happen.
type proxy struct {
	*httptest.Server
	sandbox *sandbox.Sandbox
	next    func() fault
	busy    sync.WaitGroup
}

func newProxy(s *sandbox.Sandbox, next func() fault) *proxy {
	p := &proxy{sandbox: s, next: next}
	p.Server = httptest.NewServer(p)
	return p
}

// close waits until nothing more can reach the sandbox.
func (p *proxy) close() {
	p.Close()
	p.busy.Wait()
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.busy.Add(1)
	defer p.busy.Done()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone; Twilio never heard of it
	}
	apply := func() *http.Response {
		forwarded := httptest.NewRequest(r.Method, r.RequestURI, bytes.NewReader(body))
		forwarded.Header = r.Header
		recorder := httptest.NewRecorder()
		p.sandbox.ServeHTTP(recorder, forwarded)
		return recorder.Result()
	}
	f := p.next()
	answer := &http.Response{StatusCode: cmp.Or(f.status, 201), Body: io.NopCloser(strings.NewReader(f.body)), Header: http.Header{}}
	if strings.HasPrefix(f.body, "\x1f") {
		answer.Header.Set("Content-Encoding", "gzip")
	}
	if f.applied == "first" {
		if real := apply(); f.status == 0 {
			answer = real
		}
	}
	f.write(w, answer)
	if f.applied == "late" {
		apply()
	}
}

// write sends what the fault leaves of an answer, and ends the connection.
func (f fault) write(w http.ResponseWriter, answer *http.Response) {
	body, _ := io.ReadAll(answer.Body)
	answer.Body, answer.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	answer.ProtoMajor, answer.ProtoMinor = 1, 1
	var raw bytes.Buffer
	if err := answer.Write(&raw); err != nil {
		panic(err)
	}
	header := raw.Len() - len(body)
	n := []int{0, header / 2, header, header + len(body)/2, raw.Len()}[slices.Index(cuts, f.cut)]

	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = conn.Write(raw.Bytes()[:n])
	switch f.end {
	case "reset":
		_ = conn.(*net.TCPConn).SetLinger(0)
	case "stall":
		_ = conn.SetReadDeadline(time.Now().Add(time.Second))
		_, _ = io.Copy(io.Discard, conn) // until the client goes
	case "garbage":
		_, _ = io.WriteString(conn, "\x00\x1b[2J no HTTP\r\n\r\n")
	case "delay":
		time.Sleep(time.Millisecond)
		_, _ = conn.Write(raw.Bytes()[n:])
	}
}

// A world is a server whose Twilio fails, and an agent that calls it.
type world struct {
	proxy *proxy
	send  func(ctx context.Context, id int, message string) []byte // nil: no answer
	end   func()
}

// newWorld opens a world whose Twilio has a clock of its own.
func newWorld(transport string, now func() time.Time, next func() fault) (*world, error) {
	w := &world{proxy: newProxy(sandbox.New(sandbox.Options{Now: now}), next)}
	client, err := twilioapi.New(twilioapi.Config{
		BaseURL: w.proxy.URL, Credentials: sandboxCredentials, Timeout: 250 * time.Millisecond,
		Sleep: func(ctx context.Context, _ time.Duration) error { runtime.Gosched(); return ctx.Err() },
	})
	if err != nil {
		return nil, err
	}
	server := serve.New(serve.Options{
		Tools: servedTools(tools.All(), client), Log: slog.New(slog.DiscardHandler), MaxMessage: 1 << 20, MaxConcurrent: 32, Grace: time.Minute,
	})
	if transport == "stdio" {
		w.overStdio(server)
		return w, nil
	}
	return w, w.overHTTP(server)
}

func (w *world) overStdio(server *serve.Server) {
	in, requests := io.Pipe()
	answers, out := io.Pipe()
	var ended sync.WaitGroup
	ended.Go(func() {
		_ = server.Stdio(context.Background(), in, out)
		_ = out.Close()
	})
	var mu sync.Mutex
	waiting := map[int]chan []byte{}
	ended.Go(func() {
		for decoder := json.NewDecoder(answers); ; {
			var raw json.RawMessage
			if decoder.Decode(&raw) != nil {
				return
			}
			var answer struct{ ID int }
			_ = json.Unmarshal(raw, &answer)
			mu.Lock()
			waiting[answer.ID] <- raw
			mu.Unlock()
		}
	})
	w.send = func(ctx context.Context, id int, message string) []byte {
		got := make(chan []byte, 1)
		mu.Lock()
		waiting[id] = got
		mu.Unlock()
		_, _ = io.WriteString(requests, message+"\n")
		select {
		case raw := <-got:
			return raw
		case <-ctx.Done():
			_, _ = fmt.Fprintf(requests, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`+"\n", id)
			return nil
		}
	}
	w.end = func() {
		_ = requests.Close()
		ended.Wait()
		w.proxy.close()
	}
}

func (w *world) overHTTP(server *serve.Server) error {
	ln, err := serve.Listen("127.0.0.1:0", false)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { _ = server.HTTP(serving, ln, serve.HTTPOptions{Access: access.New(access.Options{})}) })
	transport := &http.Transport{}
	w.send = sendTo("http://"+ln.Addr().String(), transport)
	w.end = func() {
		stop()
		ended.Wait()
		transport.CloseIdleConnections()
		w.proxy.close()
	}
	return nil
}

// sendTo posts messages to a server. Without an answer, that of a status other
// than 200 too, there is nil.
func sendTo(url string, transport *http.Transport) func(ctx context.Context, id int, message string) []byte {
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

const room = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

// A step is one tool call, and what came of it.
type step struct {
	room    string // the conversation
	url     string // the webhook to create; empty: list
	cancel  time.Duration
	outcome string
	sids    []string // the webhooks answered with
	text    string
}

// outcomes are what an error may say, each told by words of its own.
var outcomes = map[string]string{
	"Nothing was sent": "unsent",
	"Twilio was not reached, and nothing was done": "unsent",
	"Twilio refused: ":      "refused",
	"not found so far":      "not found",
	"is unknown":            "unknown",
	"Try again in a while.": "failed",
}

func (s *step) run(send func(context.Context, int, string) []byte, id int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if s.cancel > 0 {
		time.AfterFunc(s.cancel, cancel)
	}
	params := fmt.Sprintf(`{"name":"list_conversation_webhooks","arguments":{"ConversationSid":"%s"}}`, s.room)
	if s.url != "" {
		params = fmt.Sprintf(`{"name":"create_conversation_webhook","arguments":{"ConversationSid":"%s","Target":"webhook",
			"Configuration.Url":"%s","Configuration.Filters":["onMessageAdded","onParticipantAdded"]}}`, s.room, s.url)
		params = strings.ReplaceAll(params, "\n", "")
	}
	raw := send(ctx, id, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":%s}`, id, params))
	if raw == nil && ctx.Err() != nil {
		s.outcome = "cancelled"
		return
	}
	var answer struct {
		Result struct {
			IsError    bool
			Content    []struct{ Text string }
			Structured struct {
				SID      string
				Webhooks []struct{ SID string }
			} `json:"structuredContent"`
			Meta struct{ Settled bool } `json:"_meta"`
		}
	}
	if json.Unmarshal(raw, &answer) != nil || len(answer.Result.Content) == 0 {
		s.text = string(raw)
		return
	}
	s.text = answer.Result.Content[0].Text
	switch result := answer.Result; {
	case result.IsError:
		for words, outcome := range outcomes {
			if strings.Contains(s.text, words) && (outcome != "failed" || s.url == "") {
				s.outcome = outcome
			}
		}
	case s.url == "":
		s.outcome = "listed"
		for _, webhook := range result.Structured.Webhooks {
			s.sids = append(s.sids, webhook.SID)
		}
	default:
		s.outcome, s.sids = "made", []string{result.Structured.SID}
		if result.Meta.Settled {
			s.outcome = "settled"
		}
	}
}

// ask asks the sandbox itself, where no fault happens.
func ask(s *sandbox.Sandbox, method, path, form string) []byte {
	req := httptest.NewRequest(method, "/v1/Conversations"+path, strings.NewReader(form))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("AC1", "x")
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, req)
	return recorder.Body.Bytes()
}

// ledger is what the sandbox holds of a conversation, by URL.
func ledger(s *sandbox.Sandbox, room string) map[string][]string {
	var page struct {
		Webhooks []struct {
			SID           string
			Configuration struct{ URL string }
		}
	}
	_ = json.Unmarshal(ask(s, "GET", "/"+room+"/Webhooks", ""), &page)
	byURL := map[string][]string{}
	for _, webhook := range page.Webhooks {
		byURL[webhook.Configuration.URL] = append(byURL[webhook.Configuration.URL], webhook.SID)
	}
	return byURL
}

// judge holds what the agent was told against what the sandbox holds.
func judge(steps []*step, before, after map[string][]string) error {
	var wrong []error
	fail := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	var held []string
	for _, sids := range after {
		held = append(held, sids...)
	}
	mayBe, given := map[string]int{}, map[string]bool{}
	for _, s := range steps {
		for _, sid := range s.sids {
			if !slices.Contains(held, sid) {
				fail("%s %s, which is not there", s.outcome, sid)
			}
		}
		switch s.outcome {
		case "":
			fail("an answer without a plain statement: %q", s.text)
		case "made", "settled":
			sid := s.sids[0]
			if given[sid] || slices.Contains(before[s.url], sid) || !slices.Contains(after[s.url], sid) {
				fail("%s %s, which is another's", s.outcome, sid)
			}
			given[sid] = true
			mayBe[s.url]++
		case "not found", "unknown", "cancelled":
			mayBe[s.url]++
		}
	}
	for url, sids := range after {
		if made := len(sids) - len(before[url]); made > mayBe[url] {
			fail("%d webhooks of %s were made by at most %d calls", made, url, mayBe[url])
		}
	}
	return errors.Join(wrong...)
}

// noneLeft waits until no goroutines are left that were not there before, but for
// the one that looks.
func noneLeft(t *testing.T, before int) {
	t.Helper()
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+1 }, 10*time.Second, 10*time.Millisecond)
}

// Each fault meets each tool on each transport, once.
func TestEveryFaultIsToldAsItIs(t *testing.T) {
	before := runtime.NumGoroutine()
	seen := map[string]int{}
	var mu sync.Mutex
	each(t, 16, func(check func(func() error)) {
		for _, f := range faults() {
			for _, transport := range []string{"stdio", "HTTP"} {
				for _, url := range []string{"", "https://example.com/1"} {
					check(func() error {
						pending := []fault{f}
						steps, err := play(transport, []*step{{room: room, url: url}}, 0, nil, func() fault {
							if len(pending) == 0 {
								return none
							}
							pending = nil
							return f
						})
						mu.Lock()
						defer mu.Unlock()
						for _, s := range steps {
							seen[s.outcome]++
						}
						if err != nil {
							return fmt.Errorf("%v, %q over %s: %w", f, url, transport, err)
						}
						return nil
					})
				}
			}
		}
	})
	t.Log(seen)
	for _, outcome := range []string{"made", "settled", "refused", "not found", "listed", "failed"} {
		require.NotZero(t, seen[outcome], outcome)
	}
	noneLeft(t, before)
}

// each runs checks, so many at once, and tells of those that fail.
func each(t *testing.T, atOnce int, all func(check func(func() error))) {
	t.Helper()
	var group sync.WaitGroup
	places := make(chan struct{}, atOnce)
	all(func(f func() error) {
		places <- struct{}{}
		group.Go(func() {
			defer func() { <-places }()
			if err := f(); err != nil {
				t.Error(err)
			}
		})
	})
	group.Wait()
}

// play makes calls in a world where faults happen, one after another or all at
// once, and judges them. There are twins of the webhooks already, hours old.
func play(transport string, steps []*step, skew time.Duration, twins []string, next func() fault) ([]*step, error) {
	var mu sync.Mutex
	var shift time.Duration
	now := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return time.Now().Add(skew + shift)
	}
	w, err := newWorld(transport, now, func() fault {
		mu.Lock()
		defer mu.Unlock()
		return next()
	})
	if err != nil {
		return nil, err
	}
	shift = -3 * time.Second
	for _, url := range twins {
		ask(w.proxy.sandbox, "POST", "/"+room+"/Webhooks",
			"Target=webhook&Configuration.Url="+url+"&Configuration.Filters=onParticipantAdded&Configuration.Filters=onMessageAdded")
	}
	shift = 0
	before := ledger(w.proxy.sandbox, room)
	var group sync.WaitGroup
	for id, s := range steps {
		group.Go(func() { s.run(w.send, id) })
		if id%2 == 0 {
			group.Wait()
		}
	}
	group.Wait()
	w.end()
	return steps, judge(steps, before, ledger(w.proxy.sandbox, room))
}

// schedule plays some calls, with faults as the seed has it.
func schedule(seed uint64) ([]*step, error) {
	random := rand.New(rand.NewPCG(seed, 0))
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	var steps []*step
	var twins []string
	for range 1 + random.IntN(5) {
		s := &step{room: room, url: pick("", "https://example.com/1", "https://example.com/1", "https://example.com/2")}
		if random.IntN(8) == 0 {
			s.cancel = time.Duration(1+random.IntN(3000)) * time.Microsecond
		}
		steps = append(steps, s)
	}
	for range random.IntN(3) {
		twins = append(twins, pick("https://example.com/1", "https://example.com/2"))
	}
	all := faults()
	skew := time.Duration(random.IntN(1200)-600) * time.Second
	steps, err := play(pick("stdio", "HTTP"), steps, skew, twins, func() fault {
		if random.IntN(2) == 0 {
			return none
		}
		return all[random.IntN(len(all))]
	})
	if err != nil {
		return steps, fmt.Errorf("go test -run TestFaultsAtRandom -seed %d -schedules 1 .: %w", seed, err)
	}
	return steps, nil
}

var (
	firstSeed = flag.Uint64("seed", 0, "of the first schedule of TestFaultsAtRandom; 0: any")
	schedules = flag.Int("schedules", 200, "of TestFaultsAtRandom")
)

// Calls and faults as they come, 200 schedules of them.
func TestFaultsAtRandom(t *testing.T) {
	playAll(t, func(done int) bool { return done < *schedules })
}

// The same for ten minutes, or until shortly before the test's own time limit:
// go test -run Soak -timeout 15m .
func TestSoak(t *testing.T) {
	onlyWhenAsked(t, "Soak")
	end := time.Now().Add(10 * time.Minute)
	if limit, ok := t.Deadline(); ok && limit.Add(-30*time.Second).Before(end) {
		end = limit.Add(-30 * time.Second)
	}
	playAll(t, func(int) bool { return time.Now().Before(end) })
}

// playAll plays schedules while it may.
func playAll(t *testing.T, more func(done int) bool) {
	before := runtime.NumGoroutine()
	first := cmp.Or(*firstSeed, rand.Uint64N(1<<32))
	t.Logf("the first seed is %d", first)
	var mu sync.Mutex
	seen := map[string]int{}
	each(t, 16, func(check func(func() error)) {
		for i := 0; more(i) && !t.Failed(); i++ {
			check(func() error {
				steps, err := schedule(first + uint64(i))
				mu.Lock()
				defer mu.Unlock()
				for _, s := range steps {
					seen[s.outcome]++
				}
				return err
			})
		}
	})
	t.Log(seen)
	noneLeft(t, before)
}
