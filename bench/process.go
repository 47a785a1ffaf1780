package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is how long a process may take to start, or to answer.
const patience = 20 * time.Second

// A process is one that was started here. It ends with its context, with stop,
// or with this program.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    io.Reader
	stderr string // a file
}

// start starts a program; its standard error goes to a file.
func (b *bench) start(ctx context.Context, env []string, program string, args ...string) (*process, error) {
	stderr, err := os.CreateTemp(b.dir, "stderr")
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	p := &process{cmd: exec.CommandContext(ctx, program, args...), stderr: stderr.Name()}
	p.cmd.Env, p.cmd.Stderr = env, stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.out, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = os.Remove(p.stderr)
}

// told waits until the process has written NAME=VALUE to its standard error.
func (p *process) told(ctx context.Context, name string) (string, error) {
	wanted := regexp.MustCompile(name + `=(\S+)\s`)
	for began := time.Now(); time.Since(began) < patience && ctx.Err() == nil; time.Sleep(2 * time.Millisecond) {
		log, err := os.ReadFile(p.stderr)
		if err != nil {
			return "", err
		}
		if found := wanted.FindSubmatch(log); found != nil {
			return string(found[1]), nil
		}
	}
	return "", p.explain(errors.New("it did not start"))
}

// explain adds to an error what the process said last.
func (p *process) explain(err error) error {
	log, _ := os.ReadFile(p.stderr)
	return fmt.Errorf("%s: %w; it said: %s", filepath.Base(p.cmd.Path), err, log[max(0, len(log)-1000):])
}

// cpu is how many seconds the process has computed. Linux counts hundredths.
func (p *process) cpu() (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return float64(user+system) / 100, errors.Join(err1, err2)
}

// memory is how many MiB the process holds, and how many at most it held.
func (p *process) memory() (now, peak float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for name, kB := range map[string]*float64{"VmRSS:": &now, "VmHWM:": &peak} {
		_, rest, _ := strings.Cut(string(status), name)
		_, missing := fmt.Sscan(rest, kB)
		err = errors.Join(err, missing)
	}
	return now / 1024, peak / 1024, err
}

// An api is what the upstream is told to be.
type api struct {
	latency    time.Duration
	tls, http2 bool
	size       int
}

// An upstream is a running one.
type upstream struct {
	*process
	url, counter, certFile string
	page                   []byte // what it answers
}

// upstreamOf starts an upstream; it stays for all runs that want one like it.
func (b *bench) upstreamOf(ctx context.Context, a api) (*upstream, error) {
	if u := b.upstreams[a]; u != nil {
		return u, nil
	}
	u := &upstream{page: listAnswer(a.size)}
	args := []string{"upstream", "-latency", a.latency.String(), "-size", strconv.Itoa(a.size), "-http2=" + strconv.FormatBool(a.http2)}
	if a.tls {
		u.certFile = filepath.Join(b.dir, fmt.Sprintf("certificate%d.pem", len(b.upstreams)))
		args = append(args, "-tls", u.certFile)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if u.process, err = b.start(ctx, nil, self, args...); err != nil {
		return nil, err
	}
	b.upstreams[a] = u
	if u.counter, err = u.told(ctx, "counter"); err == nil {
		u.url, err = u.told(ctx, "url")
	}
	return u, err
}

// connections is how many the upstream has accepted.
func (u *upstream) connections() (n int, err error) {
	client := http.Client{Timeout: patience}
	res, err := client.Get(u.counter)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	_, err = fmt.Fscan(res.Body, &n)
	return n, err
}

// A setup is what a server is measured in.
type setup struct {
	api
	stdio, cold bool
	inFlight    int
	pace        time.Duration // between calls, together; 0: as fast as they are answered
	windows     int           // of time, each with its figures; 0: one
}

// serve starts a server as a user would run it.
func (b *bench) serve(ctx context.Context, program string, s setup, u *upstream) (*process, error) {
	args := []string{"--base-url", u.url}
	if !s.stdio {
		args = append(args, "--http", "127.0.0.1:0")
	}
	if program == "product" {
		args = append(args, "--max-concurrent", strconv.Itoa(max(128, s.inFlight)))
	}
	env := []string{"TWILIO_ACCOUNT_SID=AC1", "TWILIO_AUTH_TOKEN=x", "SSL_CERT_FILE=" + u.certFile}
	return b.start(ctx, env, filepath.Join(b.dir, program), args...)
}

// wires connects to a server: as many connections as calls in flight, or its
// pipes.
func (p *process) wires(ctx context.Context, s setup) ([]*wire, error) {
	if s.stdio {
		return []*wire{{w: p.in, r: bufio.NewReaderSize(p.out, 512<<10)}}, nil
	}
	address, err := p.told(ctx, "url")
	if err != nil {
		return nil, err
	}
	host := strings.TrimSuffix(strings.TrimPrefix(address, "http://"), "/mcp")
	var wires []*wire
	for range s.inFlight {
		conn, err := net.Dial("tcp", host)
		if err != nil {
			return nil, err
		}
		context.AfterFunc(ctx, func() { _ = conn.Close() })
		wires = append(wires, &wire{w: conn, r: bufio.NewReaderSize(conn, 16<<10), host: host})
	}
	return wires, nil
}
