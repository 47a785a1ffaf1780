package tools

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"twilio-conversations-mcp/twilioapi"
)

const (
	maxArguments = 64 << 10 // bytes; the longest sensible arguments have about 5 kB
	maxProblems  = 20       // reading stops at the last of them
	maxItems     = 100      // items of an array; Twilio takes ten at most
	maxDigits    = 100      // of a number, which costs the square of its digits to read
)

// ignoredArguments are arguments that clients add on their own: Gemini CLI sends
// wait_for_previous, n8n toolCallId, and some agents tool_call_description. Names
// that begin with "_" are ignored too.
var ignoredArguments = []string{"wait_for_previous", "toolCallId", "tool_call_description"}

func isIgnored(name string) bool {
	return strings.HasPrefix(name, "_") || slices.Contains(ignoredArguments, name)
}

// decode reads the arguments of a call once: it checks them by the published schema
// and by check, which may be nil, and stores them in an Input. It returns an
// [argumentError] that lists what is wrong with them, or a [twilioapi.Error] if ctx
// is done.
//
// Some clients write every value as a string. A string that is the JSON of an array
// of strings stands for the array, a decimal integer for the integer, and true and
// false for the booleans. An empty array stands for no arguments.
func decode[Input any](ctx context.Context, p *parameters, raw json.RawMessage, check func(Input, *problems)) (in Input, err error) {
	if len(raw) > maxArguments {
		return in, argumentError{fmt.Sprintf("The arguments have %d bytes; the maximum is %d.", len(raw), maxArguments)}
	}
	raw = bytes.TrimSpace(bytes.TrimPrefix(raw, []byte("\uFEFF")))
	if len(raw) == 0 || string(raw) == "null" || raw[0] == '[' && string(bytes.TrimSpace(raw[1:])) == "]" {
		raw = json.RawMessage("{}")
	}
	r := readers.Get().(*reader)
	defer r.free()
	r.text = *bytes.NewBuffer(raw)
	r.Reset(&r.text)
	r.parameters, r.input = p, reflect.ValueOf(&in).Elem()
	if err := r.read(ctx); err != nil {
		return in, err
	}
	if check != nil {
		check(in, &r.problems)
	}
	return in, r.problems.err()
}

// readers holds readers that are not in use.
var readers = sync.Pool{New: func() any { return &reader{Decoder: new(jsontext.Decoder)} }}

// A reader reads the arguments of a call: an object of strings, integers, booleans,
// and arrays of strings. It skips what is nested deeper, which is never valid.
type reader struct {
	*jsontext.Decoder // refuses invalid UTF-8 and duplicate names
	*parameters
	text     bytes.Buffer  // the arguments
	input    reflect.Value // an Input
	given    []*parameter
	problems problems
}

// free makes the reader available to others. It keeps nothing of what it read.
func (r *reader) free() {
	r.Reset(noArguments)
	clear(r.given)
	*r = reader{Decoder: r.Decoder, given: r.given[:0]}
	readers.Put(r)
}

var noArguments = strings.NewReader("")

// read reads the arguments until their end or the last problem. It returns an
// [argumentError] if they are not a JSON object.
func (r *reader) read(ctx context.Context) error {
	if kind := r.PeekKind(); kind != '{' && kind != 0 {
		return argumentError{fmt.Sprintf("The arguments must be an object, not %s.", describeKind(kind))}
	}
	_, err := r.ReadToken()
	for err == nil && r.PeekKind() != '}' && !r.problems.full() {
		if ctx.Err() != nil {
			return &twilioapi.Error{Outcome: twilioapi.NotSent, Message: ctx.Err().Error(), Err: ctx.Err()}
		}
		err = r.readMember()
	}
	if err == nil && !r.problems.full() {
		err = r.readEnd()
	}
	if err != nil {
		return argumentError{describeSyntaxError(err)}
	}
	for _, p := range r.all {
		if p.required && !slices.Contains(r.given, p) {
			r.problems.add(path{name: p.name}, "is required.")
		}
	}
	return nil
}

// readEnd reads the end of the object, and checks that nothing follows it.
func (r *reader) readEnd() error {
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	if _, err := r.ReadToken(); err != io.EOF {
		return cmp.Or(err, errors.New("more than one value"))
	}
	return nil
}

func (r *reader) readMember() error {
	quoted, err := r.ReadValue()
	if err != nil {
		return err
	}
	name := unquote(quoted)
	if p := r.find(name); p != nil {
		return r.readArgument(p)
	}
	if name := string(name); !isIgnored(name) {
		r.problems.add(path{name: name}, "is not a parameter%s.", r.instead(name))
	}
	return r.SkipValue()
}

// readArgument reads the value of a parameter.
func (r *reader) readArgument(p *parameter) error {
	if p.Type == "array" && r.PeekKind() == '[' {
		return r.readArray(p)
	}
	value, err := r.ReadValue()
	if err != nil || r.isLeftOut(p, value) {
		return err
	}
	r.given = append(r.given, p)
	if problem := r.store(p, value); problem != "" {
		r.problems.add(path{name: p.name}, "%s", problem)
	}
	return nil
}

