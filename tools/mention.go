package tools

import (
	"regexp"
	"slices"
	"strings"
)

// offered are the names of the tools that a client can call.
type offered []string

// mention returns a text in which each [first|second|third] is replaced by the
// first alternative that names only offered tools. An alternative may be empty;
// the last one names no tool.
func (o offered) mention(text string) string {
	return alternatives.ReplaceAllStringFunc(text, func(brackets string) string {
		for alternative := range strings.SplitSeq(strings.Trim(brackets, "[]"), "|") {
			if o.areNamedIn(alternative) {
				return alternative
			}
		}
		return ""
	})
}

var (
	alternatives = regexp.MustCompile(`\[[^]]*\]`)
	toolName     = regexp.MustCompile(`[a-z]+_(conversation_webhooks?|documentation)`)
)

// areNamedIn reports whether every tool that a text names is offered.
func (o offered) areNamedIn(text string) bool {
	return !slices.ContainsFunc(toolName.FindAllString(text, -1), func(name string) bool { return !slices.Contains(o, name) })
}
