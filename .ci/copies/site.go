package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const nginxConf = "../../deploy/nginx.conf"

// A site is one sandbox, three copies of the server that use it, and nginx in
// front of them with deploy/nginx.conf, whose addresses are replaced.
type site struct {
	dir, server            string
	sandbox, plain, secure string // addresses
	copies                 [3]struct {
		address string
		process *process
	}
	others       []*process // the sandbox and nginx
	redis        *process
	flags        []string // of the copies, in addition
	redisAddress string
	upstream     *upstream // in front of the sandbox
	conf         string    // of nginx, with all copies
}

// startSite starts everything and waits until it answers. The site must be
// stopped even after an error.
func startSite(ctx context.Context, server, dir string, seed uint64) (*site, error) {
	s := &site{dir: dir, server: server}
	var upstreamAddress string
	addresses := []*string{&upstreamAddress, &s.sandbox, &s.plain, &s.secure, &s.redisAddress}
	for i := range s.copies {
		addresses = append(addresses, &s.copies[i].address)
	}
	if err := freeAddresses(addresses); err != nil {
		return s, err
	}
	if err := s.start(ctx, s.file("sandbox.log"), server, "sandbox", "--http", s.sandbox); err != nil {
		return s, err
	}
	if err := waitForPort(ctx, s.sandbox); err != nil {
		return s, err
	}
	if err := s.startRedis(ctx); err != nil {
		return s, err
	}
	var err error
	if s.upstream, err = startUpstream(ctx, upstreamAddress, s.sandbox, seed); err != nil {
		return s, err
	}
	for i := range s.copies {
		if err := s.startCopy(ctx, i); err != nil {
			return s, err
		}
	}
	return s, s.startNginx(ctx)
}

func (s *site) file(name string) string { return filepath.Join(s.dir, name) }

// stop kills what runs.
func (s *site) stop() {
	for _, c := range s.copies {
		if c.process != nil {
			_ = c.process.cmd.Process.Kill()
		}
	}
	if s.redis != nil {
		_ = s.redis.cmd.Process.Kill()
	}
	for _, p := range s.others {
		_ = p.stop()
	}
}

func (s *site) start(ctx context.Context, log, name string, args ...string) error {
	p, err := startProcess(ctx, log, os.Environ(), name, args...)
	if err == nil {
		s.others = append(s.others, p)
	}
	return err
}

// startCopy starts a copy and waits until it is ready.
func (s *site) startCopy(ctx context.Context, i int) error {
	c := &s.copies[i]
	env := []string{"TWILIO_API_KEY=SK00000000000000000000000000000000", "TWILIO_API_SECRET=no-secret", "MCP_REDIS_URL=redis://:" + redisPassword + "@" + s.redisAddress}
	var err error
	args := append([]string{"--http", c.address, "--base-url", "http://" + s.upstream.address, "--toolsets", "webhooks,manage",
		"--drain", "1s", "--log-format", "json"}, s.flags...)
	c.process, err = startProcess(ctx, s.copyLog(i), env, s.server, args...)
	if err != nil {
		return err
	}
	return waitFor(ctx, "http://"+c.address+"/readyz")
}

func (s *site) copyLog(i int) string { return s.file(fmt.Sprintf("copy%d.log", i)) }

func (s *site) startNginx(ctx context.Context) error {
	text, err := os.ReadFile(nginxConf)
	if err != nil {
		return err
	}
	s.conf = string(text)
	for written, used := range map[string]string{
		"listen 8080;":           "listen " + s.plain + ";",
		"listen 8443 ssl;":       "listen " + s.secure + " ssl;",
		"server 127.0.0.1:8081 ": "server " + s.copies[0].address + " ",
		"server 127.0.0.1:8082 ": "server " + s.copies[1].address + " ",
		"server 127.0.0.1:8083 ": "server " + s.copies[2].address + " ",
	} {
		if !strings.Contains(s.conf, written) {
			return fmt.Errorf("%s does not contain %q", nginxConf, written)
		}
		s.conf = strings.ReplaceAll(s.conf, written, used)
	}
	if err := writeCertificate(s.file("tls.crt"), s.file("tls.key")); err != nil {
		return err
	}
	if err := os.WriteFile(s.file("nginx.conf"), []byte(s.conf), 0o600); err != nil {
		return err
	}
	if err := s.start(ctx, s.file("nginx.log"), "nginx", "-p", s.dir, "-c", s.file("nginx.conf"), "-g", "daemon off;"); err != nil {
		return err
	}
	return waitFor(ctx, "http://"+s.plain+"/readyz")
}

