// Package listen receives the webhooks of Twilio for a person who watches: it
// checks the signature of each request, prints a line about it, and answers it.
package listen

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Options configure a receiver.
type Options struct {
	// AuthToken is the Auth Token of the account whose webhooks are received.
	AuthToken string
	// Key is the shared key of Twilio's webhook settings. It checks the requests
	// that name a key. It may be empty.
	Key string
	// PublicURL is the base URL that Twilio calls, if a tunnel or a proxy makes it
	// another one than the receiver sees. It may be empty.
	PublicURL string
	Status    int           // of the answer to a request with a valid signature
	Delay     time.Duration // before the answer
	JSON      bool          // print JSON, an object on a line, instead of text
	Out       io.Writer
}

const (
	maxBody    = 256 << 10 // bytes; a webhook request has a few KiB
	maxWaiting = 64        // requests that are handled at once
)

// A receiver is the handler of the requests.
type receiver struct {
	Options
	slots chan struct{}
	mu    sync.Mutex // held while a line is printed
}

// New returns the handler that receives webhooks at every path. A request without a
// valid signature is answered 403.
func New(o Options) http.Handler {
	return &receiver{Options: o, slots: make(chan struct{}, maxWaiting)}
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	select {
	case rc.slots <- struct{}{}:
		defer func() { <-rc.slots }()
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many requests at once", http.StatusServiceUnavailable)
		return
	}
	e := rc.receive(w, r)
	rc.print(e)
	if e.Valid && !rc.wait(r) {
		return // the caller has gone
	}
	w.WriteHeader(e.Status)
}

// receive reads a request and decides how to answer it.
func (rc *receiver) receive(w http.ResponseWriter, r *http.Request) event {
	e := event{Time: time.Now().UTC(), Method: r.Method, URL: rc.calledURL(r), Status: rc.Status}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	tooLong, isTooLong := errors.AsType[*http.MaxBytesError](err)
	switch {
	case isTooLong:
		e.Status, e.Reason = http.StatusRequestEntityTooLarge, "the body is longer than "+size(tooLong.Limit)
		return e
	case err != nil:
		e.Status, e.Reason = http.StatusBadRequest, "the body did not arrive whole"
		return e
	case r.Method != http.MethodPost && r.Method != http.MethodGet:
		w.Header().Set("Allow", "GET, POST")
		e.Status, e.Reason = http.StatusMethodNotAllowed, "Twilio sends GET or POST"
		return e
	}
	form := url.Values{}
	if r.Method == http.MethodPost && !isJSON(r) {
		if form, err = url.ParseQuery(string(body)); err != nil {
			e.Status, e.Reason = http.StatusBadRequest, "the body is not a form"
			return e
		}
	}
	e.Fields = form
	if r.Method == http.MethodGet {
		e.Fields = r.URL.Query()
	}
	if e.Reason = rc.check(r, e.URL, form, body); e.Reason != "" {
		e.Status = http.StatusForbidden
	}
	e.Valid = e.Reason == ""
	return e
}

func isJSON(r *http.Request) bool {
	return strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/json")
}

// wait waits before the answer. It reports false if the caller has gone first.
func (rc *receiver) wait(r *http.Request) bool {
	timer := time.NewTimer(rc.Delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// calledURL returns the URL that Twilio called, as far as the receiver can tell.
func (rc *receiver) calledURL(r *http.Request) string {
	path := r.URL.EscapedPath()
	if r.URL.RawQuery != "" || r.URL.ForceQuery {
		path += "?" + r.URL.RawQuery
	}
	if rc.PublicURL == "" {
		return "http://" + r.Host + path
	}
	base := strings.TrimSuffix(rc.PublicURL, "/")
	if u, err := url.Parse(base); err == nil && u.Path != "" && strings.HasPrefix(path, u.EscapedPath()+"/") {
		return u.Scheme + "://" + u.Host + path // the proxy has not removed the path of the base
	}
	return base + path
}
