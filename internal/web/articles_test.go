package web

import (
	"bytes"
	"flag"
	"html"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	tables "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"

	"twilio-conversations-mcp/internal/docs"
)

var update = flag.Bool("update", false, "write articles/*/*.html")

// Not parallel: with -update it writes what the program embeds.
func TestTheArticlesAreUpToDate(t *testing.T) {
	for _, p := range docs.All() {
		want, file := render(t, p.Markdown(func(to docs.Page) string { return "../" + to.Path() })), "articles/"+p.Path()+".html"
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, want, 0o644))
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got), "stale: run go test ./internal/web -update")
	}
}

func TestEveryArticleIsThatOfAPage(t *testing.T) {
	files, err := filepath.Glob("articles/*/*.html")
	require.NoError(t, err)
	require.Len(t, files, len(docs.All()))
}

// render returns Markdown as HTML. Raw HTML in it is left out.
func render(t *testing.T, markdown string) []byte {
	t.Helper()
	converter := goldmark.New(
		goldmark.WithExtensions(extension.Table),
		goldmark.WithParserOptions(parser.WithAutoHeadingID()),
		goldmark.WithRendererOptions(renderer.WithNodeRenderers(util.Prioritized(accessible{}, 1))),
	)
	var b bytes.Buffer
	require.NoError(t, converter.Convert([]byte(markdown), &b))
	return b.Bytes()
}

// accessible renders tables and code blocks so that everyone can use them:
// tables have a caption and column headers, and both can be scrolled with the
// keyboard.
type accessible struct{}

func (a accessible) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(tables.KindTable, a.table)
	r.Register(ast.KindFencedCodeBlock, a.code)
}

func (accessible) table(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		_, _ = w.WriteString("</table></div>\n")
		return ast.WalkContinue, nil
	}
	labelCells(n, source)
	caption := html.EscapeString(headingBefore(n, source))
	_, _ = w.WriteString(`<div class="scroll" role="region" tabindex="0" aria-label="Table: ` + caption + `"><table><caption>` + caption + "</caption>\n")
	return ast.WalkContinue, nil
}

// labelCells makes the cells of the first row headers, and gives every other cell
// the text of its header, which a narrow window shows in front of it.
func labelCells(table ast.Node, source []byte) {
	for row := table.FirstChild(); row != nil; row = row.NextSibling() {
		header := table.FirstChild().FirstChild()
		for cell := row.FirstChild(); cell != nil && header != nil; cell, header = cell.NextSibling(), header.NextSibling() {
			if cell == header {
				cell.SetAttributeString("scope", []byte("col"))
			} else {
				cell.SetAttributeString("data-label", header.Lines().Value(source))
			}
		}
	}
}

// headingBefore returns the text of the last heading in front of a block.
func headingBefore(n ast.Node, source []byte) string {
	for n = n.PreviousSibling(); n != nil; n = n.PreviousSibling() {
		if n.Kind() == ast.KindHeading {
			return string(n.Lines().Value(source))
		}
	}
	return ""
}

func (accessible) code(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
	if entering {
		_, _ = w.WriteString(`<pre tabindex="0"><code>`)
		_, _ = w.Write(util.EscapeHTML(n.Lines().Value(source)))
		_, _ = w.WriteString("</code></pre>\n")
	}
	return ast.WalkSkipChildren, nil
}
