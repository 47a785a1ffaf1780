package serve

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// readBody reads a message, for which memory is reserved until the reader is freed.
// If it returns false, it has refused the request.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, source *reservingReader, ok bool) {
	source = &reservingReader{bytes: s.bytes}
	if r.ContentLength > int64(s.MaxMessage) { // refuse it before the client sends it
		s.refuseBody(w, &http.MaxBytesError{Limit: int64(s.MaxMessage)})
		return nil, source, false
	}
	source.source = http.MaxBytesReader(w, r.Body, int64(s.MaxMessage))
	source.message.Grow(int(max(0, min(r.ContentLength, smallMessage))) + bytes.MinRead)
	if _, err := source.message.ReadFrom(source); err != nil {
		s.refuseBody(w, err)
		return nil, source, false
	}
	return source.message.Bytes(), source, true
}

// refusedBodyTime is how long net/http may discard the rest of a refused body. A
// client that is still sending would not read the response from a connection that
// is reset.
const refusedBodyTime = time.Second

// refuseBody answers a request whose body could not be read.
func (s *Server) refuseBody(w http.ResponseWriter, err error) {
	_, isTooLong := errors.AsType[*http.MaxBytesError](err)
	switch {
	case isTooLong:
		s.Metrics.refused("message_too_long")
		s.writeError(w, http.StatusRequestEntityTooLarge, nil, s.tooLong())
	case errors.Is(err, errNoMemory):
		s.Metrics.refused("memory")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(refusedBodyTime))
		s.writeError(w, http.StatusServiceUnavailable, nil, errMemoryFull)
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.Metrics.refused("body_timeout")
		s.writeError(w, http.StatusRequestTimeout, nil, newRPCError(mcp.INVALID_REQUEST,
			fmt.Sprintf("timed out reading the message; it must arrive within %v", s.limits.readTime)))
	default:
		s.writeError(w, http.StatusBadRequest, nil, newRPCError(mcp.PARSE_ERROR, "the message could not be read"))
	}
}

// tooLong refuses a message that is longer than allowed.
func (s *Server) tooLong() *rpcError {
	return newRPCError(mcp.INVALID_REQUEST, fmt.Sprintf("the message is longer than %d bytes", s.MaxMessage))
}

func (s *Server) writeError(w http.ResponseWriter, status int, id jsontext.Value, rpcErr *rpcError) {
	if wait, ok := rpcErr.Data.(retry); ok {
		w.Header().Set("Retry-After", strconv.Itoa(wait.Seconds))
	}
	s.writeJSON(w, status, encode(id, nil, rpcErr))
}

func (s *Server) writeResult(w http.ResponseWriter, id jsontext.Value, result any) {
	if first := acknowledgement(id, result); first != nil {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("X-Accel-Buffering", "no")
		_, _ = fmt.Fprintf(w, "data: %s\ndata: %s\n", first, encode(id, result, nil))
		return
	}
	s.writeJSON(w, http.StatusOK, encode(id, result, nil))
}

var jsonType = []string{"application/json"}

func (s *Server) writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = jsonType
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(s.limits.writeTime))
	_, _ = w.Write(body) // if the client is gone, nobody reads the error either
}
