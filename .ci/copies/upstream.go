package main

import (
	"context"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// An upstream is a proxy in front of the sandbox which is as slow as a network, and
// loses responses if it is told to.
type upstream struct {
	address string
	faults  atomic.Bool
	proxy   *httputil.ReverseProxy

	mu     sync.Mutex
	random *rand.Rand
}

// startUpstream serves a proxy of the sandbox until ctx is done.
func startUpstream(ctx context.Context, address, sandbox string, seed uint64) (*upstream, error) {
	ln, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	u := &upstream{
		address: address,
		proxy:   httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: sandbox}),
		random:  rand.New(rand.NewPCG(seed, 0)),
	}
	server := &http.Server{Handler: u}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() { _ = server.Serve(ln) }()
	return u, nil
}

func (u *upstream) dice(sides int) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.random.IntN(sides)
}

// ServeHTTP passes a request on. With faults, a fifth of the creates is not carried
// out, and a fifth is without a response that says so.
func (u *upstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(10*time.Millisecond + time.Duration(u.dice(20))*time.Millisecond)
	fault := u.dice(20)
	if r.Method != http.MethodPost || !u.faults.Load() {
		fault = 19
	}
	switch {
	case fault < 2: // lost before
		panic(http.ErrAbortHandler)
	case fault < 4: // refused
		w.WriteHeader(http.StatusTooManyRequests)
	case fault < 6: // lost after
		u.proxy.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case fault < 8: // unreadable
		u.proxy.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusBadGateway)
	default:
		u.proxy.ServeHTTP(w, r)
	}
}
