package program

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"twilio-conversations-mcp/twilioapi/sandbox"
)

// A fault describes what happens to one request on its way to Twilio and back.
type fault struct {
	applied string // never, first or late: whether the sandbox carries the request out, before or after the response
	status  int    // of a response that is not the sandbox's own; 0: the sandbox's own
	body    string // of that response
	cut     string // how much of the response is sent: one of cuts
	end     string // how the connection ends: one of ends, or "twice"
}

func (f fault) String() string {
	return fmt.Sprintf("applied %s, status %d, body %.12q, cut %s, end %s", f.applied, f.status, f.body, f.cut, f.end)
}

// fakesDelete reports whether the fault is a success response that the sandbox did
// not give: after a delete nobody can tell it from a real one.
func (f fault) fakesDelete() bool {
	return f.applied == "never" && (f.status == http.StatusOK || f.status == http.StatusNoContent)
}

var (
	cuts = []string{"before headers", "in headers", "before body", "in body", "after body"}
	ends = []string{"close", "reset", "stall", "garbage", "delay"}

	noFault = fault{"first", 0, "", "after body", "close"}
)

// wrongBodies are bodies of success responses that are not the webhook of the
// request.
var wrongBodies = []string{
	`{}`, `[]`, `{"status":"ok","login":"please"}`, `{"sid":"CH123"}`, `{"sid":"WH123"}`, `{"sid":null}`,
	`{"sid":"WHffffffffffffffffffffffffffffffff","conversation_sid":"CHffffffffffffffffffffffffffffffff","target":"webhook"}`,
}

// faults returns every fault: each way to end a response at each point, and
// responses of others.
func faults() (all []fault) {
	for _, cut := range cuts {
		for _, end := range ends {
			all = append(all, fault{"first", 0, "", cut, end})
			if strings.HasSuffix(cut, "headers") {
				all = append(all, fault{"never", 0, "", cut, end}, fault{"late", 0, "", cut, end})
			}
		}
	}
	all = append(all, fault{"first", 0, "", "after body", "twice"}, fault{"never", 429, `{"code":20429,"status":429}`, "after body", "twice"},
		fault{"never", 400, `{"code":20001,"status":400}`, "after body", "twice"})
	for _, applied := range []string{"never", "first"} {
		all = append(all, fault{applied, 101, "", "after body", "stall"})
		for _, body := range wrongBodies {
			for _, status := range []int{200, 201, 202, 204} {
				all = append(all, fault{applied, status, body, "after body", "close"})
			}
		}
	}
	bodies := []string{`{"code":20001,"message":"no","status":400}`, "<html>no</html>", "", strings.Repeat("x", 300<<10), "\x1f\x8b\x08not gzip", "{\"a\":\xff"}
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

// A faultyProxy stands between the server and the sandbox.
type faultyProxy struct {
	*httptest.Server
	sandbox  *sandbox.Sandbox
	next     func() fault // the fault of the next request
	requests sync.WaitGroup

	mu      sync.Mutex
	updates map[string]int // updates that the sandbox carried out, by path
}

func newFaultyProxy(s *sandbox.Sandbox, next func() fault) *faultyProxy {
	p := &faultyProxy{sandbox: s, next: next, updates: map[string]int{}}
	p.Server = httptest.NewServer(p)
	return p
}

// close waits until no request can reach the sandbox any more.
func (p *faultyProxy) close() {
	p.Close()
	p.requests.Wait()
}

func (p *faultyProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.requests.Add(1)
	defer p.requests.Done()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client disconnected before it had sent the request
	}
	f := p.next()
	response := f.response()
	if f.applied == "first" {
		if real := p.apply(r, body); f.status == 0 {
			response = real
		}
	}
	f.write(w, response)
	if f.applied == "late" {
		p.apply(r, body)
	}
}

// response is the response of a fault that replaces the sandbox's own.
func (f fault) response() *http.Response {
	response := &http.Response{StatusCode: cmp.Or(f.status, 201), Body: io.NopCloser(strings.NewReader(f.body)), Header: http.Header{}}
	if strings.HasPrefix(f.body, "\x1f") {
		response.Header.Set("Content-Encoding", "gzip")
	}
	if f.status == http.StatusSwitchingProtocols {
		response.Header.Set("Connection", "Upgrade")
		response.Header.Set("Upgrade", "x")
	}
	return response
}

// apply lets the sandbox carry out a request.
func (p *faultyProxy) apply(r *http.Request, body []byte) *http.Response {
	forwarded := httptest.NewRequest(r.Method, r.RequestURI, bytes.NewReader(body))
	forwarded.Header = r.Header
	recorder := httptest.NewRecorder()
	p.sandbox.ServeHTTP(recorder, forwarded)
	if r.Method == http.MethodPost && strings.Contains(r.URL.Path, "/Webhooks/") && recorder.Code < 300 {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.updates[r.URL.Path]++
	}
	return recorder.Result()
}

// write sends what the fault leaves of a response, and ends the connection.
func (f fault) write(w http.ResponseWriter, response *http.Response) {
	raw, header := encodeResponse(response)
	n := []int{0, header / 2, header, header + (len(raw)-header)/2, len(raw)}[slices.Index(cuts, f.cut)]
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = conn.Write(raw[:n])
	switch f.end {
	case "reset":
		_ = conn.(*net.TCPConn).SetLinger(0)
	case "stall":
		untilDisconnected(conn)
	case "garbage":
		_, _ = io.WriteString(conn, "\x00\x1b[2J not HTTP\r\n\r\n")
	case "delay":
		time.Sleep(time.Millisecond)
		_, _ = conn.Write(raw[n:])
	case "twice": // the second one is there when the connection is used again
		time.Sleep(100 * time.Microsecond)
		_, _ = conn.Write(raw)
		untilDisconnected(conn)
	}
}

func untilDisconnected(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, conn)
}

// encodeResponse returns the bytes of a response, and how many of them are its
// header.
func encodeResponse(response *http.Response) (raw []byte, header int) {
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode == 101 || response.StatusCode == 204 {
		body = nil
	}
	response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	response.ProtoMajor, response.ProtoMinor = 1, 1
	var out bytes.Buffer
	if err := response.Write(&out); err != nil {
		panic(err)
	}
	return out.Bytes(), out.Len() - len(body)
}
