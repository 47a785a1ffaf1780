package serve

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"
)

// members are those of a JSON object that is known to be well formed, in order;
// other values have none. Unlike encoding/json it tells Method from method, and
// does not read what nobody asks for.
func members(object json.RawMessage) iter.Seq2[[]byte, json.RawMessage] {
	return func(yield func([]byte, json.RawMessage) bool) {
		if len(object) == 0 || object[0] != '{' {
			return
		}
		for rest := object[1:]; ; {
			start := bytes.IndexByte(rest, '"')
			if start < 0 {
				return
			}
			rest = rest[start:]
			name := rest[:valueLength(rest)]
			rest = rest[len(name):]
			rest = bytes.TrimLeft(rest[bytes.IndexByte(rest, ':')+1:], " \t\r\n")
			value := rest[:valueLength(rest)]
			rest = rest[len(value):]
			if !yield(text(name), value) {
				return
			}
			rest = bytes.TrimLeft(rest, " \t\r\n")
			if rest[0] == '}' {
				return
			}
		}
	}
}

// valueLength is that of the JSON value at the beginning of b.
func valueLength(b []byte) int {
	depth, inText := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inText && c == '\\':
			i++
		case c == '"':
			inText = !inText
			if !inText && depth == 0 {
				return i + 1
			}
		case inText:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth < 0 {
				return i
			}
			if depth == 0 {
				return i + 1
			}
		case depth == 0 && strings.IndexByte(", \t\r\n", c) >= 0:
			return i
		}
	}
	return len(b)
}

// text is the value of a JSON string; of any other value it is empty.
func text(value json.RawMessage) []byte {
	if len(value) == 0 || value[0] != '"' {
		return nil
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return value[1 : len(value)-1]
	}
	var s string
	_ = json.Unmarshal(value, &s) // it is a string
	return []byte(s)
}
