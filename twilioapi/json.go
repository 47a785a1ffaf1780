package twilioapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth limits the nesting of JSON. Some clients cannot parse deeply nested
// values.
const maxDepth = 100

var (
	errNotAnObject = errors.New("the response is not a JSON object")
	errTooDeep     = fmt.Errorf("the response is nested deeper than %d levels", maxDepth)
	errNumberRange = errors.New("the response has a number that is out of range")
)

// A visitor is called with a member of an object: the name, without quotes, and
// the value. Of an object or an array it gets the first byte alone. An error ends
// the reading.
type visitor func(name []byte, value jsontext.Value) error

// decodeObject returns the JSON object in text as every client can parse it:
// without white space, with U+FFFD instead of invalid UTF-8 and unpaired
// surrogates, and with invisible characters as escapes. Numbers keep their digits.
// It is an error if text is something else, has a name twice in one object, is
// nested too deeply, or has a number beyond the range of float64.
//
// It calls visit, unless that is nil, with each member of the object or, if list is
// not empty, with each member of the objects in the array of that name, which must
// exist. It may call visit twice with the same member.
func decodeObject(text []byte, list string, visit visitor) (json.RawMessage, error) {
	text = bytes.Trim(bytes.TrimPrefix(text, []byte("\uFEFF")), " \t\r\n")
	object, err := readObject(text, list, visit)
	if _, invalid := errors.AsType[*jsontext.SyntacticError](err); invalid {
		repaired, err := jsontext.AppendFormat(nil, text, jsontext.AllowInvalidUTF8(true))
		if err != nil {
			return nil, errNotAnObject
		}
		return readObject(repaired, list, visit)
	}
	return object, err
}

// readObject is decodeObject for valid UTF-8 without white space around it.
func readObject(text []byte, list string, visit visitor) (json.RawMessage, error) {
	r := objectReaders.Get().(*objectReader)
	defer r.free()
	r.input = *bytes.NewBuffer(text)
	r.decoder.Reset(&r.input)
	r.text, r.list, r.visit = text, list, visit
	if err := r.read(); err != nil {
		return nil, err
	}
	object := jsontext.Value(EscapeInvisible(text))
	if r.hasSpace {
		return json.RawMessage(object), object.Compact(jsontext.AllowDuplicateNames(true)) // checked before
	}
	return json.RawMessage(object), nil
}

// objectReaders holds readers that are not in use.
var objectReaders = sync.Pool{New: func() any { return &objectReader{decoder: new(jsontext.Decoder)} }}

// An objectReader reads a JSON object in one pass.
type objectReader struct {
	decoder *jsontext.Decoder // refuses invalid UTF-8 and duplicate names
	input   bytes.Buffer      // text, for the decoder
	text    []byte
	list    string
	visit   visitor

	end      int    // of the last token, in text
	hasSpace bool   // whether there is white space between tokens
	name     []byte // of the member that is being read, without quotes
	inList   bool   // whether that is in the array named list
	hasList  bool   // whether there is such an array
}

// free makes the reader available to others. It keeps nothing of what it read.
func (r *objectReader) free() {
	*r = objectReader{decoder: r.decoder}
	objectReaders.Put(r)
}

func (r *objectReader) read() error {
	for {
		token, err := r.next()
		if err == io.EOF && r.end > 0 {
			return r.checkList()
		}
		if err == io.EOF || err == nil && r.decoder.StackDepth() == 0 && token.Kind() != '}' {
			return errNotAnObject
		}
		if err == nil {
			err = r.check(token)
		}
		if err != nil {
			return err
		}
	}
}

func (r *objectReader) checkList() error {
	if r.list == "" || r.hasList {
		return nil
	}
	return fmt.Errorf("the response is not a list of %s", r.list)
}

// next reads a bracket, a string, a number, a boolean or null.
func (r *objectReader) next() (token jsontext.Value, err error) {
	if _, err = r.decoder.ReadToken(); err != nil {
		return nil, err
	}
	start, end := r.end, int(r.decoder.InputOffset())
	for isBetweenTokens(r.text[start]) {
		r.hasSpace = r.hasSpace || r.text[start] <= ' '
		start++
	}
	r.end = end
	return r.text[start:end:end], nil
}

func isBetweenTokens(c byte) bool { return c <= ' ' || c == ',' || c == ':' }

// check checks a token, and visits the member of which it is the value.
func (r *objectReader) check(token jsontext.Value) error {
	depth := r.decoder.StackDepth()
	switch kind := token.Kind(); {
	case depth > maxDepth:
		return errTooDeep
	case kind == '0' && !isFloat64(token):
		return errNumberRange
	case kind == '{' || kind == '[':
		depth-- // of the value that begins
	case kind == '}' || kind == ']':
		return nil // it was visited when it began
	}
	if parent, length := r.decoder.StackIndex(depth); parent == '{' && length%2 == 1 {
		return r.setName(depth, token)
	}
	return r.value(depth, token)
}

// setName stores the name of a member at a depth.
func (r *objectReader) setName(depth int, quoted jsontext.Value) error {
	r.name = quoted[1 : len(quoted)-1]
	if bytes.IndexByte(r.name, '\\') >= 0 {
		r.name, _ = jsontext.AppendUnquote(nil, quoted)
	}
	if depth == 1 {
		r.inList = r.list != "" && string(r.name) == r.list
	}
	return nil
}

// value reads a value, or the beginning of one, in an object or array at a depth.
func (r *objectReader) value(depth int, value jsontext.Value) error {
	switch kind := value.Kind(); {
	case depth == 1 && r.inList:
		r.hasList = kind == '['
	case depth == 2 && r.inList && r.hasList && kind != '{':
		return fmt.Errorf("the response is a list of %s with something else in it", r.list)
	case r.visit != nil && (depth == 1 && r.list == "" || depth == 3 && r.inList && r.hasList):
		return r.visit(r.name, value)
	}
	return nil
}

// isFloat64 reports whether a number is in the range of float64.
func isFloat64(number []byte) bool {
	if len(number) < 300 && !bytes.ContainsAny(number, "eE") {
		return true
	}
	f, err := strconv.ParseFloat(string(number), 64)
	return err == nil && !math.IsInf(f, 0)
}

// EscapeInvisible returns a copy of JSON in which the characters that nobody sees
// are escapes. They could hide instructions to a model. The values stay the same.
func EscapeInvisible(text []byte) []byte {
	escaped := make([]byte, 0, len(text))
	for {
		i := indexInvisible(text)
		if i < 0 {
			return append(escaped, text...)
		}
		r, size := utf8.DecodeRune(text[i:])
		escaped = append(escaped, text[:i]...)
		for _, unit := range utf16.AppendRune(nil, r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, unit)
		}
		text = text[i+size:]
	}
}

func indexInvisible(text []byte) int {
	for i, c := range text {
		if c > '~' { // not printable ASCII
			if j := bytes.IndexFunc(text[i:], isInvisible); j >= 0 {
				return i + j
			}
			return -1
		}
	}
	return -1
}

// isInvisible reports whether a character has no shape: a zero-width character, a
// tag, a mark of the direction of text, a variation selector, a filler, a line
// separator or a control character.
func isInvisible(r rune) bool {
	return r > '~' && unicode.In(r, unicode.Cf, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}
