package access

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"
)

// A Document is a file that everybody may read, in a browser too.
type Document struct {
	Type  string // media type
	Cache string // value of the header Cache-Control
	Body  []byte
}

// ServeDocument serves a document to every origin, without authentication. Like
// everything else, it is served only for the accepted hosts.
func (p *Policy) ServeDocument(w http.ResponseWriter, r *http.Request, d Document) {
	if !p.admitHost(w, r) {
		return
	}
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("Content-Type", d.Type)
		w.Header().Set("Cache-Control", d.Cache)
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(d.Body)))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.Body))
	case http.MethodOptions:
		answerPreflight(w, r, "GET, HEAD")
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	}
}
