package web_test

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/clients"
	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/internal/web"
)

var options = web.Options{
	BaseURL: "https://mcp.example.com/twilio",
	Tools: []mcp.Tool{{
		Name: "create_conversation_webhook", Description: "Creates <one> webhook.", Annotations: mcp.ToolAnnotation{ReadOnlyHint: new(false)},
		RawInputSchema: json.RawMessage(`{"properties":{"Zeta":{"type":"string","description":"Last & first."},"Alpha":{"type":"integer"},"Mode":{"enum":["a","b"]}},"required":["Zeta"]}`),
	}},
	Clients: func() []web.Client {
		return []web.Client{{Client: clients.Client{Title: "Some tool", File: "`<settings>.json` and others"}, Config: clients.Config{Entry: `{"a":"<b>"}`, Command: "add <it>"}}}
	},
}

// serve serves the pages, below a path prefix if one is given.
func serve(t *testing.T, o web.Options, prefix string) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(http.StripPrefix(prefix, web.New(o)))
	t.Cleanup(srv.Close)
	return srv
}

// ask makes a request. Its headers are given as pairs.
func ask(t *testing.T, method, address string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	r.Host = r.Header.Get("Host")
	resp, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func get(t *testing.T, address string, headers ...string) string {
	t.Helper()
	resp, body := ask(t, http.MethodGet, address, headers...)
	require.Equal(t, http.StatusOK, resp.StatusCode, address)
	return body
}

// paths are the addresses of the HTML pages.
func paths() []string {
	all := []string{"/", "/search?q=webhook", "/search"}
	for _, p := range docs.All() {
		all = append(all, "/docs/"+p.Path())
	}
	return all
}

func TestEveryPageIsServedAsHTMLAndAsMarkdown(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, p := range docs.All() {
		address := srv.URL + "/docs/" + p.Path()
		resp, body := ask(t, http.MethodGet, address)
		require.Equal(t, "text/html; charset=utf-8", resp.Header.Get("Content-Type"))
		require.Contains(t, body, "<h1", p.Name)
		require.Contains(t, html.UnescapeString(body), p.Title)
		require.Contains(t, body, `<link rel="alternate" type="text/markdown" href="`+p.Name+`.md">`)

		resp, body = ask(t, http.MethodGet, address+".md")
		require.Equal(t, "text/markdown; charset=utf-8", resp.Header.Get("Content-Type"))
		require.True(t, strings.HasPrefix(body, "# "+p.Title+"\n"), p.Name)
	}
}

func TestAPageIsMarkdownForClientsThatPreferIt(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for accept, want := range map[string]string{
		"text/markdown": "text/markdown",
		"text/markdown, text/html;q=0.9, */*;q=0.1":                       "text/markdown",
		"text/html;q=0.5, text/markdown;q=0.6":                            "text/markdown",
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": "text/html",
		"text/markdown;q=0.5, text/html":                                  "text/html",
		"text/markdown;q=0":                                               "text/html",
		"*/*":                                                             "text/html",
		"":                                                                "text/html",
		",;;q=/,text":                                                     "text/html",
		strings.Repeat("text/markdown;q=x,", 1000):                        "text/markdown",
	} {
		resp, _ := ask(t, http.MethodGet, srv.URL+"/docs/guides/events", "Accept", accept)
		require.True(t, strings.HasPrefix(resp.Header.Get("Content-Type"), want), accept)
		require.Equal(t, "Accept", resp.Header.Get("Vary"))
	}
	resp, _ := ask(t, http.MethodGet, srv.URL+"/nothing")
	require.Equal(t, "Accept", resp.Header.Get("Vary"), "the page or the line of text")
	resp, _ = ask(t, http.MethodGet, srv.URL+"/style.css")
	require.Empty(t, resp.Header.Get("Vary"))
}

// The check of the Origin header has its own entry.
func TestAnEarlierVaryHeaderIsKept(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/docs/guides/events", "/nothing"} {
		w := httptest.NewRecorder()
		w.Header().Set("Vary", "Origin")
		web.New(options).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		require.Equal(t, []string{"Origin", "Accept"}, w.Header().Values("Vary"), path)
	}
}

