package serve

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificateCheck is how often the files of a certificate are checked.
const certificateCheck = 5 * time.Second

// A certificate is a TLS certificate whose files may be replaced while the
// server runs.
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger

	mu      sync.Mutex
	pair    *tls.Certificate
	files   string // state of the files that the pair was read from
	checked time.Time
}

func newCertificate(certFile, keyFile string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log}
	if err := c.read(time.Now()); err != nil {
		return nil, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	return c, nil
}

// get implements [tls.Config.GetCertificate].
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return c.at(time.Now()), nil
}

// at returns the certificate at a point in time. Files that cannot be read, or
// of which only one is replaced yet, leave the certificate as it is.
func (c *certificate) at(now time.Time) *tls.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.checked) < certificateCheck {
		return c.pair
	}
	if err := c.read(now); err != nil {
		c.log.Warn("the TLS certificate was not read again; the one read before stays in use", "error", err)
	}
	return c.pair
}

// read reads the files if they have changed.
func (c *certificate) read(now time.Time) error {
	c.checked = now
	files := fileState(c.certFile) + fileState(c.keyFile)
	if files == c.files {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return err
	}
	c.pair, c.files = &pair, files
	return nil
}

// fileState differs if a file was written or replaced.
func fileState(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "absent;"
	}
	return fmt.Sprintf("%d %d;", info.ModTime().UnixNano(), info.Size())
}
