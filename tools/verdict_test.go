package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/schemas"
)

// A contract is what a tool takes, whatever its type of Input.
type contract interface {
	published() json.RawMessage
	decode(context.Context, json.RawMessage) (in any, refusesEmpty bool, err error)
}

func (o operation[Input]) published() json.RawMessage { return o.contract.Input() }

func (o operation[Input]) decode(ctx context.Context, raw json.RawMessage) (any, bool, error) {
	in, err := decode[Input](ctx, newParameters[Input](o.published(), o.refusesEmpty), raw, nil)
	return in, o.refusesEmpty, err
}

// everyKind has a parameter of each kind that a schema can have.
type everyKind struct {
	Text    string   `json:"Text"`
	Date    *string  `json:"Date"`
	Short   *string  `json:"Short"`
	State   *string  `json:"State"`
	Sid     *string  `json:"Sid"`
	Integer *int64   `json:"Integer"`
	Hours   int64    `json:"Hours"`
	Flag    *bool    `json:"Flag"`
	Confirm bool     `json:"Confirm"`
	List    []string `json:"List"`
}

const everyKindSchema = `{"type":"object","additionalProperties":false,"required":["Text","Confirm"],"properties":{
	"Text":{"type":"string","minLength":2,"maxLength":4},"Date":{"type":"string","pattern":"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
	"Short":{"type":"string","maxLength":1},"State":{"type":"string","enum":["active","Inactive"]},
	"Sid":{"type":"string","minLength":34,"maxLength":34,"pattern":"^IS[0-9a-fA-F]{32}$"},
	"Integer":{"type":"integer","minimum":-2},"Hours":{"type":"integer","minimum":1,"maximum":720},
	"Flag":{"type":"boolean"},"Confirm":{"type":"boolean"},"List":{"type":"array","items":{"type":"string"},"minItems":2,"maxItems":3}}}`

type everyKindContract struct{}

func (everyKindContract) published() json.RawMessage { return json.RawMessage(everyKindSchema) }

func (c everyKindContract) decode(ctx context.Context, raw json.RawMessage) (any, bool, error) {
	in, err := decode[everyKind](ctx, newParameters[everyKind](c.published(), false), raw, nil)
	return in, false, err
}

func contracts() (all []contract) {
	definitions, _ := definitions(Selection{Toolsets: []string{"all"}})
	for _, d := range definitions {
		all = append(all, d.(contract))
	}
	return append(all, everyKindContract{})
}

// A verdict is that of the JSON Schema library: the arguments that it validated, and
// the names of what is invalid.
type verdict struct {
	arguments map[string]any
	invalid   []string
}

// judge validates arguments by the library, after what a tool does before: it leaves
// out what clients add and empty values, and takes text for what it stands for.
func judge(t *testing.T, validator *jsonschema.Schema, published json.RawMessage, refusesEmpty bool, raw []byte) verdict {
	t.Helper()
	var s schema
	require.NoError(t, json.Unmarshal(published, &s))
	v := verdict{arguments: map[string]any{}}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&v.arguments))
	for name, value := range v.arguments {
		property := s.Properties[name]
		isEmpty := value == nil || value == "" && property != nil && property.Type == "string"
		switch {
		case property == nil && isIgnored(name), property != nil && isEmpty && !refusesEmpty && !slices.Contains(s.Required, name):
			delete(v.arguments, name)
		case property != nil:
			v.arguments[name] = standFor(property, value)
		}
	}
	var invalid *jsonschema.ValidationError
	if errors.As(validator.Validate(v.arguments), &invalid) {
		v.add(invalid)
	}
	return v
}

// newValidator compiles a schema.
func newValidator(t testing.TB, published json.RawMessage) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(published))
	require.NoError(t, err)
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("schema:///input.json", doc))
	return compiler.MustCompile("schema:///input.json")
}

// standFor returns what a value stands for.
func standFor(property *schema, value any) any {
	text, isText := value.(string)
	if !isText {
		return value
	}
	for _, valid := range property.Enum {
		if strings.EqualFold(valid, text) {
			return valid
		}
	}
	var list []any
	isString := func(item any) bool { _, ok := item.(string); return ok }
	_, isInteger := new(big.Int).SetString(text, 10)
	switch {
	case property.Type == "array" && json.Unmarshal([]byte(text), &list) == nil && list != nil && len(list) <= maxItems &&
		!slices.ContainsFunc(list, func(item any) bool { return !isString(item) }):
		return list
	case property.Type == "integer" && isInteger && !strings.ContainsAny(text, "+_"):
		return json.Number(text)
	case property.Type == "boolean" && (text == "true" || text == "false"):
		return text == "true"
	}
	return value
}

func (v *verdict) add(e *jsonschema.ValidationError) {
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		v.invalid = append(v.invalid, k.Missing...)
	case *kind.AdditionalProperties:
		v.invalid = append(v.invalid, k.Properties...)
	default:
		if len(e.Causes) == 0 {
			v.invalid = append(v.invalid, e.InstanceLocation[0])
		}
	}
	for _, cause := range e.Causes {
		v.add(cause)
	}
}

