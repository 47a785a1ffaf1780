package serve

import (
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

func (s *Server) writeError(w http.ResponseWriter, status int, id jsontext.Value, rpcErr *rpcError) {
	if wait, ok := rpcErr.Data.(retry); ok {
		w.Header().Set("Retry-After", strconv.Itoa(wait.Seconds))
	}
	line := encode(id, nil, rpcErr)
	defer free(line)
	s.writeJSON(w, status, line.Bytes())
}

func (s *Server) writeResult(w http.ResponseWriter, m *message, result any) {
	line := encode(m.id, result, nil)
	defer free(line)
	if first := acknowledgement(m); first != nil {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		_, _ = fmt.Fprintf(w, "data: %s\ndata: %s\n", first, line)
		return
	}
	s.writeJSON(w, http.StatusOK, line.Bytes())
}

var jsonType = []string{"application/json"}

func (s *Server) writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = jsonType
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.limits.writeTime))
	_, _ = w.Write(body) // if the client is gone, nobody reads the error either
}

// status returns the HTTP status of a JSON-RPC error. Protocol versions before
// 2026-07-28 do not tell errors apart by it.
func status(r *request, rpcErr *rpcError) int {
	wait, isOverLater := rpcErr.Data.(retry)
	switch {
	case isOverLater:
		return wait.status
	case mcp.IsModernProtocol(r.version):
		return statusOf(rpcErr.Code)
	default:
		return http.StatusOK
	}
}

// statusOf returns the HTTP status that 2026-07-28 gives to a JSON-RPC error.
func statusOf(code int) int {
	switch code {
	case mcp.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case mcp.INTERNAL_ERROR:
		return http.StatusOK
	default:
		return http.StatusBadRequest
	}
}
