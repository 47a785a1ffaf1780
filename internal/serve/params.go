package serve

import (
	"encoding/json"
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
)

// A reader reads a value at a path, or says what is wrong with it.
type reader func(path string, v jsontext.Value) (any, error)

// A field is a member that is read of an object.
type field struct {
	name     string
	required bool
	read     reader
}

// readParams returns the fields of params, each of the type that MCP gives it.
func readParams(params jsontext.Value, fields []field) (map[string]any, error) {
	if params == nil {
		params = jsontext.Value(`{}`)
	}
	read, err := object(fields...)("params", params)
	if err != nil {
		return nil, err
	}
	return read.(map[string]any), nil
}

// object reads an object, of which only fields are read. Null is a field that is
// left out.
func object(fields ...field) reader {
	return func(path string, v jsontext.Value) (any, error) {
		members, err := readMembers(path, v)
		if err != nil {
			return nil, err
		}
		read := map[string]any{}
		for _, f := range fields {
			value := jsontext.Value(members[f.name])
			switch {
			case value != nil && value.Kind() != 'n':
				if read[f.name], err = f.read(path+"."+f.name, value); err != nil {
					return nil, err
				}
			case f.required:
				return nil, fmt.Errorf("%s.%s is required", path, f.name)
			}
		}
		return read, nil
	}
}

// readMembers returns the members of an object. Some languages write an empty
// object as an empty array.
func readMembers(path string, v jsontext.Value) (map[string]json.RawMessage, error) {
	members := map[string]json.RawMessage{}
	if v.Kind() != '{' && !isEmptyArray(v) {
		return nil, fmt.Errorf("%.200s must be an object", path)
	}
	if v.Kind() == '{' {
		_ = json.Unmarshal(v, &members) // v is valid
	}
	return members, nil
}

func readText(path string, v jsontext.Value) (any, error) {
	if v.Kind() != '"' {
		return nil, fmt.Errorf("%.200s must be a string", path)
	}
	return text(v), nil
}

// readTexts reads an object whose members are strings. Null is a member that is
// left out.
func readTexts(path string, v jsontext.Value) (any, error) {
	members, err := readMembers(path, v)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for name, value := range members {
		if v := jsontext.Value(value); v.Kind() != 'n' {
			read, err := readText(fmt.Sprintf("%s[%q]", path, name), v)
			if err != nil {
				return nil, err
			}
			texts[name] = read.(string)
		}
	}
	return texts, nil
}

// readCursor reads the cursor of a list. All of a list comes in one page.
func readCursor(path string, v jsontext.Value) (any, error) {
	cursor, err := readText(path, v)
	if err == nil && cursor != "" {
		return nil, fmt.Errorf("there is no such page as %s says: the result has one page", path)
	}
	return cursor, err
}
