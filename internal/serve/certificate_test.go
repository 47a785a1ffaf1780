package serve_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

// writeCertificate writes a new certificate for 127.0.0.1, and its key.
func writeCertificate(t *testing.T, dir string, serial int64) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	roots = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	roots.AddCert(parsed)
	return certFile, keyFile, roots
}

func TestTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile, roots := writeCertificate(t, t.TempDir(), 1)
	s := newFixture().listen(t, serve.HTTPOptions{CertFile: certFile, KeyFile: keyFile})
	for _, http2 := range []bool{false, true} {
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: http2}}
		res, err := client.Post(strings.Replace(s.url, "http:", "https:", 1)+"/mcp", "application/json", strings.NewReader(ping))
		require.NoError(t, err)
		require.Equal(t, 200, res.StatusCode)
		require.Equal(t, http2, res.ProtoMajor == 2)
		require.NoError(t, res.Body.Close())
	}
}

func TestTLSNeedsAValidCertificate(t *testing.T) {
	t.Parallel()
	ln, err := serve.Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	err = newFixture().HTTP(t.Context(), ln, serve.HTTPOptions{Access: policy(t, access.Options{}), CertFile: "absent.pem", KeyFile: "absent.pem"})
	require.ErrorContains(t, err, "open absent.pem")
	_, err = net.Dial("tcp", ln.Addr().String())
	require.Error(t, err, "the listener is closed")
}

// A certificate that is replaced takes effect within ten seconds. Until both
// files are replaced, the old one stays.
func TestAReplacedCertificateIsReadAgain(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	certFile, keyFile, _ := writeCertificate(t, dir, 1)
	var logged logBuffer
	at, err := serve.CertificateAt(certFile, keyFile, slog.New(slog.NewTextHandler(&logged, nil)))
	require.NoError(t, err)
	serial := func(later time.Duration) int64 { return at(later).Leaf.SerialNumber.Int64() }
	require.EqualValues(t, 1, serial(time.Minute))
	require.Empty(t, logged.String())

	newCert, newKey, _ := writeCertificate(t, other, 2)
	move := func(from, to string) {
		require.NoError(t, os.Rename(from, to))
		require.NoError(t, os.Chtimes(to, time.Time{}, time.Now().Add(time.Minute))) // whatever the resolution of the file system
	}
	move(newCert, certFile)
	require.EqualValues(t, 1, serial(2*time.Minute), "the key does not match yet")
	require.Contains(t, logged.String(), "level=WARN")
	require.NoError(t, os.WriteFile(keyFile, []byte("-----BEGIN"), 0o600))
	require.EqualValues(t, 1, serial(3*time.Minute), "the key is half written")
	require.NoError(t, os.Remove(keyFile))
	require.EqualValues(t, 1, serial(4*time.Minute), "the key is absent")
	move(newKey, keyFile)
	require.EqualValues(t, 1, serial(4*time.Minute+time.Second), "not checked again yet")
	require.EqualValues(t, 2, serial(4*time.Minute+10*time.Second))
}