var (
	htmlLink     = regexp.MustCompile(`(?:href|src|action)="([^"]*)"`)
	markdownLink = regexp.MustCompile(`\]\(([^)]*)\)`)
)

// The pages work wherever a proxy puts them.
func TestEveryLinkWorksBelowAPathPrefix(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "/some/prefix")
	root := srv.URL + "/some/prefix"
	checked := map[string]bool{}
	follow := func(from string, links [][]string) {
		base, err := url.Parse(from)
		require.NoError(t, err)
		for _, link := range links {
			to, err := base.Parse(html.UnescapeString(link[1]))
			require.NoError(t, err)
			if to.Scheme == "https" || checked[to.String()] {
				continue
			}
			require.True(t, strings.HasPrefix(to.String(), root+"/"), "%s in %s", link[1], from)
			checked[to.String()] = true
			get(t, to.String())
		}
	}
	for _, path := range paths() {
		follow(root+path, htmlLink.FindAllStringSubmatch(get(t, root+path), -1))
	}
	for _, p := range docs.All() {
		address := root + "/docs/" + p.Path() + ".md"
		follow(address, markdownLink.FindAllStringSubmatch(get(t, address), -1))
	}
	follow(root+"/llms.txt", markdownLink.FindAllStringSubmatch(get(t, root+"/llms.txt"), -1))
	require.Greater(t, len(checked), 2*len(docs.All()))
}

func TestAMissingPageLeadsBack(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "/prefix")
	root := srv.URL + "/prefix"
	for _, path := range []string{
		"/nothing", "/docs", "/docs/", "/docs/guides", "/docs/guides/nothing", "/docs/guides/events/", "/index.html", "/a%2Fb/c", "//docs/guides/events",
		"/a/b/c/d/e/f/g/h/i/j/k",
	} {
		resp, body := ask(t, http.MethodGet, root+path, "Accept", "text/html")
		require.Equal(t, http.StatusNotFound, resp.StatusCode, path)
		require.Less(t, len(body), 8<<10)
		require.Contains(t, body, "Page not found")
		for _, link := range htmlLink.FindAllStringSubmatch(body, -1) {
			base, err := url.Parse(root + path)
			require.NoError(t, err)
			to, err := base.Parse(html.UnescapeString(link[1]))
			require.NoError(t, err)
			if to.Fragment == "" && to.Path != "/prefix/search" {
				get(t, to.String())
			}
		}
		require.Contains(t, body, `rel="stylesheet"`)
	}
}

func TestAMissingPageIsALineOfTextForOtherClients(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	const text = "not found; the documentation begins at / and llms.txt lists its pages\n"
	for path, accept := range map[string]string{"/nothing": "*/*", "/docs/": "", "/" + strings.Repeat("a/", 11): "text/html", "/" + strings.Repeat("a/", 1000): "text/html"} {
		resp, body := ask(t, http.MethodGet, srv.URL+path, "Accept", accept)
		require.Equal(t, http.StatusNotFound, resp.StatusCode)
		require.Equal(t, text, body, path)
	}
	resp, body := ask(t, http.MethodHead, srv.URL+"/nothing", "Accept", "text/html")
	require.Equal(t, http.StatusNotFound, resp.StatusCode)
	require.Empty(t, body)
}

func TestTheLinksOfLLMSTxtAreAbsoluteWhereTheAddressIsKnown(t *testing.T) {
	t.Parallel()
	require.Contains(t, get(t, serve(t, options, "").URL+"/llms.txt"), "](docs/guides/events.md)")
	o := options
	o.Address = o.BaseURL
	for _, link := range markdownLink.FindAllStringSubmatch(get(t, serve(t, o, "").URL+"/llms.txt"), -1) {
		require.True(t, strings.HasPrefix(link[1], "https://mcp.example.com/twilio/"), link[1])
	}
}

func TestEveryAnswerHasTheSecurityHeaders(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, path := range append(paths(), "/llms.txt", "/style.css", "/copy.js", "/icon.svg", "/docs/guides/events.md", "/nothing") {
		resp, _ := ask(t, http.MethodGet, srv.URL+path)
		policy := resp.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'", path)
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.NotContains(t, policy, "unsafe")
		require.Equal(t, "nosniff", resp.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "no-referrer", resp.Header.Get("Referrer-Policy"))
	}
}

