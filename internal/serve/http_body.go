package serve

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

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
