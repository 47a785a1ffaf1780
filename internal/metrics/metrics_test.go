package metrics_test

import (
	"io"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/metrics"
)

func scrape(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	require.Equal(t, 200, recorder.Code)
	body, err := io.ReadAll(recorder.Result().Body)
	require.NoError(t, err)
	return string(body)
}

func TestEventsAreExported(t *testing.T) {
	t.Parallel()
	m := metrics.New("v1.2.3")
	m.OperationDone("tools/call", "list_conversation_webhooks", "", "http", "2026-07-28", 0.03)
	m.OperationDone("tools/call", "list_conversation_webhooks", "tool_error", "stdio", "2025-11-25", 400)
	m.InFlight(3)
	m.InFlight(-1)
	m.Queued(1)
	m.Refused("host")
	m.Refused("host")
	m.Response("GET", 200, 20*time.Millisecond)
	m.Response("POST", 0, time.Second)
	m.Response("POST", 999, time.Second)
	m.Retry("429")
	m.Reconciled("found")
	m.StoreRequest("lock", "", 20*time.Millisecond)
	m.StoreRequest("lock", "timeout", time.Second)
	m.Lock("waited")
	text := scrape(t, m)
	for _, want := range []string{
		`mcp_server_operation_duration_seconds_bucket{error_type="",gen_ai_tool_name="list_conversation_webhooks",mcp_method_name="tools/call",mcp_protocol_version="2026-07-28",network_transport="http",le="0.02"} 0`,
		`mcp_server_operation_duration_seconds_bucket{error_type="",gen_ai_tool_name="list_conversation_webhooks",mcp_method_name="tools/call",mcp_protocol_version="2026-07-28",network_transport="http",le="0.05"} 1`,
		`mcp_server_operation_duration_seconds_bucket{error_type="tool_error",gen_ai_tool_name="list_conversation_webhooks",mcp_method_name="tools/call",mcp_protocol_version="2025-11-25",network_transport="stdio",le="300"} 0`,
		"mcp_server_in_flight_calls 2\n",
		"mcp_server_queued_calls 1\n",
		`mcp_server_refused_requests_total{reason="host"} 2`,
		`twilio_request_duration_seconds_count{method="GET",status="200"} 1`,
		`twilio_request_duration_seconds_count{method="POST",status="none"} 1`,
		`twilio_request_duration_seconds_count{method="POST",status="other"} 1`,
		`twilio_retries_total{reason="429"} 1`,
		`twilio_reconciled_creates_total{outcome="found"} 1`,
		`redis_request_duration_seconds_count{operation="lock",problem=""} 1`,
		`redis_request_duration_seconds_count{operation="lock",problem="timeout"} 1`,
		`redis_locks_total{outcome="waited"} 1`,
		`twilio_conversations_mcp_build_info{goversion="` + runtime.Version() + `",version="v1.2.3"} 1`,
		"go_goroutines ",
		"process_resident_memory_bytes ",
	} {
		require.Contains(t, text, want)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestOnlyMetricsAreServed(t *testing.T) {
	t.Parallel()
	handler := metrics.New("v1").Handler()
	for request, status := range map[string]int{"GET /metrics": 200, "HEAD /metrics": 200, "POST /metrics": 405, "GET /": 404, "GET /mcp": 404, "GET /debug/pprof/": 404} {
		method, path, _ := strings.Cut(request, " ")
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
		require.Equal(t, status, recorder.Code, request)
	}
}

// Dashboards of Go programs work.
func TestThePageHasWhatPrometheusExportsOfAProcess(t *testing.T) {
	t.Parallel()
	text := scrape(t, metrics.New("v1"))
	for name := range strings.FieldsSeq("go_gc_duration_seconds_count go_goroutines go_info go_memstats_alloc_bytes go_memstats_alloc_bytes_total " +
		"go_memstats_frees_total go_memstats_heap_inuse_bytes go_memstats_mallocs_total go_memstats_next_gc_bytes go_memstats_sys_bytes go_threads " +
		"process_cpu_seconds_total process_max_fds process_open_fds process_resident_memory_bytes process_start_time_seconds process_virtual_memory_bytes") {
		if runtime.GOOS == "linux" || strings.HasPrefix(name, "go_") {
			require.Regexp(t, `(?m)^`+name+`(\{.*\})? [0-9.e+-]+$`, text)
		}
	}
	resident := regexp.MustCompile(`(?m)^process_resident_memory_bytes (.*)$`).FindStringSubmatch(text)
	bytes, err := strconv.ParseFloat(resident[1], 64)
	require.NoError(t, err)
	require.Greater(t, bytes, 1e6)
}

// Labels are quoted, whatever their values contain.
func TestTheFormatSurvivesAnyLabel(t *testing.T) {
	t.Parallel()
	m := metrics.New("v1\n\"\\\x01é")
	m.Refused("a\nb 1\n{\"c\\\"}")
	text := scrape(t, m)
	require.Contains(t, text, `version="v1\n\"\\`+"\x01é\"} 1\n")
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	require.NoError(t, err)
	require.Empty(t, problems)
}

// Two servers in one process do not share metrics, and neither is a race.
func TestMetricsBelongToOneServer(t *testing.T) {
	t.Parallel()
	a, b := metrics.New("a"), metrics.New("b")
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() { a.Refused("host"); a.Queued(1); a.Queued(-1) })
	}
	group.Wait()
	require.Contains(t, scrape(t, a), `mcp_server_refused_requests_total{reason="host"} 10`)
	require.NotContains(t, scrape(t, b), "mcp_server_refused_requests_total{")
}
