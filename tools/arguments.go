package tools

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"twilio-conversations-mcp/schemas"
)

// An argumentError is all that is wrong with the arguments of a call, one
// sentence each. Nothing was sent.
type argumentError []string

func (e argumentError) Error() string {
	const most = 20
	if more := len(e) - most; more > 0 {
		return strings.Join(e[:most], " ") + fmt.Sprintf(" And %d more.", more)
	}
	return strings.Join(e, " ")
}

// decode reads the arguments of a call, or returns an argumentError. They are
// valid when the published schema says so and when JSON of any reader means the
// same by them: no name twice, real text, numbers of 64 bits.
func decode[Input any](c *checker, raw json.RawMessage) (in Input, err error) {
	if len(raw) == 0 || string(raw) == "null" {
		raw = json.RawMessage("{}")
	}
	r := &reader{rest: raw}
	value := r.value(nil)
	problems := slices.DeleteFunc(c.check(value), func(p problem) bool { return slices.ContainsFunc(r.replaced, p.isAt) })
	if problems = append(problems, r.problems...); len(problems) > 0 {
		return in, newArgumentError(problems)
	}
	return in, json.Unmarshal(raw, &in)
}

// A problem is one thing that is wrong, in a sentence.
type problem struct {
	at   []string // the property, and the index in its list; none: the arguments
	text string
}

func newProblem(at []string, format string, args ...any) problem {
	return problem{at, property(at) + " " + fmt.Sprintf(format, args...)}
}

func (p problem) isAt(place []string) bool { return slices.Equal(p.at, place) }

// newArgumentError puts problems in a stable order: by place, [2] before [10].
func newArgumentError(problems []problem) (e argumentError) {
	place := func(p problem) (key string) {
		for _, part := range p.at {
			key += fmt.Sprintf("%9s", part)
		}
		return key
	}
	slices.SortFunc(problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.text, b.text))
	})
	for _, p := range problems {
		e = append(e, p.text)
	}
	return e
}

// A checker holds arguments against a published schema.
type checker struct {
	schema *jsonschema.Schema
	names  []string // every property, sorted
}

func newChecker(published json.RawMessage) *checker {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	if err != nil {
		panic(err) // embedded at build time, compiled by the tests
	}
	const at = "schema:///input.json"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(at, doc); err != nil {
		panic(err)
	}
	schema := compiler.MustCompile(at)
	return &checker{schema, slices.Sorted(maps.Keys(schema.Properties))}
}

// check returns every problem.
func (c *checker) check(arguments any) []problem {
	if err, ok := errors.AsType[*jsonschema.ValidationError](c.schema.Validate(arguments)); ok {
		return c.problems(err)
	}
	return nil
}

func (c *checker) problems(e *jsonschema.ValidationError) (all []problem) {
	for _, cause := range e.Causes {
		all = append(all, c.problems(cause)...)
	}
	say := func(format string, args ...any) {
		all = append(all, newProblem(e.InstanceLocation, format, args...))
	}
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group:
	case *kind.Required:
		for _, missing := range k.Missing {
			all = append(all, problem{nil, missing + " is required."})
		}
	case *kind.AdditionalProperties:
		for _, unknown := range k.Properties {
			all = append(all, problem{nil, c.unknown(unknown)})
		}
	case *kind.Type:
		if k.Want[0] == "integer" && k.Got == "number" {
			k.Got = "fraction"
		}
		say("must be %s, not %s.", wanted[k.Want[0]], got[k.Got])
	case *kind.Enum:
		say("must be %s, not %s.", oneOf(k.Want), quote(k.Got))
	case *kind.Minimum:
		say("must be at least %s, not %s.", decimal(k.Want), decimal(k.Got))
	case *kind.Maximum:
		say("must be at most %s, not %s.", decimal(k.Want), decimal(k.Got))
	case *kind.MinLength:
		if k.Got == 0 {
			say("must not be empty.")
		} else {
			say("must have at least %d characters, not %d.", k.Want, k.Got)
		}
	case *kind.MaxLength:
		say("must have at most %d characters, not %d.", k.Want, k.Got)
	case *kind.Pattern:
		say("must match %s.", k.Want)
	default:
		say("does not fit the schema.")
	}
	return all
}

var wanted = map[string]string{
	"object": "an object", "array": "an array of strings", "string": "a string", "integer": "an integer",
}

var got = map[string]string{
	"object": "an object", "array": "an array", "string": "a string", "number": "a number", "fraction": "a fraction",
	"boolean": "a boolean", "null": "null (leave out what you do not set)",
}

// unknown names the property that was probably meant, or all there are.
func (c *checker) unknown(name string) string {
	meant := c.names
	if i := slices.IndexFunc(c.names, func(n string) bool { return letters(n) == letters(name) }); i >= 0 {
		meant = c.names[i : i+1]
	}
	return fmt.Sprintf("%s is not a parameter; use %s.", quote(name), strings.Join(meant, ", "))
}

// letters is a name without what callers mistake: case, dots, underscores.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// property is a place in the arguments.
func property(at []string) string {
	if len(at) == 0 {
		return "The arguments"
	}
	name := at[0]
	if !plainName.MatchString(name) {
		name = quote(name)
	}
	for _, index := range at[1:] {
		name += "[" + index + "]"
	}
	return name
}

var plainName = regexp.MustCompile(`^[A-Za-z.]{1,40}$`)

func oneOf(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// quote shows what a caller sent, in one short line.
func quote(v any) string {
	text, ok := v.(string)
	if !ok {
		return fmt.Sprintf("%.40v", v)
	}
	if runes := []rune(text); len(runes) > 40 {
		text = string(runes[:40]) + "…"
	}
	return strconv.Quote(text)
}

func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.RatString()
	}
	return r.FloatString(3)
}

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
	for r.take(1); r.next() != ']'; r.comma() {
		items = append(items, r.value(append(at[:len(at):len(at)], strconv.Itoa(len(items)))))
	}
	r.take(1)
	return items
}

func (r *reader) comma() {
	if r.next() == ',' {
		r.take(1)
		r.next()
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
