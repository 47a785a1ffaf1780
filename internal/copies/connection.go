package copies

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"syscall"

	"github.com/gomodule/redigo/redis"
)

// A conn is a connection to one run of an engine.
type conn struct {
	redis.ConnWithContext
	run string
}

// connect returns an idle connection, or a new one.
func (s *Store) connect(ctx context.Context) (*conn, error) {
	select {
	case c := <-s.idle:
		return c, nil
	default:
	}
	c, err := redis.DialURLContext(ctx, s.URL, redis.DialConnectTimeout(timeout), redis.DialTLSHandshakeTimeout(timeout),
		redis.DialReadTimeout(timeout), redis.DialWriteTimeout(timeout), redis.DialTLSConfig(s.TLS))
	if err != nil {
		return nil, err
	}
	info, err := redis.String(redis.DoContext(c, ctx, "INFO", "server"))
	_, run, _ := strings.Cut(info, "\nrun_id:")
	run, _, _ = strings.Cut(run, "\r")
	if err == nil && run == "" {
		err = redis.Error("NORUNID")
	}
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &conn{c.(redis.ConnWithContext), run}, nil
}

// put keeps a connection for later. After an error it closes it, and all others: the
// engine may have been replaced by another one, at the same address.
func (s *Store) put(c *conn, err error) {
	if err == nil {
		select {
		case s.idle <- c:
			return
		default:
		}
	}
	_ = c.Close()
	for err != nil {
		select {
		case c := <-s.idle:
			_ = c.Close()
		default:
			return
		}
	}
}

// codes are the first words of the engine's errors that are told from others.
const codes = "BUSY LOADING MASTERDOWN MISCONF NOAUTH NOPERM NORUNID OOM READONLY WRONGPASS"

// problemOf returns the kind of an error of a request, or "" if there is none.
func problemOf(err error) string {
	var network net.Error
	var certificate *tls.CertificateVerificationError
	if engine, ok := errors.AsType[redis.Error](err); ok {
		code, _, _ := strings.Cut(engine.Error(), " ")
		if slices.Contains(strings.Fields(codes), code) {
			return code
		}
		return "error"
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, net.ErrClosed):
		return "closed"
	case errors.As(err, &certificate):
		return "certificate"
	default:
		return "no connection"
	}
}
