package markup_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/markup"
)

type named string

func (n named) String() string { return "<" + string(n) + ">" }

func TestOnlyHTMLAndNumbersAreNotEscaped(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		value any
		want  markup.HTML
	}{
		{`<script>"&'</script>`, "&lt;script&gt;&#34;&amp;&#39;&lt;/script&gt;"},
		{markup.HTML("<b>"), "<b>"},
		{named("x"), "&lt;x&gt;"},
		{[]string{"<a>"}, "[&lt;a&gt;]"},
		{5, "5"},
		{"%d{{.}}", "%d{{.}}"},
		{nil, "&lt;nil&gt;"},
	} {
		require.Equal(t, row.want, markup.Format("%v", row.value))
	}
	require.Equal(t, markup.HTML(`<p class="1.5">a&lt;b</p>`), markup.Format(`<p class="%.1f">%s</p>`, 1.49, "a<b"))
}

func TestEachAndIfJoinMarkup(t *testing.T) {
	t.Parallel()
	item := func(text string) markup.HTML { return markup.Format("<li>%s", text) }
	require.Equal(t, markup.HTML("<li>a<li>&lt;"), markup.Each([]string{"a", "<"}, item))
	require.Equal(t, markup.HTML(""), markup.Each(nil, item))
	require.Equal(t, markup.HTML("<b>"), markup.If(true, "<b>"))
	require.Equal(t, markup.HTML(""), markup.If(false, "<b>"))
}
