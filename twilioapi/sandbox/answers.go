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

// An answer is what goes back. The zero answer stands for none at all.
type answer struct {
	status int
	body   any // sent as JSON; html is sent as it is, nil is no body
	header map[string]string
}

type html string

// with adds a header.
func (a answer) with(name, value string) answer {
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header[name] = value
	return a
}

// access are the headers that the API reference documents for every answer.
var access = map[string]string{
	"Access-Control-Allow-Origin":      "*",
	"Access-Control-Allow-Methods":     "GET, POST, DELETE, OPTIONS",
	"Access-Control-Allow-Headers":     "Accept, Authorization, Content-Type",
	"Access-Control-Allow-Credentials": "true",
	"Access-Control-Expose-Headers":    "Retry-After, Twilio-Request-Id, X-Twilio-Error-Code",
}

func (a answer) writeTo(w http.ResponseWriter) {
	for _, headers := range []map[string]string{access, a.header} {
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
		w.Write(encoded(body))
	}
}

// encoded is v as Twilio writes JSON: & and < as they are, no line break at the end.
func encoded(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.Encode(v) // only types of this package come here, and they always encode
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// A refusal is the error body of https://www.twilio.com/docs/usage/twilios-response.
type refusal struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

func refuse(status, code int, message string) answer {
	link := fmt.Sprintf("https://www.twilio.com/docs/errors/%d", code)
	return answer{status: status, body: refusal{code, message, link, status}}.
		with("X-Twilio-Error-Code", strconv.Itoa(code))
}

// notFound names the path without its version, as Twilio does.
func notFound(r *http.Request) answer { return missing(r, "") }

func missing(r *http.Request, hint string) answer {
	resource := strings.TrimPrefix(r.URL.EscapedPath(), "/v1")
	return refuse(http.StatusNotFound, 20404, "The requested resource "+resource+" was not found"+hint)
}
