package web

import (
	"slices"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/internal/markup"
)

// A layout is what the pages have in common.
type layout struct {
	Title       string
	Description string
	Root        string    // relative address of the start page
	Current     docs.Page // the page of the documentation that is shown, if one is
	Query       string
}

// siteTitle is the title of the start page, and a part of those of the others.
const siteTitle = "Twilio Conversations webhooks"

// page returns a page with some content.
func (l layout) page(content markup.HTML) []byte {
	alternate := markup.If(l.Current.Name != "", markup.Format(`<link rel="alternate" type="text/markdown" href="%s.md">
`, l.Current.Name))
	return []byte(markup.Format(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>%[1]s%[2]s</title>
<meta name="description" content="%[3]s">
<link rel="stylesheet" href="%[4]sstyle.css">
<link rel="icon" type="image/svg+xml" href="%[4]sicon.svg">
%[5]s<script src="%[4]scopy.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header>
<a class="name" href="%[4]s">Twilio Conversations webhooks</a>
<form action="%[4]ssearch" role="search">
<label class="hidden" for="q">Search the documentation</label>
<input id="q" name="q" type="search" maxlength="400" placeholder="Search, such as 50361" value="%[6]s">
<button>Search</button>
</form>
<a class="pages" href="#pages">All pages</a>
</header>
<div class="columns">
<main id="content">
%[7]s</main>
<nav id="pages" aria-label="Documentation">
<h2>Operations</h2>
<ul>%[8]s
</ul>
<h2>Guides</h2>
<ul>%[9]s
</ul>
<h2>For AI tools</h2>
<ul>
<li><a href="%[4]s#add">Add MCP server</a></li>
<li><a href="%[4]sllms.txt">llms.txt</a></li>
</ul>
</nav>
</div>
<footer>
<p>Not made by Twilio. Every page names its sources; what is not documented is said to be so.</p>
</footer>
</body>
</html>
`, l.Title, markup.If(l.Title != siteTitle, " · "+siteTitle), l.Description, l.Root, alternate, l.Query, content,
		markup.Each(pagesOf(docs.Operation), l.link), markup.Each(pagesOf(docs.Guide), l.link)))
}

// link is the entry of a page in the navigation.
func (l layout) link(p docs.Page) markup.HTML {
	current := markup.If(p.Name == l.Current.Name, ` aria-current="page"`)
	return markup.Format(`
<li><a href="%sdocs/%s"%s>%s</a></li>`, l.Root, p.Path(), current, p.Title)
}

func pagesOf(kind docs.Kind) []docs.Page {
	return slices.DeleteFunc(slices.Clone(docs.All()), func(p docs.Page) bool { return p.Kind != kind })
}
