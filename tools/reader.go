package tools

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"twilio-conversations-mcp/schemas"
)

// A reader reads JSON that is known to be well formed, and notes what readers
// of JSON disagree about.
type reader struct {
	rest     []byte
	problems []problem
	replaced [][]string // where the value is not the one that was given
}

func (r *reader) note(at []string, format string, args ...any) {
	r.problems = append(r.problems, newProblem(at, format, args...))
}

// next skips white space and returns what comes then.
func (r *reader) next() byte {
	r.rest = bytes.TrimLeft(r.rest, " \t\r\n")
	return r.rest[0]
}

// take reads n bytes.
func (r *reader) take(n int) []byte {
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) value(at []string) any {
	switch r.next() {
	case '{':
		return r.object(at)
	case '[':
		return r.array(at)
	case '"':
		return r.text(at)
	case 't':
		r.take(len("true"))
		return true
	case 'f':
		r.take(len("false"))
		return false
	case 'n':
		r.take(len("null"))
		return nil
	default:
		end := bytes.IndexAny(r.rest, ",]} \t\r\n")
		if end < 0 {
			end = len(r.rest)
		}
		return r.number(at, json.Number(r.take(end)))
	}
}

func (r *reader) object(at []string) any {
	members := map[string]any{}
	for r.take(1); r.next() != '}'; {
		name := r.text(at)
		if _, twice := members[name]; twice {
			r.note([]string{name}, "is given twice; give it once.")
		}
		r.next()
		r.take(len(":"))
		members[name] = r.value([]string{name})
		r.comma()
	}
	r.take(1)
	return members
}

func (r *reader) array(at []string) any {
	items := []any{}
	n := 0
	for r.take(1); r.next() != ']'; r.comma() {
		if item := r.value(within(at, n)); n < maxItems {
			items = append(items, item)
		}
		n++
	}
	r.take(1)
	if n > maxItems {
		r.note(at, "has %d items; more than %d are too many.", n, maxItems)
	}
	return items
}

// maxItems is how many items of a list are looked at; Twilio takes ten at most.
const maxItems = 100

// within is an item of a list. What is deeper than that has no place of its own.
func within(at []string, index int) []string {
	if len(at) != 1 {
		return at
	}
	return []string{at[0], strconv.Itoa(index)}
}

func (r *reader) comma() {
	if r.next() == ',' {
		r.take(1)
	}
}

func (r *reader) text(at []string) (text string) {
	end := 1
	for ; r.rest[end] != '"'; end++ {
		if r.rest[end] == '\\' {
			end++
		}
	}
	literal := r.take(end + 1)
	if !isUnicode(literal) {
		r.note(at, "must be Unicode text, without stray bytes or half a surrogate pair.")
	}
	if bytes.IndexByte(literal, '\\') < 0 {
		return string(literal[1:end])
	}
	_ = json.Unmarshal(literal, &text) // it is a string
	return text
}

// number writes a number without an exponent that would cost the checker what it
// says, and notes one that is no number of 64 bits.
func (r *reader) number(at []string, n json.Number) any {
	var i schemas.Integer
	switch err := i.UnmarshalJSON([]byte(n)); err {
	case nil:
		return json.Number(strconv.FormatInt(int64(i), 10))
	case schemas.ErrFraction:
		if f, _ := n.Float64(); f != math.Trunc(f) {
			return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
		}
		return json.Number("0.5") // rounded it would be whole, which it is not
	default:
		r.note(at, "is out of range; numbers go from -9223372036854775808 to 9223372036854775807.")
		r.replaced = append(r.replaced, at)
		return json.Number("0")
	}
}

// isUnicode tells whether a JSON string is text: valid UTF-8, and no \u escape
// that is half of a surrogate pair.
func isUnicode(literal []byte) bool {
	if !utf8.Valid(literal) {
		return false
	}
	for rest := literal; ; {
		at := bytes.IndexByte(rest, '\\')
		if at < 0 {
			return true
		}
		rest = rest[at+1:]
		high, ok := escape(rest)
		if !ok {
			rest = rest[1:]
			continue
		}
		rest = rest[5:]
		if !utf16.IsSurrogate(high) {
			continue
		}
		low, ok := rune(0), false
		if bytes.HasPrefix(rest, []byte(`\`)) {
			low, ok = escape(rest[1:])
		}
		if !ok || utf16.DecodeRune(high, low) == unicode.ReplacementChar {
			return false
		}
		rest = rest[6:]
	}
}

// escape reads the u and four digits behind a backslash.
func escape(s []byte) (rune, bool) {
	if len(s) < 5 || s[0] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(s[1:5]), 16, 16)
	return rune(n), err == nil
}
