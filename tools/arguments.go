package tools

import (
	"bytes"
	"cmp"
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
	var meant []string
	for _, n := range c.names {
		if letters(n) == letters(name) {
			meant = []string{n}
			break
		}
		if len(letters(name)) > 2 && strings.HasSuffix(letters(n), letters(name)) {
			meant = append(meant, n)
		}
	}
	if len(meant) != 1 {
		meant = c.names
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
