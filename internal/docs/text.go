package docs

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// blocks returns what can be read alone of a section: paragraphs, list items and
// table rows, as plain text. Examples, and lines that name only a source or a
// request, are left out.
func blocks(markdown string) []block {
	var all []block
	intro := "" // the paragraph before, if it ends with a colon
	for paragraph := range strings.SplitSeq(strings.TrimSpace(markdown), "\n\n") {
		before := intro
		intro = ""
		switch {
		case unread.MatchString(paragraph):
		case strings.HasPrefix(paragraph, "|"):
			all = append(all, rows(paragraph)...)
		case listItem.MatchString(paragraph):
			if before != "" {
				all[len(all)-1].text += " " + strings.ReplaceAll(plain(paragraph), "\n", " ")
			}
			all = append(all, items(before, paragraph)...)
		default:
			text := plain(paragraph)
			all = append(all, newBlock(text, text))
			if strings.HasSuffix(text, ":") {
				intro = text
			}
		}
	}
	return all
}

// items returns the items of a list, each after the paragraph that introduces the
// list. A step of a numbered list comes after the steps before it.
func items(intro, list string) (all []block) {
	before := intro
	for line := range strings.SplitSeq(list, "\n") {
		text := strings.TrimSpace(before + " " + plain(line))
		all = append(all, newBlock(text, intro+" "+plain(line)))
		if !strings.HasPrefix(line, "- ") {
			before = text
		}
	}
	return all
}

// rows returns the rows of a table, with the names of the columns before the
// cells. What is in the first cell counts twice: the row is about it.
func rows(table string) (all []block) {
	lines := strings.Split(table, "\n")
	names := cells(lines[0])
	for _, line := range lines[min(2, len(lines)):] {
		row := cells(line)
		b := newBlock("", strings.Join(row, " "))
		b.subject = row[0]
		for _, term := range terms(row[0]) {
			b.has[term] = 2
		}
		for i, cell := range row[:min(len(row), len(names))] {
			b.text += " — " + names[i] + ": " + cell
		}
		b.text = strings.TrimPrefix(b.text, " — ")
		all = append(all, b)
	}
	return all
}

// cells returns the cells of a line of a table. A pipe in a cell follows a
// backslash.
func cells(line string) (all []string) {
	for cell := range strings.SplitSeq(strings.TrimSuffix(strings.TrimPrefix(line, "|"), " |"), " |") {
		all = append(all, plain(strings.TrimSpace(cell)))
	}
	return all
}

var (
	anyLink   = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	example   = regexp.MustCompile("(?ms)^```.*?^```$")
	tableHead = regexp.MustCompile(`(?m)^\|.*\n\|(?: ?-+ ?\|)+$`)
	tableEdge = regexp.MustCompile(`(?m)^\| | \|$`)
	bullet    = regexp.MustCompile(`(?m)^- `)
	listItem  = regexp.MustCompile(`^(?:-|[0-9]+\.) `)
	unread    = regexp.MustCompile("^(?:```|Source: |- Request: |As a )")
)

// plain returns Markdown without its marks, examples and names of columns.
func plain(markdown string) string {
	text := anyLink.ReplaceAllString(markdown, "$1")
	for _, mark := range []*regexp.Regexp{example, tableHead, tableEdge, bullet} {
		text = mark.ReplaceAllString(text, "")
	}
	text = strings.NewReplacer(" | ", " — ", "`", "", "**", "").Replace(text)
	return strings.TrimSpace(text)
}

// terms splits text into what the index counts: its words and the parts of its
// identifiers (Configuration.Url, onMessageAdded), without endings.
func terms(text string) []string {
	var all []string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		parts := camelParts(word)
		if len(parts) > 1 {
			all = append(all, strings.ToLower(word))
		}
		for _, part := range parts {
			all = append(all, stem(part))
		}
	}
	return all
}

// camelParts splits a word before every capital letter that follows another
// kind of letter.
func camelParts(word string) []string {
	var parts []string
	start, previous := 0, 'A'
	for i, r := range word {
		if unicode.IsUpper(r) && !unicode.IsUpper(previous) {
			parts = append(parts, word[start:i])
			start = i
		}
		previous = r
	}
	return append(parts, word[start:])
}

// stem returns a word in lower case without the common endings of plurals and
// verbs, so that "deleting", "deleted" and "delete" are one term.
func stem(word string) string {
	word = strings.ToLower(word)
	for _, ending := range []string{"ing", "ies", "es", "ed", "s", "e"} {
		root, ok := strings.CutSuffix(word, ending)
		switch {
		case !ok || len(root) < 3 || ending == "s" && strings.HasSuffix(root, "s"):
			continue
		case ending == "ies":
			return root + "y"
		default:
			return root
		}
	}
	return word
}

// queryTerms returns the distinct terms of a query without common words. It
// reads at most MaxQuery bytes.
func queryTerms(query string) []string {
	if len(query) > MaxQuery {
		query = query[:MaxQuery]
	}
	all := slices.DeleteFunc(terms(query), func(term string) bool { return common[term] })
	slices.Sort(all)
	return slices.Compact(all)
}

// common holds the terms that say nothing about a page.
var common = func() map[string]bool {
	set := map[string]bool{}
	for _, term := range terms("a an and any are as at be by can could do does for from get gets got has have how " +
		"i if in into is it its me my no not of on or should so that the their them then there these this to " +
		"was we what when where which while who whose why will with would you your must later need want") {
		set[term] = true
	}
	return set
}()
