package main

import (
	"context"
	"encoding/pem"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"
)

// An upstreamConfig describes a stand-in for the Twilio API.
type upstreamConfig struct {
	latency    time.Duration // of each response
	tls, http2 bool
	size       int // see listResponse
}

// An upstream is a running stand-in for the Twilio API. It is a process of its
// own, so that its work does not delay the load client's.
type upstream struct {
	*process
	url      string
	counter  string // the URL of the number of accepted connections
	certFile string // of its certificate, if it uses TLS
	page     []byte // the body of its responses
}

// upstream returns the upstream of a configuration. It starts one if there is
// none yet, and close stops it.
func (b *bench) upstream(ctx context.Context, c upstreamConfig) (*upstream, error) {
	if u := b.upstreams[c]; u != nil {
		return u, nil
	}
	u := &upstream{page: listResponse(c.size)}
	args := []string{"upstream", "-latency", c.latency.String(), "-size", strconv.Itoa(c.size), "-http2=" + strconv.FormatBool(c.http2)}
	if c.tls {
		u.certFile = filepath.Join(b.dir, fmt.Sprintf("certificate%d.pem", len(b.upstreams)))
		args = append(args, "-tls", u.certFile)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if u.process, err = b.start(ctx, self, args, nil); err != nil {
		return nil, err
	}
	b.upstreams[c] = u
	if u.counter, err = u.logged(ctx, "counter"); err != nil {
		return nil, u.explain(err)
	}
	u.url, err = u.logged(ctx, "url")
	return u, err
}

// connections returns the number of connections accepted so far.
func (u *upstream) connections() (n int, err error) {
	client := http.Client{Timeout: startTimeout}
	res, err := client.Get(u.counter)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = fmt.Fscan(res.Body, &n)
	return n, err
}

// runUpstream is the main function of an upstream. It answers every request
// with a list of webhooks until ctx is done. A second address reports the
// number of connections accepted at the first.
func runUpstream(ctx context.Context, args []string) error {
	var c upstreamConfig
	flags := flag.NewFlagSet("bench upstream", flag.ExitOnError)
	flags.DurationVar(&c.latency, "latency", 0, "wait for this `duration` before each response")
	flags.IntVar(&c.size, "size", 0, "answer with a list of at most so many `bytes`, up to 65536; 0: the documented list of three webhooks")
	certFile := flags.String("tls", "", "use TLS, and write the self-signed certificate to this `file`")
	flags.BoolVar(&c.http2, "http2", false, "with -tls, offer HTTP/2")
	_ = flags.Parse(args)

	var accepted atomic.Int64
	srv := httptest.NewUnstartedServer(listHandler(c))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			accepted.Add(1)
		}
	}
	if err := listen(srv, c.http2, *certFile); err != nil {
		return err
	}
	counter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, accepted.Load()) }))
	fmt.Fprintf(os.Stderr, "counter=%s url=%s\n", counter.URL, srv.URL)
	<-ctx.Done()
	return nil
}

// listHandler answers every request with a list of webhooks.
func listHandler(c upstreamConfig) http.HandlerFunc {
	body := listResponse(c.size)
	return func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(c.latency)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}
}

// listen starts srv, with TLS if certFile is not empty. It writes the
// certificate to that file.
func listen(srv *httptest.Server, http2 bool, certFile string) error {
	if certFile == "" {
		srv.Start()
		return nil
	}
	srv.EnableHTTP2 = http2
	srv.StartTLS()
	block := &pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}
	return os.WriteFile(certFile, pem.EncodeToMemory(block), 0o600)
}

// The parts of a list of webhooks, as Twilio documents it.
const (
	webhooksURL = "https://conversations.twilio.com/v1/Conversations/CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Webhooks"
	listHead    = `{"meta":{"page":0,"page_size":5,"first_page_url":"` + webhooksURL + `?PageSize=5&Page=0","previous_page_url":null,` +
		`"url":"` + webhooksURL + `?PageSize=5&Page=0","next_page_url":null,"key":"webhooks"},"webhooks":[`
	listTail      = "]}"
	webhookFormat = `{"account_sid":"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","conversation_sid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","sid":"%s","target":%s,` +
		`"date_created":"2016-03-24T21:05:50Z","date_updated":"2016-03-24T21:05:50Z","url":"` + webhooksURL + `/%[1]s"}`
)

var webhookTargets = []string{
	`"webhook","configuration":{"url":"https://example.com","method":"GET","filters":["onMessageAdded","onConversationRemoved"]}`,
	`"trigger","configuration":{"url":"https://example.com","method":"POST","triggers":["keyword1","keyword2"]}`,
	`"studio","configuration":{"flow_sid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
}

// listResponse returns a list of at least one webhook and, beyond that, as many
// as fit into size bytes, or into 64 KiB. If size is 0, it returns the
// documented list of three.
func listResponse(size int) []byte {
	if size == 0 {
		return []byte(listHead + webhook(0) + "," + webhook(1) + "," + webhook(2) + listTail)
	}
	list := listHead + webhook(0)
	for n := 1; ; n++ {
		next := list + "," + webhook(n)
		if len(next)+len(listTail) > min(size, 64<<10) {
			return []byte(list + listTail)
		}
		list = next
	}
}

// webhook returns the n-th webhook of a list.
func webhook(n int) string {
	return fmt.Sprintf(webhookFormat, fmt.Sprintf("WH%032d", n+1), webhookTargets[n%len(webhookTargets)])
}
