package docs

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// blocks returns the paragraphs, list items and table rows of Markdown as plain
// text.
func blocks(markdown string) []block {
	var all []block
	for paragraph := range strings.SplitSeq(strings.TrimSpace(markdown), "\n\n") {
		lines := []string{paragraph}
		if strings.HasPrefix(paragraph, "|") || strings.HasPrefix(paragraph, "- ") || strings.HasPrefix(paragraph, "1. ") {
			lines = strings.Split(paragraph, "\n")
		}
		for _, line := range lines {
			if text := plain(line); text != "" {
				all = append(all, newBlock(text))
			}
		}
	}
	return all
}

var (
	anyLink    = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)
	codeFence  = regexp.MustCompile("(?m)^```.*$")
	tableRule  = regexp.MustCompile(`(?m)^\|(?: ?-+ ?\|)+$`)
	tableEdge  = regexp.MustCompile(`(?m)^\| | \|$`)
	listMarker = regexp.MustCompile(`(?m)^(?:- |[0-9]+\. )`)
)

// plain returns Markdown without its marks.
func plain(markdown string) string {
	text := anyLink.ReplaceAllString(markdown, "$1")
	for _, mark := range []*regexp.Regexp{codeFence, tableRule, tableEdge, listMarker} {
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
		all = append(all, stem(word))
		if parts := camelParts(word); len(parts) > 1 {
			for _, part := range parts {
				all = append(all, stem(part))
			}
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
		"was we what when where which while who whose why will with would you your") {
		set[term] = true
	}
	return set
}()
