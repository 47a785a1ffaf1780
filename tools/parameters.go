package tools

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// parameters validates arguments by the published schema.
type parameters struct {
	schema *jsonschema.Schema
	names  []string // of every property, sorted
	// refusesEmpty says that null and "" are refused. Otherwise they mean that
	// an optional parameter is left out.
	refusesEmpty bool
}

// newParameters compiles a published schema. It panics if that is invalid, which
// the tests rule out.
func newParameters(published json.RawMessage, refusesEmpty bool) *parameters {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	if err != nil {
		panic(err)
	}
	const name = "schema:///input.json"
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(name, doc); err != nil {
		panic(err)
	}
	schema := compiler.MustCompile(name)
	return &parameters{schema, slices.Sorted(maps.Keys(schema.Properties)), refusesEmpty}
}

// isLeftOut reports whether a value means that its parameter was not given.
func (p *parameters) isLeftOut(name string, value any) bool {
	if p.refusesEmpty || slices.Contains(p.schema.Required, name) {
		return false
	}
	isString := slices.Contains(p.schema.Properties[name].Types.ToStrings(), "string")
	return value == nil || value == "" && isString
}

// spell returns a value as the enum of its parameter spells it, if that differs
// only in case: results show the method as POST.
func (p *parameters) spell(name string, value any) any {
	text, isText := value.(string)
	if enum := p.schema.Properties[name].Enum; isText && enum != nil {
		for _, valid := range enum.Values {
			if valid, _ := valid.(string); strings.EqualFold(valid, text) {
				return valid
			}
		}
	}
	return value
}

// meant returns the parameters that a caller probably meant by a name: one, or all
// there are.
func (p *parameters) meant(name string) (meant []string) {
	name = normalizeName(name)
	for _, known := range p.names {
		if normalizeName(known) == name {
			return []string{known}
		}
		if len(name) > 2 && strings.HasSuffix(normalizeName(known), name) {
			meant = append(meant, known)
		}
	}
	if len(meant) != 1 {
		return p.names
	}
	return meant
}

// normalizeName returns the letters of a name in lower case.
func normalizeName(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// validate adds what the schema refuses to the problems.
func (p *parameters) validate(arguments map[string]any, problems *problems) {
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](p.schema.Validate(arguments)); ok {
		addInvalid(invalid, problems)
	}
}

func addInvalid(e *jsonschema.ValidationError, problems *problems) {
	if missing, ok := e.ErrorKind.(*kind.Required); ok {
		for _, name := range missing.Missing {
			problems.add(path{name: name}, "is required.")
		}
		return
	}
	if len(e.Causes) == 0 {
		problems.add(newPath(e.InstanceLocation), "%s", describeInvalid(e.ErrorKind))
	}
	for _, cause := range slices.SortedStableFunc(slices.Values(e.Causes), patternsFirst) {
		addInvalid(cause, problems)
	}
}

// patternsFirst orders the causes of one problem: a pattern says more than a length.
func patternsFirst(a, b *jsonschema.ValidationError) int {
	isOther := func(e *jsonschema.ValidationError) int {
		if _, ok := e.ErrorKind.(*kind.Pattern); ok {
			return 0
		}
		return 1
	}
	return cmp.Compare(isOther(a), isOther(b))
}

// newPath converts a location: a name, and the index in its array if there is one.
func newPath(location []string) (p path) {
	if len(location) > 0 {
		p.name = location[0]
	}
	if len(location) > 1 {
		p.item, _ = strconv.Atoi(location[1])
		p.isItem = true
	}
	return p
}

// describeInvalid says what is wrong and what is valid.
func describeInvalid(reason jsonschema.ErrorKind) string {
	switch k := reason.(type) {
	case *kind.Type:
		return describeType(k.Want[0], k.Got)
	case *kind.Enum:
		return fmt.Sprintf("must be %s, not %s.", oneOf(k.Want), quote(k.Got))
	case *kind.Minimum:
		return fmt.Sprintf("must be at least %s, not %s.", decimal(k.Want), decimal(k.Got))
	case *kind.Maximum:
		return fmt.Sprintf("must be at most %s, not %s.", decimal(k.Want), decimal(k.Got))
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d items, not %d.", k.Want, k.Got)
	case *kind.MinItems:
		return "must not be empty."
	case *kind.MinLength:
		return describeLength(k)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters, not %d.", k.Want, k.Got)
	case *kind.Pattern:
		return fmt.Sprintf("must be %s and 32 hexadecimal digits, not %s.", k.Want[1:3], quote(k.Got)) // every pattern is that of a SID
	default:
		return "is invalid."
	}
}

func describeLength(k *kind.MinLength) string {
	if k.Got == 0 {
		return "must not be empty."
	}
	return fmt.Sprintf("must have at least %d characters, not %d.", k.Want, k.Got)
}

// describeType says which type is valid. A number that is not a valid integer is a
// fraction.
func describeType(want, got string) string {
	valid, given := typeNames[want], typeNames[got]
	if want == "array" {
		valid += " of strings"
	}
	if want == "integer" && got == "number" {
		given = "a fraction"
	}
	return fmt.Sprintf("must be %s, not %s.", valid, given)
}

var typeNames = map[string]string{
	"array":   "an array",
	"boolean": "a boolean",
	"integer": "an integer",
	"null":    "null",
	"number":  "a number",
	"object":  "an object",
	"string":  "a string",
}

// oneOf lists what is valid: "webhook, trigger or studio".
func oneOf(values []any) string {
	names := make([]string, len(values))
	for i, v := range values {
		names[i] = fmt.Sprint(v)
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

func decimal(r *big.Rat) string {
	if r.IsInt() {
		return r.RatString()
	}
	return r.FloatString(3)
}