// What the policy would block must not be there.
func TestThePagesHaveNoInlineScriptOrStyle(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, path := range paths() {
		body := get(t, srv.URL+path)
		require.NotRegexp(t, `(?i)<[^>]+\s(style|on[a-z]+)=|<style|<script>|javascript:`, body, path)
	}
}

func TestThePagesAreAccessibleInTheirStructure(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, path := range paths() {
		body := get(t, srv.URL+path)
		require.Equal(t, 1, strings.Count(body, "<h1"), path)
		require.Equal(t, strings.Count(body, "<table>"), len(regexp.MustCompile(`<table>\s*<caption>[^<]+</caption>`).FindAllString(body, -1)), path)
		require.NotRegexp(t, `<th>`, body, path)
		require.Equal(t, strings.Count(body, "<pre"), strings.Count(body, `<pre tabindex="0">`), path)
		require.Contains(t, body, `<html lang="en">`)
	}
}

func TestAClientThatHasADocumentGets304(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, path := range append(paths(), "/llms.txt", "/style.css", "/docs/guides/events.md") {
		resp, _ := ask(t, http.MethodGet, srv.URL+path)
		etag := resp.Header.Get("ETag")
		require.NotEmpty(t, etag, path)
		require.Equal(t, "public, max-age=300", resp.Header.Get("Cache-Control"))

		resp, body := ask(t, http.MethodGet, srv.URL+path, "If-None-Match", etag)
		require.Equal(t, http.StatusNotModified, resp.StatusCode, path)
		require.Empty(t, body)
		resp, _ = ask(t, http.MethodGet, srv.URL+path, "If-None-Match", `"other"`)
		require.Equal(t, http.StatusOK, resp.StatusCode, path)
	}
}

func TestHEADAnswersLikeGETWithoutABody(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, path := range paths() {
		want, _ := ask(t, http.MethodGet, srv.URL+path)
		got, body := ask(t, http.MethodHead, srv.URL+path)
		require.Empty(t, body)
		require.Equal(t, http.StatusOK, got.StatusCode)
		for _, name := range []string{"Content-Type", "Content-Length", "Etag"} {
			require.Equal(t, want.Header.Get(name), got.Header.Get(name), name)
		}
	}
}

func TestOtherMethodsAreNotAllowed(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodOptions, "TEAPOT"} {
		for _, path := range []string{"/", "/search", "/docs/guides/events", "/nothing"} {
			resp, _ := ask(t, method, srv.URL+path)
			require.Equal(t, http.StatusMethodNotAllowed, resp.StatusCode, method)
			require.Equal(t, "GET, HEAD", resp.Header.Get("Allow"))
		}
	}
}

