package program

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"twilio-conversations-mcp/internal/config"
)

// health asks a server whether it is ready to take calls. Without a URL, that is the
// server of the same settings, as in a container.
func health(ctx context.Context, cfg *config.Config) error {
	base, err := healthURL(cfg)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/readyz", nil)
	if err != nil || request.URL.Host == "" {
		return fmt.Errorf("URL must be the base URL of a server, such as http://127.0.0.1:8080, but got %q", cfg.Health.URL)
	}
	roots, err := cfg.RootCAs()
	if err != nil {
		return err
	}
	client := http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return fmt.Errorf("the server is not ready: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("the server is not ready: %s/readyz answered %s", base, response.Status)
	}
	return nil
}

// healthURL returns the base URL of the server to ask. A server that listens on all
// addresses is asked at 127.0.0.1.
func healthURL(cfg *config.Config) (string, error) {
	if cfg.Health.URL != "" {
		return strings.TrimSuffix(cfg.Health.URL, "/"), nil
	}
	host, port, err := net.SplitHostPort(cmp.Or(cfg.HTTP, "127.0.0.1:8080"))
	if err != nil {
		return "", fmt.Errorf("--http: %w", err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if cfg.TLSCert != "" {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port), nil
}
