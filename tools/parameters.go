package tools

import (
	"encoding/json"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"unicode"

	jsonv2 "github.com/go-json-experiment/json"
)

// A schema is a published input schema, or a part of one. It has every keyword that
// they use.
type schema struct {
	Type                 string             `json:"type"`
	Description          string             `json:"description"`
	Properties           map[string]*schema `json:"properties"`
	Required             []string           `json:"required"`
	AdditionalProperties bool               `json:"additionalProperties"`

	Enum      []string `json:"enum"`
	Pattern   string   `json:"pattern"`
	MinLength int      `json:"minLength"`
	MaxLength *int     `json:"maxLength"`
	Minimum   *int64   `json:"minimum"`
	Maximum   *int64   `json:"maximum"`
	Items     *schema  `json:"items"`
	MinItems  int      `json:"minItems"`
	MaxItems  *int     `json:"maxItems"`
}

// parameters are what a tool takes, by its published schema.
type parameters struct {
	all   []*parameter // sorted by name
	names []string     // the same
	// refusesEmpty says that null and "" are refused. Otherwise they mean that
	// an optional parameter is left out.
	refusesEmpty bool
}

// A parameter is a property of a schema, and the field of the Input that holds it.
type parameter struct {
	*schema
	name     string
	field    []int
	required bool
	pattern  *regexp.Regexp // nil: none
}

// newParameters reads a published schema. It panics if that has a keyword that is
// not known, or a property without a field, which the tests rule out.
func newParameters[Input any](published json.RawMessage, refusesEmpty bool) *parameters {
	var s schema
	if err := jsonv2.Unmarshal(published, &s, jsonv2.RejectUnknownMembers(true)); err != nil {
		panic(err)
	}
	p := &parameters{refusesEmpty: refusesEmpty}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Input]()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if property := s.Properties[name]; property != nil {
			p.all = append(p.all, newParameter(name, property, field.Index, slices.Contains(s.Required, name)))
			p.names = append(p.names, name)
		}
	}
	if len(p.all) != len(s.Properties) {
		panic("a property has no field: " + string(published))
	}
	slices.SortFunc(p.all, func(a, b *parameter) int { return strings.Compare(a.name, b.name) })
	slices.Sort(p.names)
	return p
}

func newParameter(name string, s *schema, field []int, required bool) *parameter {
	p := &parameter{schema: s, name: name, field: field, required: required}
	if s.Pattern != "" {
		p.pattern = regexp.MustCompile(s.Pattern)
	}
	return p
}

// find returns the parameter of a name, or nil.
func (p *parameters) find(name []byte) *parameter {
	for _, known := range p.all {
		if known.name == string(name) {
			return known
		}
	}
	return nil
}

// suggest returns the parameters that a caller probably meant by a name: one, or all
// there are.
func (p *parameters) suggest(name string) (suggested []string) {
	name = normalizeName(name)
	for _, known := range p.names {
		if normalizeName(known) == name {
			return []string{known}
		}
		if len(name) > 2 && strings.HasSuffix(normalizeName(known), name) {
			suggested = append(suggested, known)
		}
	}
	if len(suggested) != 1 {
		return p.names
	}
	return suggested
}

// instead says what to do instead of giving a name that is not a parameter.
func (p *parameters) instead(name string) string {
	if normalized := normalizeName(name); normalized == "chatservicesid" || normalized == "servicesid" {
		return ": the Service is a setting of the server, TWILIO_CHAT_SERVICE_SID; tell the user if the conversation is in another one"
	}
	return "; use " + strings.Join(p.suggest(name), ", ")
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
