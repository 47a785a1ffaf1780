// Package metrics exports Prometheus metrics of the MCP server and of its
// requests to Twilio. The names of the server's metrics follow the semantic
// conventions of OpenTelemetry for MCP.
package metrics

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics holds the metrics of one server. Its methods are safe for concurrent
// use. The values of every label are bounded by its caller or by the method.
type Metrics struct {
	registry   *prometheus.Registry
	operations *prometheus.HistogramVec
	requests   *prometheus.HistogramVec
	inFlight   prometheus.Gauge
	queued     prometheus.Gauge
	refused    *prometheus.CounterVec
	retries    *prometheus.CounterVec
	reconciled *prometheus.CounterVec
}

// buckets are the upper bounds in seconds that the conventions give.
var buckets = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300}

// New returns the metrics of a server of the given version.
func New(version string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		operations: histogram("mcp_server_operation_duration_seconds", "Duration of MCP requests, from the parsed message to its response.",
			"mcp_method_name", "gen_ai_tool_name", "error_type", "network_transport", "mcp_protocol_version"),
		requests: histogram("twilio_request_duration_seconds", "Duration of requests to Twilio; status none: there was no response.", "method", "status"),
		inFlight: gauge("mcp_server_in_flight_calls", "Tool calls that are being carried out."),
		queued:   gauge("mcp_server_queued_calls", "Tool calls that wait to be carried out."),
		refused:  counter("mcp_server_refused_requests_total", "Requests refused before they were carried out.", "reason"),
		retries:  counter("twilio_retries_total", "Requests to Twilio that were repeated.", "reason"),
		reconciled: counter("twilio_reconciled_creates_total",
			"Creates of unknown outcome that were looked for by listing the webhooks.", "outcome"),
	}
	m.registry.MustRegister(m.operations, m.requests, m.inFlight, m.queued, m.refused, m.retries, m.reconciled,
		buildInfo(version), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
}

func counter(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
}

func buildInfo(version string) prometheus.Collector {
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "twilio_conversations_mcp_build_info", Help: "Always 1; the labels describe the program.",
		ConstLabels: prometheus.Labels{"version": version, "goversion": runtime.Version()},
	})
	info.Set(1)
	return info
}

// Handler serves the metrics at /metrics.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}))
	return mux
}

// OperationDone records an MCP request. The error type is empty for a success.
func (m *Metrics) OperationDone(method, tool, errorType, transport, protocolVersion string, seconds float64) {
	m.operations.WithLabelValues(method, tool, errorType, transport, protocolVersion).Observe(seconds)
}

// InFlight changes the number of calls that are being carried out.
func (m *Metrics) InFlight(delta int) { m.inFlight.Add(float64(delta)) }

// Queued changes the number of calls that wait.
func (m *Metrics) Queued(delta int) { m.queued.Add(float64(delta)) }

// Refused counts a request that was refused before it was carried out.
func (m *Metrics) Refused(reason string) { m.refused.WithLabelValues(reason).Inc() }

// Response records a request to Twilio. The status is 0 if there was no
// response.
func (m *Metrics) Response(method string, status int, d time.Duration) {
	m.requests.WithLabelValues(method, statusLabel(status)).Observe(d.Seconds())
}

func statusLabel(status int) string {
	switch {
	case status == 0:
		return "none"
	case status < 100 || status > 599:
		return "other"
	default:
		return strconv.Itoa(status)
	}
}

// Retry counts a request to Twilio that is repeated.
func (m *Metrics) Retry(reason string) { m.retries.WithLabelValues(reason).Inc() }

// Reconciled counts a create of unknown outcome that was looked for.
func (m *Metrics) Reconciled(outcome string) { m.reconciled.WithLabelValues(outcome).Inc() }
