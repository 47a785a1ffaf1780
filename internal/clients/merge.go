package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// An object is a JSON object whose members keep their order and their text.
type object []member

type member struct {
	name  string
	value jsontext.Value
}

// mergeJSON returns the text of a JSON object with the entry in it.
func (c Client) mergeJSON(text []byte, o Options) ([]byte, error) {
	file, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	entry := c.entry(o)
	servers := object{}
	if before := file.get(c.servers); before != nil && before.Kind() != 'n' {
		if servers, err = parseObject(before); err != nil {
			return nil, fmt.Errorf("in %s, %w", c.servers, err)
		}
	}
	merged := file.with(c.servers, servers.with(o.Name, compact(entry)).text())
	if inputs := c.inputs(o, entry); len(inputs) > 0 {
		all, err := mergeInputs(file.get("inputs"), inputs)
		if err != nil {
			return nil, err
		}
		merged = merged.with("inputs", all)
	}
	before, after := jsontext.Value(bytes.Clone(text)), merged.text()
	if before.Compact() == nil && bytes.Equal(before, after) {
		return text, nil
	}
	err = after.Indent(jsontext.WithIndent(indentOf(text)))
	return append(after, '\n'), err
}

// mergeInputs appends the inputs whose ids are not in an array yet.
func mergeInputs(array jsontext.Value, inputs []input) (jsontext.Value, error) {
	var all []json.RawMessage
	if array != nil && json.Unmarshal(array, &all) != nil {
		return nil, errors.New("its inputs are not an array")
	}
	for _, in := range inputs {
		same := func(element json.RawMessage) bool {
			var given input
			return json.Unmarshal(element, &given) == nil && given.ID == in.ID
		}
		if !slices.ContainsFunc(all, same) {
			all = append(all, compact(in))
		}
	}
	return compact(all), nil
}

// indentOf returns the white space in front of the second line, or two spaces.
func indentOf(text []byte) string {
	_, line, _ := bytes.Cut(text, []byte("\n"))
	if indent := line[:len(line)-len(bytes.TrimLeft(line, " \t"))]; len(indent) > 0 {
		return string(indent)
	}
	return "  "
}

// parseObject reads a JSON object.
func parseObject(text []byte) (o object, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	if start, err := d.ReadToken(); err != nil || start.Kind() != '{' {
		return nil, errors.New("it is not a JSON object")
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, unreadable(err)
		}
		key := name.String()
		value, err := d.ReadValue()
		if err != nil {
			return nil, unreadable(err)
		}
		compacted := value.Clone()
		_ = compacted.Compact() // it was read before
		o = append(o, member{key, compacted})
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, unreadable(err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, errors.New("something follows its JSON object")
	}
	return o, nil
}

func unreadable(err error) error {
	return fmt.Errorf("it is not plain JSON, which has no comments and no duplicate names: %s", strings.TrimPrefix(err.Error(), "jsontext: "))
}

// get returns the value of a member, or nil.
func (o object) get(name string) jsontext.Value {
	for _, m := range o {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// with returns the object with a member, in the place of one of the same name or at
// the end.
func (o object) with(name string, value jsontext.Value) object {
	changed := slices.Clone(o)
	for i := range changed {
		if changed[i].name == name {
			changed[i].value = value
			return changed
		}
	}
	return append(changed, member{name, value})
}

// text returns the object without white space.
func (o object) text() jsontext.Value {
	text := []byte("{")
	for i, m := range o {
		if i > 0 {
			text = append(text, ',')
		}
		text, _ = jsontext.AppendQuote(text, m.name)
		text = append(append(text, ':'), m.value...)
	}
	return append(text, '}')
}
