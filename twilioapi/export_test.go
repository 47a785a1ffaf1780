package twilioapi

import (
	"crypto/tls"
	"crypto/x509"
)

// Trust lets the client take a test server's certificate.
func (c *Client) Trust(certificate *x509.Certificate) {
	roots := x509.NewCertPool()
	roots.AddCert(certificate)
	c.transport.TLSClientConfig = &tls.Config{RootCAs: roots}
}