// isLeftOut reports whether a value means that its parameter was not given.
func (r *reader) isLeftOut(p *parameter, value jsontext.Value) bool {
	return !r.refusesEmpty && !p.required && (value.Kind() == 'n' || p.Type == "string" && string(value) == `""`)
}

// store checks a value and stores it, or says what is wrong with it.
func (r *reader) store(p *parameter, value jsontext.Value) (problem string) {
	field := r.input.FieldByIndex(p.field).Addr().Interface()
	switch kind := value.Kind(); {
	case kind == '"' && p.Type == "string":
		text, problem := p.checkString(string(unquote(value)))
		set(field, text)
		return problem
	case kind == '"':
		return r.storeText(p, field, string(unquote(value)))
	case kind == '0' && p.Type == "integer":
		n, problem := parseNumber(string(value))
		set(field, n)
		return cmp.Or(problem, p.checkInteger(n))
	case (kind == 't' || kind == 'f') && p.Type == "boolean":
		set(field, kind == 't')
		return ""
	default:
		return describeType(p.Type, describeKind(kind))
	}
}

// storeText stores a value that a client wrote as a string.
func (r *reader) storeText(p *parameter, field any, text string) (problem string) {
	switch p.Type {
	case "integer":
		if digits := strings.TrimPrefix(text, "-"); digits == "" || strings.Trim(digits, "0123456789") != "" {
			break
		}
		n, problem := parseNumber(text)
		set(field, n)
		return cmp.Or(problem, p.checkInteger(n))
	case "array":
		if items, ok := parseStrings(text); ok {
			set(field, items)
			return p.checkLength(len(items))
		}
	case "boolean":
		if text == "true" || text == "false" {
			set(field, text == "true")
			return ""
		}
	}
	return describeType(p.Type, "a string")
}

// set stores a value in a field, given by its address.
func set[T any](field any, value T) {
	switch f := field.(type) {
	case *T:
		*f = value
	case **T:
		given := value // value itself stays on the stack
		*f = &given
	}
}

// parseStrings reads the JSON of an array of strings.
func parseStrings(text string) (items []string, ok bool) {
	if !strings.HasPrefix(strings.TrimSpace(text), "[") {
		return nil, false
	}
	var values []*string
	if json.Unmarshal([]byte(text), &values) != nil || len(values) > maxItems || slices.Contains(values, nil) {
		return nil, false
	}
	items = []string{}
	for _, value := range values {
		items = append(items, *value)
	}
	return items, true
}

// readArray reads an array of strings.
func (r *reader) readArray(p *parameter) error {
	r.given = append(r.given, p)
	items := []string{}
	_, err := r.ReadToken()
	for err == nil && r.PeekKind() != ']' && !r.problems.full() {
		if len(items) == maxItems {
			r.problems.add(path{name: p.name}, "has too many items; the maximum is %d.", maxItems)
			return r.skipItems()
		}
		var item string
		item, err = r.readItem(path{name: p.name, item: len(items), isItem: true})
		items = append(items, item)
	}
	if err != nil || r.problems.full() {
		return err
	}
	if problem := p.checkLength(len(items)); problem != "" {
		r.problems.add(path{name: p.name}, "%s", problem)
	}
	set(r.input.FieldByIndex(p.field).Addr().Interface(), items)
	_, err = r.ReadToken()
	return err
}

func (r *reader) readItem(at path) (string, error) {
	value, err := r.ReadValue()
	if err != nil {
		return "", err
	}
	if kind := value.Kind(); kind != '"' {
		r.problems.add(at, "%s", describeType("string", describeKind(kind)))
		return "", nil
	}
	return string(unquote(value)), nil
}

// skipItems reads the rest of an array.
func (r *reader) skipItems() (err error) {
	for err == nil && r.PeekKind() != ']' {
		err = r.SkipValue()
	}
	if err == nil {
		_, err = r.ReadToken()
	}
	return err
}

// parseNumber returns the value of a number that is an integer, however it is
// written: 5, 5.0 and 5e0 are equal.
func parseNumber(text string) (n int64, problem string) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, ""
	}
	if len(text) > maxDigits {
		return 0, fmt.Sprintf("has too many digits; the maximum is %d.", maxDigits)
	}
	f, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven) // exact: maxDigits are 333 bits
	if err == nil && !f.IsInt() {
		return 0, describeType("integer", "a fraction")
	}
	if err == nil {
		if n, accuracy := f.Int64(); accuracy == big.Exact {
			return n, ""
		}
	}
	return 0, "is out of range: integers go from -9223372036854775808 to 9223372036854775807."
}

// unquote returns the value of a JSON string.
func unquote(quoted jsontext.Value) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1]
	}
	value, _ := jsontext.AppendUnquote(nil, quoted) // it is valid
	return value
}

// describeSyntaxError says why the arguments cannot be read.
func describeSyntaxError(err error) string {
	if syntax, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		return path{name: syntax.JSONPointer.LastToken()}.String() + " is duplicated."
	}
	return fmt.Sprintf("The arguments are not valid JSON: %s.", strings.TrimPrefix(clip(err.Error(), 200), "jsontext: "))
}

func describeKind(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	default:
		return "a boolean"
	}
}
