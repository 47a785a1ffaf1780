package program

import (
	"bufio"
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

// onlyWhenAsked skips a test of minutes unless -run names it.
func onlyWhenAsked(t *testing.T, name string) {
	t.Helper()
	if !strings.Contains(flag.Lookup("test.run").Value.String(), name) {
		t.Skipf("takes minutes; run it with: go test ./internal/program -run %s -timeout 15m -v", name)
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
	out, err := exec.Command("go", "build", "-C", root, "-o", path, ".").CombinedOutput()
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
		for lines.Scan() { // the log is not checked
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

// 64 callers for two minutes over HTTP, while 5% of the requests to Twilio fail.
func TestLoad(t *testing.T) {
	onlyWhenAsked(t, "Load")
	twilio := sandbox.New(sandbox.Options{})
	all := faults()
	proxy := newFaultyProxy(twilio, func() fault {
		if rand.IntN(20) > 0 {
			return noFault
		}
		return all[rand.IntN(len(all))]
	})
	p := startProcess(t, []string{"TWILIO_ACCOUNT_SID=" + accountSID, "TWILIO_AUTH_TOKEN=x"}, "--base-url", proxy.URL, "--timeout", "2s", "--toolsets", "all")
	t.Log("at the start:", p.memory())
	send := sendTo(p.url, &http.Transport{MaxIdleConnsPerHost: 64})

	var mu sync.Mutex
	var times []time.Duration
	outcomes := &counter{}
	end := time.Now().Add(2 * time.Minute)
	var callers sync.WaitGroup
	for range 64 {
		callers.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				var durations []time.Duration
				steps := loadSteps(twilio)
				before := takeSnapshot(twilio, steps)
				for i, s := range steps {
					began := time.Now()
					s.run(send, i)
					durations = append(durations, time.Since(began))
					outcomes.add(s.tool + " " + s.outcome)
				}
				if err := check(steps, before, takeSnapshot(twilio, steps), nil); err != nil {
					t.Error(err)
				}
				mu.Lock()
				times = append(times, durations...)
				mu.Unlock()
			}
		})
	}
	callers.Wait()
	slices.Sort(times)
	t.Logf("calls: %d, %v; p50 %v, p99 %v", len(times), outcomes.counts, times[len(times)/2], times[len(times)*99/100])
	t.Log("at the end:", p.memory())
	proxy.close()
}

// loadSteps returns some calls in conversations of their own.
func loadSteps(twilio *sandbox.Sandbox) (steps []*step) {
	conversation, other := newConversation(twilio), newConversation(twilio)
	for _, url := range []string{"https://example.com/1", "", "https://example.com/2", "https://example.com/1", ""} {
		s := &step{tool: "create", conversation: conversation, url: url}
		if url == "" {
			s.tool = "list"
		}
		steps = append(steps, s)
	}
	sid := newWebhook(twilio, other, "https://example.com/old")
	return append(steps,
		&step{tool: "ensure", conversation: conversation, url: "https://example.com/3"},
		&step{tool: "update", conversation: other, sid: sid, url: "https://example.com/new"})
}

// 5,000 callers at once, while Twilio never answers.
func TestLoadWhileTwilioNeverAnswers(t *testing.T) {
	onlyWhenAsked(t, "Load")
	p := startProcess(t, nil, "--sandbox", "--timeout", "1s", "--max-concurrent", "32")
	t.Log("at the start:", p.memory())
	transport := &http.Transport{DisableKeepAlives: true}
	var callers sync.WaitGroup
	var answered, refused atomic.Int32
	for i := range 5000 {
		callers.Go(func() {
			s := &step{tool: "list", conversation: "CH" + strings.Repeat("0", 32)}
			s.run(sendTo(p.url, transport), i)
			switch s.outcome {
			case "failed":
				answered.Add(1)
			case "": // HTTP 503
				refused.Add(1)
			}
		})
	}
	callers.Wait()
	t.Logf("no answer from Twilio: %d; refused with 503: %d", answered.Load(), refused.Load())
	require.EqualValues(t, 5000, answered.Load()+refused.Load())
	t.Log("at the end:", p.memory())
}