// reload lets nginx read its configuration again, in which the copies listed as
// down are marked so.
func (s *site) reload(ctx context.Context, down ...int) error {
	conf := s.conf
	for _, i := range down {
		conf = strings.ReplaceAll(conf, s.copies[i].address+" ", s.copies[i].address+" down ")
	}
	if err := os.WriteFile(s.file("nginx.conf"), []byte(conf), 0o600); err != nil {
		return err
	}
	return exec.CommandContext(ctx, "nginx", "-p", s.dir, "-c", s.file("nginx.conf"), "-s", "reload").Run()
}

// replace takes a copy out of nginx, restarts it and puts it back.
func (s *site) replace(ctx context.Context, i int) error {
	if err := s.reload(ctx, i); err != nil {
		return err
	}
	if err := s.restart(ctx, i); err != nil {
		return err
	}
	return s.reload(ctx)
}

// restart stops a copy with SIGTERM, which has to end it with 0, and starts it
// again.
func (s *site) restart(ctx context.Context, i int) error {
	if err := s.copies[i].process.stop(); err != nil {
		return fmt.Errorf("copy %d: %w", i, err)
	}
	return s.startCopy(ctx, i)
}

// callers returns the Go and the TypeScript client, of both eras, over HTTP and
// HTTPS, each with conversations of its own.
func (s *site) callers(ctx context.Context) ([]caller, error) {
	certificate, err := os.ReadFile(s.file("tls.crt"))
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(certificate)
	var list []caller
	for _, endpoint := range []string{"http://" + s.plain + "/mcp", "https://" + s.secure + "/mcp"} {
		for _, era := range []string{"legacy", "modern"} {
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			g := goClient{url: endpoint, era: era, client: &http.Client{Transport: transport, Timeout: time.Minute}}
			n := nodeClient{url: endpoint, era: era, certificate: s.file("tls.crt")}
			for range createsEach {
				for _, conversations := range []*[]string{&g.conversations, &n.conversations} {
					conversation, err := s.newConversation(ctx)
					if err != nil {
						return nil, err
					}
					*conversations = append(*conversations, conversation)
				}
			}
			list = append(list, g, n)
		}
	}
	return list, nil
}

// newConversation makes a conversation in the sandbox and returns its SID.
func (s *site) newConversation(ctx context.Context) (string, error) {
	var made struct{ SID string }
	err := s.askSandbox(ctx, http.MethodPost, "", &made)
	return made.SID, err
}

// askSandbox calls the sandbox's API itself, at a path below Conversations.
func (s *site) askSandbox(ctx context.Context, method, path string, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://"+s.sandbox+"/v1/Conversations"+path, nil)
	if err != nil {
		return err
	}
	request.SetBasicAuth("SK00000000000000000000000000000000", "no-secret")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return fmt.Errorf("sandbox: %s %s: %s", method, path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// verify returns an error unless every call got one response, with status 200,
// one copy ran it, every copy ran some, and every create was applied once.
func (s *site) verify(ctx context.Context, total outcome) error {
	if len(total.Errors) > 0 || len(total.Responses) != 1 || total.Responses["200"] != total.Requests {
		return fmt.Errorf("%d calls, responses by status %v, %d errors:\n%s",
			total.Requests, total.Responses, len(total.Errors), strings.Join(total.Errors[:min(5, len(total.Errors))], "\n"))
	}
	for i := range s.copies { // which also writes the rest of their logs
		if err := s.copies[i].process.stop(); err != nil {
			return fmt.Errorf("copy %d: %w", i, err)
		}
	}
	ran := 0
	for i := range s.copies {
		text, err := os.ReadFile(s.copyLog(i))
		if err != nil {
			return err
		}
		calls := bytes.Count(text, []byte(`"tool":"`)) // one line each
		if calls == 0 {
			return fmt.Errorf("copy %d ran no call", i)
		}
		ran += calls
	}
	if ran != total.Requests {
		return fmt.Errorf("%d calls were sent, and %d were run", total.Requests, ran)
	}
	for _, conversation := range total.Created {
		var list struct{ Webhooks []json.RawMessage }
		if err := s.askSandbox(ctx, http.MethodGet, "/"+conversation+"/Webhooks", &list); err != nil {
			return err
		}
		if len(list.Webhooks) != 1 {
			return fmt.Errorf("a create was applied %d times", len(list.Webhooks))
		}
	}
	return nil
}
