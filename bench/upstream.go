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
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// serveUpstream stands in for Twilio until ctx is done: it answers every GET
// with a list of webhooks. It is a process of its own, so that its work is not
// the load client's. How many connections it accepted it tells at another
// address, so that asking does not count.
func serveUpstream(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("upstream", flag.ExitOnError)
	latency := flags.Duration("latency", 0, "wait so long before each answer")
	size := flags.Int("size", 0, "at most so many `bytes` of answer, up to 64 KiB; 0: the documented three webhooks")
	certificate := flags.String("tls", "", "serve over TLS; its self-signed certificate is written to this `file`")
	http2 := flags.Bool("http2", false, "offer HTTP/2 over TLS")
	_ = flags.Parse(args)

	body := listAnswer(*size)
	var accepted atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(*latency)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
	}))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			accepted.Add(1)
		}
	}
	counter := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, accepted.Load()) }))
	if *certificate == "" {
		srv.Start()
	} else {
		srv.EnableHTTP2 = *http2
		srv.StartTLS()
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
		if err := os.WriteFile(*certificate, text, 0o600); err != nil {
			return err
		}
	}
	fmt.Fprintf(os.Stderr, "counter=%s/connections url=%s\n", counter.URL, srv.URL)
	<-ctx.Done()
	return nil
}

const (
	address = "https://conversations.twilio.com/v1/Conversations/CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/Webhooks"
	head    = `{"meta":{"page":0,"page_size":5,"first_page_url":"` + address + `?PageSize=5&Page=0","previous_page_url":null,` +
		`"url":"` + address + `?PageSize=5&Page=0","next_page_url":null,"key":"webhooks"},"webhooks":[`
	webhook = `{"account_sid":"ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","conversation_sid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","sid":"%s","target":%s,` +
		`"date_created":"2016-03-24T21:05:50Z","date_updated":"2016-03-24T21:05:50Z","url":"` + address + `/%[1]s"}`
)

var targets = []string{
	`"webhook","configuration":{"url":"https://example.com","method":"GET","filters":["onMessageAdded","onConversationRemoved"]}`,
	`"trigger","configuration":{"url":"https://example.com","method":"POST","triggers":["keyword1","keyword2"]}`,
	`"studio","configuration":{"flow_sid":"FWaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}`,
}

// listAnswer is the documented list of three webhooks, or one of as many as fit
// into so many bytes, but at least one.
func listAnswer(size int) []byte {
	var webhooks []string
	for left := min(size, 64<<10) - len(head) - len("]}"); ; {
		n := len(webhooks)
		next := fmt.Sprintf(webhook, fmt.Sprintf("WH%032d", n+1), targets[n%len(targets)])
		left -= len(next) + len(",")
		if size == 0 && n == len(targets) || size > 0 && n > 0 && left < 0 {
			return []byte(head + strings.Join(webhooks, ",") + "]}")
		}
		webhooks = append(webhooks, next)
	}
}
