package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi/sandbox"
)

// onlyWhenAsked skips a test of minutes.
func onlyWhenAsked(t *testing.T, name string) {
	t.Helper()
	if !strings.Contains(flag.Lookup("test.run").Value.String(), name) {
		t.Skipf("only when it is asked for: go test -run %s -timeout 15m -v .", name)
	}
}

// A process is the program as it is deployed.
type process struct {
	url string
	cmd *exec.Cmd
}

// build makes the program of the checkout.
func build(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "server")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return path
}

func startProcess(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(build(t), append(args, "--http", "127.0.0.1:0")...)}
	p.cmd.Env = env
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	lines := bufio.NewScanner(stderr)
	for p.url == "" && lines.Scan() {
		p.url = regexp.MustCompile(`http://[^ /]+`).FindString(lines.Text())
	}
	require.NotEmpty(t, p.url)
	go func() {
		for lines.Scan() { // the log, which is not looked at
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		_ = p.cmd.Wait()
	})
	return p
}

// memory is what Linux says of the process: VmRSS, and VmHWM at its highest.
func (p *process) memory() string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return "memory unknown"
	}
	return strings.Join(regexp.MustCompile(`Vm(?:RSS|HWM):\s+\d+ kB`).FindAllString(string(status), -1), ", ")
}

// 64 callers for two minutes over HTTP, while 5% of Twilio's answers fail.
func TestLoad(t *testing.T) {
	onlyWhenAsked(t, "Load")
	twilio := sandbox.New(sandbox.Options{})
	all := faults()
	proxy := newProxy(twilio, func() fault {
		if rand.IntN(20) > 0 {
			return none
		}
		return all[rand.IntN(len(all))]
	})
	p := startProcess(t, []string{"TWILIO_ACCOUNT_SID=AC1", "TWILIO_AUTH_TOKEN=x"}, "--base-url", proxy.URL, "--timeout", "2s", "--max-concurrent", "64")
	t.Log("at the start:", p.memory())
	send := sendTo(p.url, &http.Transport{MaxIdleConnsPerHost: 64})

	var mu sync.Mutex
	var times []time.Duration
	var applied int
	seen := map[string]int{}
	end := time.Now().Add(2 * time.Minute)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for time.Now().Before(end) {
				var room struct{ SID string }
				if err := json.Unmarshal(ask(twilio, "POST", "", ""), &room); err != nil {
					t.Error(err)
					return
				}
				var steps []*step
				for i, url := range []string{"https://example.com/1", "", "https://example.com/2", "https://example.com/1", ""} {
					s := &step{room: room.SID, url: url}
					began := time.Now()
					s.run(send, i)
					steps = append(steps, s)
					mu.Lock()
					times = append(times, time.Since(began))
					seen[s.outcome]++
					mu.Unlock()
				}
				made := ledger(twilio, room.SID)
				mu.Lock()
				for _, sids := range made {
					applied += len(sids)
				}
				mu.Unlock()
				if err := judge(steps, nil, made); err != nil {
					t.Error(err)
				}
			}
		})
	}
	callers.Wait()
	slices.Sort(times)
	t.Logf("calls: %d, %v; webhooks made: %d; p50 %v, p99 %v", len(times), seen, applied, times[len(times)/2], times[len(times)*99/100])
	t.Log("at the end:", p.memory())
	proxy.close()
}

// 5,000 callers at once, while Twilio never answers.
func TestLoadWhileTwilioHangs(t *testing.T) {
	onlyWhenAsked(t, "Load")
	p := startProcess(t, nil, "--sandbox", "--timeout", "1s")
	t.Log("at the start:", p.memory())
	transport := &http.Transport{DisableKeepAlives: true}
	var callers sync.WaitGroup
	var answered, refused atomic.Int32
	for i := range 5000 {
		callers.Go(func() {
			s := &step{room: "CH" + strings.Repeat("0", 32)}
			s.run(func(ctx context.Context, id int, message string) []byte {
				raw := sendTo(p.url, transport)(ctx, id, message)
				if raw == nil {
					refused.Add(1)
				}
				return raw
			}, i)
			if s.outcome == "failed" {
				answered.Add(1)
			}
		})
	}
	callers.Wait()
	t.Logf("told that Twilio did not answer: %d; sent away: %d", answered.Load(), refused.Load())
	require.EqualValues(t, 5000, answered.Load()+refused.Load())
	t.Log("at the end:", p.memory())
}
