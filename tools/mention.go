package tools

import (
	"slices"
	"strings"
	"unicode"
)

// offered are the names of the tools that a client can call.
type offered []string

// render returns a text in which each [first|second|third] is replaced by the
// first alternative that names only offered tools. An alternative may be empty;
// the last one names no tool.
func (o offered) render(text string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "[")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		alternatives, after, _ := strings.Cut(rest, "]")
		b.WriteString(o.choose(alternatives))
		text = after
	}
}

// choose returns the first alternative that names only offered tools.
func (o offered) choose(alternatives string) string {
	for alternative := range strings.SplitSeq(alternatives, "|") {
		if o.allOffered(alternative) {
			return alternative
		}
	}
	return ""
}

// allOffered reports whether every tool that a text names is offered.
func (o offered) allOffered(text string) bool {
	words := strings.FieldsFunc(text, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) })
	return !slices.ContainsFunc(words, func(word string) bool { return isTool(word) && !slices.Contains(o, word) })
}

// isTool reports whether there is a tool of a name, offered or not.
func isTool(name string) bool {
	for _, set := range toolsets {
		if slices.ContainsFunc(set.tools, func(d definition) bool { return d.name() == name }) {
			return true
		}
	}
	return false
}
