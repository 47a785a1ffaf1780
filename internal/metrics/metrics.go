// Package metrics exports Prometheus metrics of the MCP server and of its
// requests to Twilio. The names of the server's metrics follow the semantic
// conventions of OpenTelemetry for MCP.
package metrics

import (
	"bytes"
	"net/http"
	"runtime"
	"strconv"
	"time"
)

// Metrics holds the metrics of one server. Its methods are safe for concurrent
// use. The values of every label are bounded by its caller or by the method.
type Metrics struct {
	start                                                                       time.Time
	operations, requests, inFlight, queued, refused, retries, reconciled, build *metric
	storeRequests, locks                                                        *metric
	events, eventsWaiting                                                       *metric
}

// buckets are the upper bounds in seconds that the conventions give.
var buckets = []float64{0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300}

// New returns the metrics of a server of the given version.
func New(version string) *Metrics {
	m := &Metrics{
		start: time.Now(),
		operations: newMetric(histogram, "mcp_server_operation_duration_seconds", "Duration of MCP requests, from the parsed message to its response.",
			"error_type", "gen_ai_tool_name", "mcp_method_name", "mcp_protocol_version", "network_transport"),
		requests: newMetric(histogram, "twilio_request_duration_seconds", "Duration of requests to Twilio; status none: there was no response.", "method", "status"),
		inFlight: newMetric(gauge, "mcp_server_in_flight_calls", "Tool calls that are being carried out."),
		queued:   newMetric(gauge, "mcp_server_queued_calls", "Tool calls that wait to be carried out."),
		refused:  newMetric(counter, "mcp_server_refused_requests_total", "Requests refused before they were carried out.", "reason"),
		retries:  newMetric(counter, "twilio_retries_total", "Requests to Twilio that were repeated.", "reason"),
		reconciled: newMetric(counter, "twilio_reconciled_creates_total",
			"Creates of unknown outcome that were looked for by listing the webhooks.", "outcome"),
		storeRequests: newMetric(histogram, "redis_request_duration_seconds", "Duration of requests to the store that copies share; problem is empty for a success.", "operation", "problem"),
		locks: newMetric(counter, "redis_locks_total",
			"Locks of conversations that were free, waited for, refused, or lost while they were held.", "outcome"),
		events:        newMetric(counter, "mcp_events_total", "Events of MCP subscriptions that were delivered or given up.", "outcome"),
		eventsWaiting: newMetric(gauge, "mcp_events_waiting", "Messages to subscribers of MCP Events that wait for their delivery."),
		build:         newMetric(gauge, "twilio_conversations_mcp_build_info", "Always 1; the labels describe the program.", "goversion", "version"),
	}
	m.inFlight.add(0)
	m.queued.add(0)
	m.eventsWaiting.add(0)
	m.build.add(1, runtime.Version(), version)
	return m
}

// Handler serves the metrics at /metrics.
func (m *Metrics) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		var page bytes.Buffer
		for _, metric := range []*metric{m.operations, m.requests, m.inFlight, m.queued, m.refused, m.retries, m.reconciled, m.storeRequests, m.locks, m.events, m.eventsWaiting, m.build} {
			metric.write(&page)
		}
		writeRuntime(&page)
		writeProcess(&page, m.start)
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = page.WriteTo(w)
	})
	return mux
}

// OperationDone records an MCP request. The error type is empty for a success.
func (m *Metrics) OperationDone(method, tool, errorType, transport, protocolVersion string, seconds float64) {
	m.operations.observe(seconds, errorType, tool, method, protocolVersion, transport)
}

// InFlight changes the number of calls that are being carried out.
func (m *Metrics) InFlight(delta int) { m.inFlight.add(float64(delta)) }

// Queued changes the number of calls that wait.
func (m *Metrics) Queued(delta int) { m.queued.add(float64(delta)) }

// Refused counts a request that was refused before it was carried out.
func (m *Metrics) Refused(reason string) { m.refused.add(1, reason) }

// Response records a request to Twilio. The status is 0 if there was no
// response.
func (m *Metrics) Response(method string, status int, d time.Duration) {
	m.requests.observe(d.Seconds(), method, statusLabel(status))
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
func (m *Metrics) Retry(reason string) { m.retries.add(1, reason) }

// StoreRequest records a request to the store that copies share. The problem is empty
// for a success.
func (m *Metrics) StoreRequest(operation, problem string, d time.Duration) {
	m.storeRequests.observe(d.Seconds(), operation, problem)
}

// Lock counts a lock by how it was got, or lost.
func (m *Metrics) Lock(outcome string) { m.locks.add(1, outcome) }

// Reconciled counts a create of unknown outcome that was looked for.
func (m *Metrics) Reconciled(outcome string) { m.reconciled.add(1, outcome) }

// EventDone counts an event that was delivered or given up.
func (m *Metrics) EventDone(outcome string) { m.events.add(1, outcome) }

// EventsWaiting changes the number of messages that wait for their delivery.
func (m *Metrics) EventsWaiting(delta int) { m.eventsWaiting.add(float64(delta)) }
