package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/twilioapi/sandbox"
)

// A tally counts what five webhooks get, and notices what is out of order.
type tally struct {
	mu    sync.Mutex
	next  map[string]int // index of the next message, by path
	wrong string
	done  sync.WaitGroup
}

func (c *tally) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.PostForm.Get("Index") != strconv.Itoa(c.next[r.URL.Path]) {
		c.wrong = fmt.Sprintf("%s got %s instead of %d", r.URL.Path, r.PostForm.Get("Index"), c.next[r.URL.Path])
	}
	c.next[r.URL.Path]++
	c.done.Done()
}

// load returns a sandbox with five webhooks, a function that writes messages and waits until all have
// arrived, and their tally.
func load(t testing.TB) (s *sandbox.Sandbox, write func(messages int), c *tally) {
	t.Helper()
	c = &tally{next: map[string]int{}}
	receiver := httptest.NewServer(c)
	t.Cleanup(receiver.Close)
	s = sandbox.New(sandbox.Options{})
	post := func(path string, form url.Values) {
		r := httptest.NewRequest("POST", path, nil)
		r.PostForm, r.Form = form, form
		r.SetBasicAuth("AC1", "x")
		r.Header.Set("X-Twilio-Webhook-Enabled", "true")
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		require.Equal(t, 201, w.Code, w.Body.String())
	}
	for i := range 5 {
		post(room+"/Webhooks", url.Values{"Target": {"webhook"}, "Configuration.Url": {receiver.URL + "/" + strconv.Itoa(i)}, "Configuration.Filters": {"onMessageAdded"}})
	}
	return s, func(messages int) {
		c.done.Add(5 * messages)
		for range messages {
			post(room+"/Messages", url.Values{"Body": {"Hi"}})
		}
		c.done.Wait()
		require.Empty(t, c.wrong)
	}, c
}

// BenchmarkAThousandMessagesToFiveWebhooks measures until the last one has arrived, each once and in order.
func BenchmarkAThousandMessagesToFiveWebhooks(b *testing.B) {
	_, write, c := load(b)
	for b.Loop() {
		write(1000)
	}
	for path, next := range c.next {
		require.Zero(b, next%1000, path)
	}
	b.ReportMetric(5000, "deliveries/op")
}

// BenchmarkMemoryOfManyDeliveries reports what the heap grows by from the first 5,000 deliveries to 100,000.
func BenchmarkMemoryOfManyDeliveries(b *testing.B) {
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	s, write, _ := load(b)
	write(1000)
	before := heap()
	for b.Loop() {
		for range 19 {
			write(1000)
		}
	}
	b.ReportMetric(before, "MiB-after-5000")
	b.ReportMetric(heap(), "MiB-after-100000")
	require.LessOrEqual(b, len(s.Deliveries()), 2000)
}
