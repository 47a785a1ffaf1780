package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// A process is a program that runs until it is stopped.
type process struct {
	cmd   *exec.Cmd
	ended chan error // holds how it ended
}

// startProcess starts a program, which appends what it writes to a log file. It
// is killed when ctx is done.
func startProcess(ctx context.Context, log string, env []string, name string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &process{cmd: exec.CommandContext(ctx, name, args...), ended: make(chan error, 1)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, file, file
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.ended <- p.cmd.Wait() }()
	return p, nil
}

// stop sends SIGTERM and waits for the program to end. It returns an error if
// that takes longer than a minute, or if its exit status is not 0.
func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-p.ended:
		return err
	case <-time.After(time.Minute):
		return errors.Join(errors.New("it did not end within a minute"), p.cmd.Process.Kill())
	}
}

// waitFor polls a URL until it answers 200, for ten seconds at most.
func waitFor(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return nil
			}
			err = errors.New(response.Status)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s did not answer 200 within 10 s: %w", url, err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// freeAddresses sets addresses of loopback, each with another port that nothing uses.
func freeAddresses(addresses []*string) error {
	for _, address := range addresses {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close() // when all have one: a port that is closed may be chosen again
		*address = ln.Addr().String()
	}
	return nil
}
