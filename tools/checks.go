package tools

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// The checks return what is wrong with a value and what is valid, as the rest of a
// sentence that begins with the name of the parameter, or "".

// checkString checks a string, which it returns as the enum spells it if that
// differs only in case: results show the method as POST.
func (p *parameter) checkString(text string) (spelled, problem string) {
	length := utf8.RuneCountInString(text)
	switch {
	case p.Enum != nil:
		for _, valid := range p.Enum {
			if strings.EqualFold(valid, text) {
				return valid, ""
			}
		}
		return text, fmt.Sprintf("must be %s, not %s.", oneOf(p.Enum), quote(text))
	case p.pattern != nil && !p.pattern.MatchString(text):
		return text, fmt.Sprintf("must be %s, not %s.", describePattern(p.Pattern), quote(text))
	case length < p.MinLength && length == 0:
		return text, "must not be empty."
	case length < p.MinLength:
		return text, fmt.Sprintf("must have at least %d characters, not %d.", p.MinLength, length)
	case p.MaxLength != nil && length > *p.MaxLength:
		return text, fmt.Sprintf("must have at most %d characters, not %d.", *p.MaxLength, length)
	}
	return text, ""
}

func (p *parameter) checkInteger(n int64) string {
	switch {
	case p.Minimum != nil && n < *p.Minimum:
		return fmt.Sprintf("must be at least %d, not %d.", *p.Minimum, n)
	case p.Maximum != nil && n > *p.Maximum:
		return fmt.Sprintf("must be at most %d, not %d.", *p.Maximum, n)
	}
	return ""
}

func (p *parameter) checkLength(items int) string {
	switch {
	case items < p.MinItems && items == 0:
		return "must not be empty."
	case items < p.MinItems:
		return fmt.Sprintf("must have at least %d items, not %d.", p.MinItems, items)
	case p.MaxItems != nil && items > *p.MaxItems:
		return fmt.Sprintf("must have at most %d items, not %d.", *p.MaxItems, items)
	}
	return ""
}

// describePattern says what a pattern matches.
func describePattern(pattern string) string {
	switch {
	case strings.HasSuffix(pattern, "[0-9a-fA-F]{32}$"):
		return pattern[1:3] + " and 32 hexadecimal digits"
	case strings.HasPrefix(pattern, `^\d{4}-\d{2}-\d{2}`), strings.HasPrefix(pattern, "^[0-9]{4}-[0-9]{2}-[0-9]{2}"):
		return "a date such as 2026-01-31"
	default:
		return "text that matches " + pattern
	}
}

// describeType says which type is valid.
func describeType(want, got string) string {
	return fmt.Sprintf("must be %s, not %s.", typeNames[want], got)
}

var typeNames = map[string]string{
	"array":   "an array of strings",
	"boolean": "a boolean",
	"integer": "an integer",
	"string":  "a string",
}

// oneOf lists what is valid: "webhook, trigger or studio".
func oneOf(names []string) string {
	last := len(names) - 1
	if last == 0 {
		return names[0]
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
