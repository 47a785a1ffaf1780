package main

import (
	"context"
	"net"
	"net/url"
)

// A setup describes how a server runs and what load it gets.
type setup struct {
	upstream  upstreamConfig
	stdio     bool // instead of HTTP
	coldStart bool // measure only the time from start to first result
	inFlight  int  // the number of calls in flight
}

// startServer starts a server with its default settings.
func (b *bench) startServer(ctx context.Context, p program, s setup, u *upstream) (*process, error) {
	return b.start(ctx, p.path, s.args(u), s.env(u))
}

// args returns the command-line arguments of a server.
func (s setup) args(u *upstream) []string {
	args := []string{"--base-url", u.url}
	if !s.stdio {
		args = append(args, "--http", "127.0.0.1:0")
	}
	return args
}

// env returns the environment of a server.
func (s setup) env(u *upstream) []string {
	return []string{
		"TWILIO_ACCOUNT_SID=ACaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		"TWILIO_AUTH_TOKEN=invented",
		"SSL_CERT_FILE=" + u.certFile,
	}
}

// open connects to a server and makes a first call. It returns the connections
// and what to expect of further calls.
func (p *process) open(ctx context.Context, s setup, u *upstream) ([]*conn, *expectation, error) {
	conns, err := p.connect(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	want, err := conns[0].handshake(u.page)
	return conns, want, err
}

// connect opens a connection for each call in flight. Over stdio, all calls
// share one. The connections close when ctx is done.
func (p *process) connect(ctx context.Context, s setup) ([]*conn, error) {
	if s.stdio {
		return []*conn{newStdioConn(p.stdin, p.stdout)}, nil
	}
	address, err := p.address(ctx)
	if err != nil {
		return nil, err
	}
	var conns []*conn
	for range s.inFlight {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = c.Close() })
		conns = append(conns, newHTTPConn(c))
	}
	return conns, nil
}

// address waits until a server listens and returns its HOST:PORT.
func (p *process) address(ctx context.Context) (string, error) {
	logged, err := p.logged(ctx, "url")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(logged)
	if err != nil {
		return "", err
	}
	return u.Host, nil
}
