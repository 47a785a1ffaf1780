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
	"slices"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
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

// decode reads the arguments of a call, validates them, and stores them in an
// Input. It returns an [argumentError] that lists what is wrong with them, or a
// [twilioapi.Error] if ctx is done.
func decode[Input any](ctx context.Context, p *parameters, raw json.RawMessage) (in Input, err error) {
	if len(raw) > maxArguments {
		return in, argumentError{fmt.Sprintf("The arguments have %d bytes; the maximum is %d.", len(raw), maxArguments)}
	}
	if len(raw) == 0 || string(raw) == "null" {
		raw = json.RawMessage("{}")
	}
	r := &reader{Decoder: jsontext.NewDecoder(bytes.NewBuffer(raw)), parameters: p, arguments: map[string]any{}}
	if err := r.read(ctx); err != nil {
		return in, err
	}
	p.validate(r.arguments, &r.problems)
	if err := r.problems.err(); err != nil {
		return in, err
	}
	valid, err := jsonv2.Marshal(r.arguments, checked)
	if err != nil {
		return in, err
	}
	return in, jsonv2.Unmarshal(valid, &in, checked)
}

// checked are the options for what a reader has read, which need not be checked
// again.
var checked = jsonv2.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// A reader reads the arguments of a call: an object of strings, integers, and
// arrays of strings. It skips what is nested deeper, which is never valid.
type reader struct {
	*jsontext.Decoder // refuses invalid UTF-8 and duplicate names
	*parameters
	arguments map[string]any
	problems  problems
}

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
	token, err := r.ReadToken()
	if err != nil {
		return err
	}
	name := token.String()
	switch property := r.schema.Properties[name]; {
	case isIgnored(name):
		return r.SkipValue()
	case property == nil:
		r.problems.add(path{name: name}, "is not a parameter; use %s.", strings.Join(r.meant(name), ", "))
		return r.SkipValue()
	}
	value, err := r.readValue(path{name: name})
	if err == nil && !r.isLeftOut(name, value) {
		r.arguments[name] = r.spell(name, value)
	}
	return err
}

func (r *reader) readValue(at path) (any, error) {
	switch r.PeekKind() {
	case '[':
		if !at.isItem {
			return r.readArray(at)
		}
		return []any{}, r.SkipValue()
	case '{':
		return map[string]any{}, r.SkipValue()
	}
	token, err := r.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case '"':
		return token.String(), nil
	case '0':
		return r.readNumber(at, token.String()), nil
	case 'n':
		return nil, nil
	default:
		return token.Bool(), nil
	}
}

func (r *reader) readArray(at path) ([]any, error) {
	items := []any{}
	_, err := r.ReadToken()
	for err == nil && r.PeekKind() != ']' && !r.problems.full() {
		if len(items) == maxItems {
			r.problems.add(at, "has too many items; the maximum is %d.", maxItems)
			return items, r.skipItems()
		}
		var item any
		item, err = r.readValue(path{at.name, len(items), true})
		items = append(items, item)
	}
	if err == nil && !r.problems.full() {
		_, err = r.ReadToken()
	}
	return items, err
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

// readNumber returns an int64 if the number is an integer, however it is written:
// 5, 5.0 and 5e0 are equal. The float64 0.5 stands for any fraction.
func (r *reader) readNumber(at path, text string) any {
	if len(text) > maxDigits {
		r.problems.add(at, "has too many digits; the maximum is %d.", maxDigits)
		return int64(0)
	}
	f, _, err := big.ParseFloat(text, 10, 512, big.ToNearestEven) // exact: maxDigits are 333 bits
	if err == nil && !f.IsInt() {
		return 0.5
	}
	if err == nil {
		if n, accuracy := f.Int64(); accuracy == big.Exact {
			return n
		}
	}
	r.problems.add(at, "is out of range: integers go from -9223372036854775808 to 9223372036854775807.")
	return int64(0)
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
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	default:
		return "a boolean"
	}
}
