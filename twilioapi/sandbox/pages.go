package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"sync"
)

// A page is the response to a list, with its fields in the documented order.
type page struct {
	Meta     meta      `json:"meta"`
	Webhooks []webhook `json:"webhooks"`
}

type meta struct {
	Page        int     `json:"page"`
	PageSize    int     `json:"page_size"`
	FirstURL    string  `json:"first_page_url"`
	PreviousURL *string `json:"previous_page_url"`
	URL         string  `json:"url"`
	NextURL     *string `json:"next_page_url"`
	Key         string  `json:"key"`
}

// list returns one page. A PageSize above the maximum counts as the maximum, because twilio-go asks for 50 by
// default. PageToken selects the page; Page is only repeated in meta.
func (s *Sandbox) list(r *http.Request, c *conversation) response {
	size, sizeErr := number(r.Form, "PageSize", maxWebhooks)
	index, indexErr := number(r.Form, "Page", 0)
	token := r.Form.Get("PageToken")
	switch {
	case sizeErr != nil || size < 1:
		return badRequest(20001, "PageSize must be a number from 1 to %d", maxWebhooks)
	case indexErr != nil || index < 0 || index > math.MaxInt32:
		return badRequest(20001, "Page must be a number, 0 or more")
	case token != "" && !tokens().MatchString(token):
		return badRequest(21481, "PageToken is not valid, use the page URLs of an earlier response")
	}
	size = min(size, maxWebhooks)
	pageURL := func(index int, token string) string { return s.pageURL(r, size, index, token) }
	p := page{Webhooks: []webhook{}, Meta: meta{
		Page: index, PageSize: size, FirstURL: pageURL(0, ""), URL: pageURL(index, token), Key: "webhooks",
	}}
	start, end := c.window(token, size)
	for _, h := range c.webhooks[start:end] {
		p.Webhooks = append(p.Webhooks, s.show(r, h))
	}
	if 0 < start && start < end {
		p.Meta.PreviousURL = new(pageURL(max(index-1, 0), "PB"+c.webhooks[start].SID))
	}
	if start < end && end < len(c.webhooks) {
		p.Meta.NextURL = new(pageURL(index+1, "PA"+c.webhooks[end-1].SID))
	}
	return response{status: http.StatusOK, body: p}
}

// pageURL returns the URL of a page. It has the conversation as the request has it.
func (s *Sandbox) pageURL(r *http.Request, size, index int, token string) string {
	if token != "" {
		token = "&PageToken=" + token
	}
	return fmt.Sprintf("%s%s?PageSize=%d&Page=%d%s", s.base, r.URL.EscapedPath(), size, index, token)
}

// tokens matches page tokens: PA and a SID for the webhooks after that one, PB for those before it. An index
// would change its meaning when a webhook is deleted between two pages; a SID does not.
var tokens = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^P[AB]WH[0-9a-f]{32}$`) })

// window returns the range of webhooks that a token selects.
func (c *conversation) window(token string, size int) (start, end int) {
	all := len(c.webhooks)
	if token == "" {
		return 0, min(size, all)
	}
	before, sid := token[:2] == "PB", token[2:]
	edge := slices.IndexFunc(c.webhooks, func(h webhook) bool { return h.SID > sid || before && h.SID == sid })
	if edge < 0 {
		edge = all
	}
	if before {
		return max(edge-size, 0), edge
	}
	return edge, min(edge+size, all)
}

// number returns a numeric parameter.
func number(form url.Values, name string, byDefault int) (int, error) {
	if !form.Has(name) {
		return byDefault, nil
	}
	return strconv.Atoi(form.Get(name))
}
