package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTimeout is how long a process may take to start, or to answer.
const startTimeout = 20 * time.Second

// A process is a child process. It ends with its context, with a call of stop,
// or with this program.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.Reader
	stderr string // the name of the file that receives standard error
}

// start starts a process whose standard error goes to a file, as the log of a
// server in production does.
func (b *bench) start(ctx context.Context, path string, args, env []string) (*process, error) {
	stderr, err := os.CreateTemp(b.dir, "stderr")
	if err != nil {
		return nil, err
	}
	defer stderr.Close()
	p := &process{cmd: exec.CommandContext(ctx, path, args...), stderr: stderr.Name()}
	p.cmd.Env, p.cmd.Stderr = env, stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if p.stdout, err = p.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	return p, p.cmd.Start()
}

func (p *process) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	_ = os.Remove(p.stderr)
}

// logged waits until the process has written NAME=VALUE to standard error and
// returns the value.
func (p *process) logged(ctx context.Context, name string) (string, error) {
	pattern := regexp.MustCompile(name + `=(\S+)\s`)
	for began := time.Now(); time.Since(began) < startTimeout && ctx.Err() == nil; sleep(ctx, 2*time.Millisecond) {
		log, err := os.ReadFile(p.stderr)
		if err != nil {
			return "", err
		}
		if match := pattern.FindSubmatch(log); match != nil {
			return string(match[1]), nil
		}
	}
	if ctx.Err() != nil {
		return "", context.Cause(ctx)
	}
	return "", fmt.Errorf("did not log %s within %v", name, startTimeout)
}

// explain adds to err the name of the process and the end of its standard error.
func (p *process) explain(err error) error {
	log, _ := os.ReadFile(p.stderr)
	return fmt.Errorf("%s: %w; standard error: %s", filepath.Base(p.cmd.Path), err, log[max(0, len(log)-1000):])
}

// A usage is what a process has used of the machine. Memory is resident memory
// in MiB.
type usage struct {
	cpu                time.Duration
	memory, peakMemory float64
}

// usage returns what the process has used so far.
func (p *process) usage() (u usage, err error) {
	dir := fmt.Sprintf("/proc/%d/", p.cmd.Process.Pid)
	stat, err := os.ReadFile(dir + "stat")
	if err != nil {
		return u, err
	}
	status, err := os.ReadFile(dir + "status")
	if err != nil {
		return u, err
	}
	return parseUsage(stat, status)
}

// parseUsage parses the files stat and status of a directory in /proc.
func parseUsage(stat, status []byte) (u usage, err error) {
	if u.cpu, err = parseCPU(stat); err != nil {
		return u, err
	}
	if u.memory, err = parseMiB(status, "VmRSS:"); err != nil {
		return u, err
	}
	u.peakMemory, err = parseMiB(status, "VmHWM:")
	return u, err
}

// parseCPU returns the user and system time in /proc/PID/stat, which Linux
// counts in hundredths of a second.
func parseCPU(stat []byte) (time.Duration, error) {
	const user, system = 11, 12 // counted from the field after the command
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/PID/stat has too few fields: %q", stat)
	}
	u, err1 := strconv.Atoi(fields[user])
	s, err2 := strconv.Atoi(fields[system])
	return time.Duration(u+s) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// parseMiB returns the value of a field of /proc/PID/status, which is in KiB, in
// MiB.
func parseMiB(status []byte, field string) (float64, error) {
	_, rest, _ := strings.Cut(string(status), field)
	var kib float64
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		return 0, fmt.Errorf("/proc/PID/status: %s %w", field, err)
	}
	return kib / 1024, nil
}
