package docs

import (
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// A block is a part of a section that can be read alone.
type block struct {
	text    string // plain
	terms   []string
	subject []string // those of the first cell of a row, which the row is about
}

// blocks returns the paragraphs, list items and table rows of a section, each
// after the paragraph that introduces it. Examples, and lines that name only a
// source or a request, are left out.
func blocks(markdown string) (all []block) {
	intro := "" // the paragraph before, if it ends with a colon
	for part := range strings.SplitSeq(strings.TrimSpace(markdown), "\n\n") {
		lines := strings.Split(part, "\n")
		switch {
		case unread().MatchString(part):
		case strings.HasPrefix(part, "|"):
			for _, line := range lines[2:] {
				all = append(all, row(cells(lines[0]), cells(line)))
			}
		case strings.HasPrefix(part, "- "):
			for _, line := range lines {
				text := plain(intro + line[2:])
				all = append(all, block{text: text, terms: terms(text)})
			}
		case strings.HasSuffix(part, ":"):
			intro = part + " "
			continue
		default:
			text := plain(intro + strings.Join(lines, " "))
			all = append(all, block{text: text, terms: terms(text)})
		}
		intro = ""
	}
	return all
}

// row returns a row of a table, with the names of the columns before the cells.
func row(names, cells []string) block {
	b := block{terms: terms(strings.Join(cells, " ")), subject: terms(cells[0])}
	for i := range cells {
		cells[i] = names[i] + ": " + cells[i]
	}
	b.text = strings.Join(cells, " — ")
	return b
}

// cells returns the cells of a line of a table. A pipe in a cell follows a
// backslash.
func cells(line string) []string {
	return strings.Split(plain(strings.TrimSuffix(strings.TrimPrefix(line, "| "), " |")), " | ")
}

// plain returns Markdown without links and marks.
func plain(markdown string) string {
	return strings.NewReplacer("`", "", "**", "").Replace(link().ReplaceAllString(markdown, "$1"))
}

var (
	link   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`) })
	unread = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile("^(```|Source: |- Request: |As a )") })
	// identifier matches the parts of an identifier, such as Configuration.Url or
	// onMessageAdded.
	identifier = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\p{Lu}*\p{Ll}+|\p{Lu}+|\p{N}+`) })
)

// terms returns what the index counts of a text: its words and the parts of its
// identifiers, without endings and without common words.
func terms(text string) (all []string) {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		parts := identifier().FindAllString(word, -1)
		for _, part := range parts {
			switch part = strings.ToLower(part); {
			case strings.Contains(numbers, " "+part+" "):
				all = append(all, strconv.Itoa(strings.Count(numbers[:strings.Index(numbers, " "+part+" ")+1], " ")))
			case !strings.Contains(common, " "+part+" "):
				all = append(all, stem(part))
			}
		}
		if len(parts) != 1 {
			all = append(all, strings.ToLower(word))
		}
	}
	return all
}

// common holds the words that say nothing about a page.
const common = " a an and any are as at be by can could do does for from get gets got has have how " +
	"i if in into is it its me my no not of on or should so that the their them then there these this to " +
	"was we what when where which while who whose why will with would you your must later need want "

// numbers holds the words for 1 to 10, which are the same terms as the digits.
const numbers = " one two three four five six seven eight nine ten "

// stem returns a word without the common endings of plurals and verbs, so that
// "deleting", "deleted" and "delete" are one term.
func stem(word string) string {
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