// Whatever the arguments, a tool accepts them if and only if the JSON Schema library
// does, names what it names, and stores what it validated.
func FuzzVerdict(f *testing.F) {
	all := contracts()
	var validators []*jsonschema.Schema
	for i, c := range all {
		validators = append(validators, newValidator(f, c.published()))
		for _, seed := range []string{
			`{}`, `[]`, `{"ConversationSid":"x","Target":"WEBHOOK","Configuration.Url":"","Configuration.Filters":"[\"a\"]"}`, `{"ConversationSid":null,"Sid":""}`,
			`{"ConversationSid":"x","PageSize":"5","Page":5.0,"PageToken":null}`, `{"ConversationSid":"x","PageSize":0,"Page":-1,"x":1,"_y":[]}`,
			`{"ConversationSid":"x","Sid":"WH0123456789abcdef0123456789abcdef","Configuration.Method":"PUT","Configuration.Triggers":[]}`,
			`{"query":null,"type":"Guide"}`, `{"uris":["a"]}`, `{"uris":[]}`, `{"uris":[1,null,{},[]]}`, `{"uris":"[\"a\",\"b\"]"}`,
			`{"Text":"\ud83d\ude00é","Confirm":"true","Flag":false,"Hours":"720","List":["a","b"],"State":"ACTIVE","Date":"2026-01-31"}`,
			`{"Text":"abcde","Confirm":1,"Hours":721,"Integer":"-3","List":["a"],"Short":"ab","Date":"31.1.2026","Sid":"IS1"}`,
			`{"Text":"abc","Confirm":true,"Hours":1e2,"Integer":-2.0,"List":"[\"a\",\"b\",\"c\",\"d\"]","Flag":"TRUE","State":""}`,
			`{"Text":"abc","Confirm":true,"Hours":"1_0","Integer":"","List":"[]","Flag":null}`,
		} {
			f.Add(uint8(i), []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, raw []byte) {
		i %= uint8(len(all))
		c := all[i]
		in, refusesEmpty, err := c.decode(t.Context(), raw)
		if !jsontext.Value(raw).IsValid() || jsontext.Value(raw).Kind() != '{' {
			return
		}
		text := ""
		if err != nil {
			text = err.Error()
		}
		for _, limit := range []string{"too many", "out of range", "There may be more", "The arguments have"} {
			if strings.Contains(text, limit) {
				return
			}
		}
		v := judge(t, validators[i], c.published(), refusesEmpty, raw)
		require.Equal(t, len(v.invalid) == 0, err == nil, "%s: %v: %v", raw, v.invalid, err)
		for _, name := range v.invalid {
			require.Contains(t, text, path{name: name}.String())
		}
		if err == nil {
			requireStored(t, v.arguments, in)
		}
	})
}

// requireStored compares the arguments with the fields of an Input.
func requireStored(t *testing.T, arguments map[string]any, in any) {
	t.Helper()
	raw, err := json.Marshal(in)
	require.NoError(t, err)
	stored := map[string]any{}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	require.NoError(t, decoder.Decode(&stored))
	for name, value := range arguments {
		if number, ok := value.(json.Number); ok {
			exact, _ := new(big.Rat).SetString(number.String())
			value = json.Number(exact.RatString())
		}
		if items, ok := value.([]any); ok && len(items) == 0 && stored[name] == nil {
			continue // omitted
		}
		if value == "" && stored[name] == nil {
			continue
		}
		require.Equal(t, value, stored[name], name)
	}
	for name, value := range stored {
		if _, given := arguments[name]; !given {
			require.Contains(t, []any{nil, "", false, json.Number("0")}, value, name)
		}
	}
}

// A keyword that the checks do not know would not be checked.
func TestASchemaHasOnlyKnownKeywords(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() {
		newParameters[schemas.FetchConversationWebhookInput](json.RawMessage(`{"properties":{"Sid":{"type":"string","format":"uri"}}}`), false)
	})
	require.Panics(t, func() {
		newParameters[schemas.FetchConversationWebhookInput](json.RawMessage(`{"properties":{"Other":{"type":"string"}}}`), false)
	})
}

func TestEveryKindOfParameterIsChecked(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]string{
		`{"Text":"a","Confirm":0}`: "Confirm must be a boolean, not a number. Text must have at least 2 characters, not 1.",
		`{"Text":"abcd","Confirm":true,"Date":"today","State":"open","Flag":"yes","Hours":0,"Short":"éé"}`: `Date must be a date such as 2026-01-31, not "today". ` +
			`Flag must be a boolean, not a string. Hours must be at least 1, not 0. Short must have at most 1 characters, not 2. State must be active or Inactive, not "open".`,
		`{"Text":"abc","Confirm":true,"List":[]}`:                `List must not be empty.`,
		`{"Text":"abc","Confirm":true,"List":["a"]}`:             `List must have at least 2 items, not 1.`,
		`{"Text":"abc","Confirm":true,"List":["a","b","c","d"]}`: `List must have at most 3 items, not 4.`,
		`{"Text":"abc","Confirm":true,"Sid":"IS1"}`:              `Sid must be IS and 32 hexadecimal digits, not "IS1".`,
		`{"Text":"abc","Confirm":true,"Integer":{"a":[]}}`:       `Integer must be an integer, not an object.`,
	} {
		_, _, err := everyKindContract{}.decode(t.Context(), json.RawMessage(arguments))
		require.EqualError(t, err, want)
	}
}
