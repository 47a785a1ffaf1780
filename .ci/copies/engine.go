package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// startRedis starts redis-server without persistence, so that a restart loses all, and
// waits until it listens.
func (s *site) startRedis(ctx context.Context) error {
	host, port, err := net.SplitHostPort(s.redisAddress)
	if err != nil {
		return err
	}
	s.redis, err = startProcess(ctx, s.file("redis.log"), os.Environ(), "redis-server", "--bind", host, "--port", port,
		"--save", "", "--dir", s.dir, "--requirepass", redisPassword)
	if err != nil {
		return err
	}
	return waitForPort(ctx, s.redisAddress)
}

// waitForPort waits until something listens at an address, for ten seconds at most.
func waitForPort(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		c, err := net.Dial("tcp", address)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

const redisPassword = "a-password-that-no-log-shows"

func (s *site) restartRedis(ctx context.Context) error {
	if err := s.redis.stop(); err != nil {
		return err
	}
	time.Sleep(time.Second)
	return s.startRedis(ctx)
}

// pause stops a process for a while.
func pause(cmd *exec.Cmd, d time.Duration) error {
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(d)
	return cmd.Process.Signal(syscall.SIGCONT)
}

func (s *site) killCopy(ctx context.Context, i int) error {
	if err := s.copies[i].process.cmd.Process.Kill(); err != nil {
		return err
	}
	<-s.copies[i].process.ended
	return s.startCopy(ctx, i)
}
