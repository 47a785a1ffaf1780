package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
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
	r := newReader(raw)
	problems := c.check(r.value(""))
	if problems = append(r.problems, problems...); len(problems) > 0 {
		return in, argumentError(problems)
	}
	return in, json.Unmarshal(raw, &in)
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

// check returns a sentence for every problem, in a stable order.
func (c *checker) check(arguments any) []string {
	err, ok := errors.AsType[*jsonschema.ValidationError](c.schema.Validate(arguments))
	if !ok {
		return nil
	}
	problems := c.sentences(err)
	slices.Sort(problems)
	return problems
}

func (c *checker) sentences(e *jsonschema.ValidationError) (all []string) {
	for _, cause := range e.Causes {
		all = append(all, c.sentences(cause)...)
	}
	name := property(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Schema, *kind.Group:
	case *kind.Required:
		for _, missing := range k.Missing {
			all = append(all, missing+" is required.")
		}
	case *kind.AdditionalProperties:
		for _, unknown := range k.Properties {
			all = append(all, c.unknown(unknown))
		}
	case *kind.Type:
		if k.Want[0] == "integer" && k.Got == "number" {
			k.Got = "fraction"
		}
		all = append(all, fmt.Sprintf("%s must be %s, not %s.", name, wanted[k.Want[0]], got[k.Got]))
	case *kind.Enum:
		all = append(all, fmt.Sprintf("%s must be %s, not %s.", name, oneOf(k.Want), quote(k.Got)))
	case *kind.Minimum:
		all = append(all, fmt.Sprintf("%s must be at least %s, not %s.", name, decimal(k.Want), decimal(k.Got)))
	case *kind.Maximum:
		all = append(all, fmt.Sprintf("%s must be at most %s, not %s.", name, decimal(k.Want), decimal(k.Got)))
	case *kind.MinLength:
		if k.Got == 0 {
			all = append(all, name+" must not be empty.")
			break
		}
		all = append(all, fmt.Sprintf("%s must have at least %d characters, not %d.", name, k.Want, k.Got))
	case *kind.MaxLength:
		all = append(all, fmt.Sprintf("%s must have at most %d characters, not %d.", name, k.Want, k.Got))
	case *kind.Pattern:
		all = append(all, fmt.Sprintf("%s must match %s.", name, k.Want))
	default:
		all = append(all, name+" does not fit the schema.")
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

func property(path []string) string {
	if len(path) == 0 {
		return "The arguments"
	}
	name := path[0]
	for _, index := range path[1:] {
		name += "[" + index + "]"
	}
	return name
}

func oneOf(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = fmt.Sprint(v)
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

var plainName = regexp.MustCompile(`^[A-Za-z.]{1,40}$`)

// label is a property's name, quoted if it is none that we could have given.
func label(name string) string {
	if plainName.MatchString(name) {
		return name
	}
	return quote(name)
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
	raw      []byte
	decoder  *json.Decoder
	problems []string
}

func newReader(raw json.RawMessage) *reader {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return &reader{raw: raw, decoder: d}
}

func (r *reader) note(path, format string, args ...any) {
	if path == "" {
		path = "The arguments"
	}
	r.problems = append(r.problems, path+" "+fmt.Sprintf(format, args...))
}

func (r *reader) value(path string) any {
	switch token := r.token(path).(type) {
	case json.Delim:
		if token == '{' {
			return r.object(path)
		}
		return r.array(path)
	case json.Number:
		return r.number(path, token)
	default:
		return token
	}
}

// token reads on by one token and checks its text.
func (r *reader) token(path string) json.Token {
	start := r.decoder.InputOffset()
	token, err := r.decoder.Token()
	if err != nil {
		panic(err) // mcp-go has read the same bytes
	}
	if _, isText := token.(string); isText && !isUnicode(r.raw[start:r.decoder.InputOffset()]) {
		r.note(path, "must be Unicode text, without stray bytes or half a surrogate pair.")
	}
	return token
}

func (r *reader) object(path string) any {
	members := map[string]any{}
	for r.decoder.More() {
		name := r.token(path).(string)
		if _, twice := members[name]; twice {
			r.note(label(name), "is given twice; give it once.")
		}
		members[name] = r.value(label(name))
	}
	r.token(path)
	return members
}

func (r *reader) array(path string) any {
	items := []any{}
	for r.decoder.More() {
		items = append(items, r.value(fmt.Sprintf("%s[%d]", path, len(items))))
	}
	r.token(path)
	return items
}

// number passes on what fits into 64 bits, and writes it without an exponent
// that would cost the checker what it says.
func (r *reader) number(path string, n json.Number) any {
	if _, err := n.Int64(); err == nil {
		return n
	}
	f, err := n.Float64()
	if err != nil || f < -1<<63 || f >= 1<<63 {
		r.note(path, "is out of range; numbers go from -9223372036854775808 to 9223372036854775807.")
		f = 0
	}
	return json.Number(strconv.FormatFloat(f, 'f', -1, 64))
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
