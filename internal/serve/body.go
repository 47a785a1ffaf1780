package serve

import (
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/mark3labs/mcp-go/mcp"
)

// readBody reads a message of a length that is allowed, as far as the budget
// goes. Otherwise it answers itself, and is not ok. What it holds of the budget
// is given back by free.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, free func(), ok bool) {
	source := &metered{source: http.MaxBytesReader(w, r.Body, int64(s.MaxMessage)), budget: s.held}
	free = func() { s.held.give(source.taken) }
	var err error
	if r.ContentLength > int64(s.MaxMessage) {
		err = &http.MaxBytesError{Limit: int64(s.MaxMessage)} // before the client sends it
	} else if body, err = io.ReadAll(source); err == nil {
		return body, free, true
	}
	_, isTooLong := errors.AsType[*http.MaxBytesError](err)
	switch {
	case isTooLong:
		refuse(w, http.StatusRequestEntityTooLarge, nil, s.tooLong())
	case errors.Is(err, errBudget):
		refuse(w, http.StatusServiceUnavailable, nil, busy)
	case errors.Is(err, os.ErrDeadlineExceeded):
		refuse(w, http.StatusRequestTimeout, nil, newRPCError(mcp.INVALID_REQUEST, "the message took too long"))
	default:
		refuse(w, http.StatusBadRequest, nil, newRPCError(mcp.PARSE_ERROR, "the message could not be read"))
	}
	return nil, free, false
}

var errBudget = errors.New("no room for the message")

// metered takes from a budget what it reads.
type metered struct {
	source io.Reader
	budget *budget
	taken  int
}

func (m *metered) Read(p []byte) (int, error) {
	n, err := m.source.Read(p)
	if !m.budget.try(n) {
		return 0, errBudget
	}
	m.taken += n
	return n, err
}
