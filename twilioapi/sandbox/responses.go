package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A response is a response before it is written. The zero value means that there
// is none.
type response struct {
	status int
	body   any // written as JSON; html is written as it is, nil is no body
	header map[string]string
}

type html string

// with adds a header field.
func (a response) with(name, value string) response {
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header[name] = value
	return a
}

// accessHeader is the header that the API reference documents for every response.
var accessHeader = map[string]string{
	"Access-Control-Allow-Origin":      "*",
	"Access-Control-Allow-Methods":     "GET, POST, DELETE, OPTIONS",
	"Access-Control-Allow-Headers":     "Accept, Authorization, Content-Type",
	"Access-Control-Allow-Credentials": "true",
	"Access-Control-Expose-Headers":    "Retry-After, Twilio-Request-Id, X-Twilio-Error-Code",
}

func (a response) writeTo(w http.ResponseWriter) {
	for _, headers := range []map[string]string{accessHeader, a.header} {
		for name, value := range headers {
			w.Header().Set(name, value)
		}
	}
	switch body := a.body.(type) {
	case nil:
		w.WriteHeader(a.status)
	case html:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(a.status)
		io.WriteString(w, string(body))
	default:
		w.Header().Set("Content-Type", "application/json;charset=utf-8")
		w.WriteHeader(a.status)
		w.Write(marshal(body))
	}
}

// marshal returns v as Twilio writes JSON: & and < are not escaped, and there is no
// newline at the end.
func marshal(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v) // never fails for the types of this package
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// An errorBody is the error body of https://www.twilio.com/docs/usage/twilios-response.
type errorBody struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

func refuse(status, code int, message string) response {
	link := fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code)
	return response{status: status, body: errorBody{code, message, link, status}}.
		with("X-Twilio-Error-Code", strconv.Itoa(code))
}

// notFound refuses a request for an unknown resource. It names the path without the
// version, as Twilio does.
func notFound(r *http.Request) response { return notFoundHint(r, "") }

func notFoundHint(r *http.Request, hint string) response {
	resource := strings.TrimPrefix(r.URL.EscapedPath(), "/v1")
	return refuse(http.StatusNotFound, 20404, "The requested resource "+resource+" was not found"+hint)
}
