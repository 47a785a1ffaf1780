package serve

import (
	"crypto/tls"
	"log/slog"
	"time"

	"golang.org/x/sync/semaphore"
)

// SetReadTime changes how long an HTTP request may take to arrive.
func (s *Server) SetReadTime(d time.Duration) { s.limits.readTime = d }

// SetQueueTime changes how long a tool call waits for a slot.
func (s *Server) SetQueueTime(d time.Duration) { s.limits.queueTime = d }

// SetMaxBuffered changes how many bytes of messages may be in memory.
func (s *Server) SetMaxBuffered(n int64) { s.bytes = semaphore.NewWeighted(n) }

// CertificateAt reads a certificate and returns a function that returns it at a
// time after that.
func CertificateAt(certFile, keyFile string, log *slog.Logger) (at func(later time.Duration) *tls.Certificate, err error) {
	c, err := newCertificate(certFile, keyFile, log)
	now := time.Now()
	return func(later time.Duration) *tls.Certificate { return c.at(now.Add(later)) }, err
}
