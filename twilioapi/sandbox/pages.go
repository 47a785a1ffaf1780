package sandbox

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
)

// A page is one answer of a list in the documented order of its fields.
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

// list shows one page. A PageSize above the maximum is taken as the maximum, because twilio-go asks for 50
// unless told otherwise. Page is only repeated; it is PageToken that moves.
func (s *Sandbox) list(r *http.Request, c *conversation) answer {
	size, sizeErr := number(r.Form, "PageSize", maxWebhooks)
	index, indexErr := number(r.Form, "Page", 0)
	token := r.Form.Get("PageToken")
	switch {
	case sizeErr != nil || size < 1:
		return badRequest(20001, "PageSize must be a number from 1 to %d", maxWebhooks)
	case indexErr != nil || index < 0 || index > math.MaxInt32:
		return badRequest(20001, "Page must be a number, 0 or more")
	case token != "" && !tokens.MatchString(token):
		return badRequest(21481, "PageToken is not valid, use the page addresses of an earlier answer")
	}
	size = min(size, maxWebhooks)
	address := func(index int, token string) string { return s.pageAddress(r, size, index, token) }
	p := page{Webhooks: []webhook{}, Meta: meta{
		Page: index, PageSize: size, FirstURL: address(0, ""), URL: address(index, token), Key: "webhooks",
	}}
	from, to := c.window(token, size)
	for _, h := range c.webhooks[from:to] {
		p.Webhooks = append(p.Webhooks, s.show(r, h))
	}
	if 0 < from && from < to {
		p.Meta.PreviousURL = new(address(max(index-1, 0), "PB"+c.webhooks[from].SID))
	}
	if from < to && to < len(c.webhooks) {
		p.Meta.NextURL = new(address(index+1, "PA"+c.webhooks[to-1].SID))
	}
	return answer{status: http.StatusOK, body: p}
}

// pageAddress names the conversation as the caller did.
func (s *Sandbox) pageAddress(r *http.Request, size, index int, token string) string {
	if token != "" {
		token = "&PageToken=" + token
	}
	return fmt.Sprintf("%s%s?PageSize=%d&Page=%d%s", s.base, r.URL.EscapedPath(), size, index, token)
}

// tokens are PA for what comes after a webhook and PB for what comes before it. A place in the list would
// move when a webhook is deleted between two pages; a SID does not.
var tokens = regexp.MustCompile(`^P[AB]WH[0-9a-f]{32}$`)

// window is the part of the webhooks that a token means.
func (c *conversation) window(token string, size int) (from, to int) {
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

func number(form url.Values, name string, otherwise int) (int, error) {
	if !form.Has(name) {
		return otherwise, nil
	}
	return strconv.Atoi(form.Get(name))
}
