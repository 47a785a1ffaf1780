// Package markup writes HTML.
//
// It knows two places for a value: between tags, and in an attribute in double
// quotes that is no URL from outside, no style and no script. The pages of this program
// have no others. html/template knows them all, but calls methods by name, so that the
// linker keeps every exported method of the program: 1.8 MiB that each process would
// load.
package markup

import (
	"fmt"
	"html"
	"strings"
)

// HTML is markup, which is not escaped.
type HTML string

// Format formats as [fmt.Sprintf] does. It escapes every argument but HTML and
// numbers.
func Format(format string, args ...any) HTML {
	escaped := make([]any, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case HTML, int, int64, float64:
			escaped[i] = arg
		default:
			escaped[i] = html.EscapeString(fmt.Sprint(arg))
		}
	}
	return HTML(fmt.Sprintf(format, escaped...))
}

// If returns h if a condition holds, and else nothing.
func If(condition bool, h HTML) HTML {
	if condition {
		return h
	}
	return ""
}

// Each returns the HTML of all items.
func Each[T any](items []T, each func(T) HTML) HTML {
	var b strings.Builder
	for _, item := range items {
		b.WriteString(string(each(item)))
	}
	return HTML(b.String())
}