// Whoever asks cannot put an address into a page that others get too.
func TestNoAddressComesFromTheRequest(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, path := range append(paths(), "/llms.txt", "/nothing") {
		_, want := ask(t, http.MethodGet, srv.URL+path)
		_, got := ask(t, http.MethodGet, srv.URL+path, "Host", "evil.example", "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "gopher", "X-Forwarded-Prefix", "/evil", "Forwarded", "host=evil.example")
		require.Equal(t, want, got)
		require.NotContains(t, got, "evil")
		require.NotContains(t, got, srv.URL)
	}
}

var block = regexp.MustCompile(`(?s)<pre tabindex="0"><code>(.*?)</code></pre>`)

// entries are the mcp.json blocks of the start page.
func entries(t *testing.T, o web.Options) (all []map[string]map[string]any) {
	t.Helper()
	for _, match := range block.FindAllStringSubmatch(get(t, serve(t, o, "").URL), -1) {
		var entry struct {
			Servers map[string]map[string]any `json:"mcpServers"`
		}
		if json.Unmarshal([]byte(html.UnescapeString(match[1])), &entry) == nil && entry.Servers != nil {
			all = append(all, entry.Servers)
		}
	}
	return all
}

func TestTheStartPageHasAnEntryForEachEndpoint(t *testing.T) {
	t.Parallel()
	require.Equal(t, []map[string]map[string]any{
		{"twilio-conversations": {"type": "http", "url": "https://mcp.example.com/twilio/mcp"}},
		{"twilio-conversations-docs": {"type": "http", "url": "https://mcp.example.com/twilio/docs/mcp"}},
	}, entries(t, options))
}

func TestTheEntryShowsTheHeaderThatIsRequired(t *testing.T) {
	t.Parallel()
	o := options
	o.Authorization = "Bearer YOUR_TOKEN"
	require.Equal(t, []map[string]map[string]any{
		{"twilio-conversations": {"type": "http", "url": "https://mcp.example.com/twilio/mcp", "headers": map[string]any{"Authorization": "Bearer YOUR_TOKEN"}}},
		{"twilio-conversations-docs": {"type": "http", "url": "https://mcp.example.com/twilio/docs/mcp"}},
	}, entries(t, o))
}

func TestTheStartPageShowsTheToolsWithTheirParameters(t *testing.T) {
	t.Parallel()
	body := get(t, serve(t, options, "").URL)
	require.Contains(t, body, "Creates &lt;one&gt; webhook.")
	require.Regexp(t, `(?s)<code>Zeta</code> <span class="required">required</span>.*Last &amp; first\..*<code>Alpha</code></td>.*integer.*<code>Mode</code>.*a, b`, body)
	require.Contains(t, body, `href="docs/operations/create"`)
	require.Contains(t, body, "<summary>Some tool</summary>")
	require.Contains(t, body, "<p><code>&lt;settings&gt;.json</code> and others</p>")
	require.Contains(t, body, "&#34;&lt;b&gt;&#34;")
	require.Contains(t, body, "add &lt;it&gt;")
}

func TestAStartPageWithoutToolsHasNoEmptySection(t *testing.T) {
	t.Parallel()
	body := get(t, serve(t, web.Options{BaseURL: "http://127.0.0.1:8080"}, "").URL)
	require.NotContains(t, body, `id="tools"`)
	require.NotContains(t, body, "Other AI tools")
}

func TestASchemaThatCannotBeReadShowsNoParameters(t *testing.T) {
	t.Parallel()
	for _, input := range []string{"", "null", "{}", "[]", `{"properties":[]}`, `{"properties":7}`, `{"properties":{"a":7}}`} {
		o := web.Options{Tools: []mcp.Tool{{Name: "x", RawInputSchema: json.RawMessage(input), Annotations: mcp.ToolAnnotation{ReadOnlyHint: new(true)}}}}
		require.NotContains(t, get(t, serve(t, o, "").URL), "Parameters of x", input)
	}
}

func TestASearchShowsThePagesThatMatch(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	body := get(t, srv.URL+"/search?q=participant+leaves")
	require.Regexp(t, `(?s)<ol class="results">\s*<li><h2><a href="docs/guides/events">`, body)
	require.Contains(t, get(t, srv.URL+"/search?q=zebra"), "No page matches.")
	require.Contains(t, get(t, srv.URL+"/search?q="), fmt.Sprintf("%d pages.", len(docs.All())))
	require.Contains(t, get(t, srv.URL+"/search"), fmt.Sprintf("%d pages.", len(docs.All())))
	require.Contains(t, get(t, srv.URL+"/search?q=conversation"), fmt.Sprintf("%d pages match; these are the best ", len(docs.All())))
}

func TestAnyQueryIsShownAsText(t *testing.T) {
	t.Parallel()
	srv := serve(t, options, "")
	for _, query := range []string{`"><script>alert(1)</script>`, "\x00\xff", "{{.}}", "</title>", "' onfocus='x", strings.Repeat("é", 10_000), "%zz;a=b"} {
		body := get(t, srv.URL+"/search?q="+url.QueryEscape(query))
		require.NotContains(t, body, "<script>")
		require.Equal(t, 1, strings.Count(body, "<title>"))
		require.Less(t, len(body), 64<<10)
	}
	get(t, srv.URL+"/search?q=%zz&;;&q")
}

func BenchmarkView(b *testing.B) {
	h := web.New(options)
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/docs/operations/create", nil)
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
}
