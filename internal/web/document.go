package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	htmlType     = "text/html; charset=utf-8"
	markdownType = "text/markdown; charset=utf-8"
	textType     = "text/plain; charset=utf-8"
)

// A document is what one address serves.
type document struct {
	contentType string
	content     func() (body []byte, etag string)
}

// newDocument returns a document whose body is made once, when it is first asked
// for.
func newDocument(contentType string, body func() []byte) *document {
	return &document{contentType, sync.OnceValues(func() ([]byte, string) {
		b := body()
		sum := sha256.Sum256(b)
		return b, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
	})}
}

func (s *site) add(path, contentType string, body func() []byte) {
	s.documents[path] = newDocument(contentType, body)
}

// serve answers GET and HEAD, with 304 if the client has the document already.
func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	body, etag := d.content()
	w.Header().Set("Content-Type", d.contentType)
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("ETag", etag)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

// prefersMarkdown reports whether an Accept header names Markdown and does not
// rate HTML higher.
func prefersMarkdown(accept string) bool {
	markdown, html := 0.0, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		mediaType, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		quality, err := strconv.ParseFloat(parameters["q"], 64)
		if err != nil {
			quality = 1
		}
		switch mediaType {
		case "text/markdown":
			markdown = quality
		case "text/html":
			html = quality
		}
	}
	return markdown > 0 && markdown >= html
}
