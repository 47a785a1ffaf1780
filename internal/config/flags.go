package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// An option is a flag or an argument: a field of [Config], described by its tags.
//
//	name         the name, if it is not that of the field
//	variable     the environment variable that sets the flag
//	default      the value of a flag that is not set
//	enum         the valid values, separated by commas
//	placeholder  stands for the value in the help text
//	names        the value is a list of names, in any case
//	help         describes the option, or the command
//	group        the heading of the flag in the help text
//	closed       a placeholder in the variable is an error: without the setting, more is allowed
//	cmd          the field is a command; the first one is the default
//	arg          the field is an argument of its command
//	optional     the argument may be left out
type option struct {
	name  string
	tag   reflect.StructTag
	value reflect.Value
	given []string // on the command line
}

func (o *option) isBool() bool { return o.value.Kind() == reflect.Bool }

// A command is the program itself, or one of its commands.
type command struct {
	name  string
	tag   reflect.StructTag
	flags []*option
	args  []*option
}

// find returns the flag of a name.
func (c *command) find(name string) *option {
	for _, o := range c.flags {
		if o.name == name {
			return o
		}
	}
	return nil
}

// commandLine is the command line that the fields of a [Config] describe.
type commandLine struct {
	root     command // the flags of every command
	commands []*command
}

func newCommandLine(c *Config) *commandLine {
	var l commandLine
	for field, value := range reflect.ValueOf(c).Elem().Fields() {
		if _, ok := field.Tag.Lookup("cmd"); !ok {
			l.root.add(field, value)
			continue
		}
		sub := &command{name: nameOf(field), tag: field.Tag}
		for field, value := range value.Fields() {
			sub.add(field, value)
		}
		l.commands = append(l.commands, sub)
	}
	return &l
}

// given returns the flags without a heading that the command line has, as arguments.
func (c *command) given() (arguments []string) {
	for _, o := range c.flags {
		if o.tag.Get("group") != "" {
			continue
		}
		for _, value := range o.given {
			if o.isBool() && value == "true" {
				arguments = append(arguments, "--"+o.name)
			} else {
				arguments = append(arguments, "--"+o.name+"="+value)
			}
		}
	}
	return arguments
}

func (c *command) add(field reflect.StructField, value reflect.Value) {
	if field.Tag == "" {
		return
	}
	o := &option{name: nameOf(field), tag: field.Tag, value: value}
	if _, ok := field.Tag.Lookup("arg"); ok {
		c.args = append(c.args, o)
	} else {
		c.flags = append(c.flags, o)
	}
}

// nameOf returns the name of an option: read-only for ReadOnly.
func nameOf(field reflect.StructField) string {
	if name := field.Tag.Get("name"); name != "" {
		return name
	}
	var name strings.Builder
	for i, r := range field.Name {
		if i > 0 && unicode.IsUpper(r) {
			name.WriteByte('-')
		}
		name.WriteRune(unicode.ToLower(r))
	}
	return name.String()
}

var errHelpFlag = errors.New("--help")

// read assigns the arguments of the program to flags and arguments, and returns
// the command. It returns errHelpFlag with the command for which help is wanted.
func (l *commandLine) read(args []string) (chosen *command, err error) {
	chosen = l.commands[0]
	var values []string
	named, help := false, false
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "--":
			values, i = append(values, args[i+1:]...), len(args)
		case arg == "-h" || arg == "--help":
			help = true
		case strings.HasPrefix(arg, "-") && arg != "-":
			used, err := l.readFlag(chosen, args[i:])
			if err != nil {
				return chosen, err
			}
			i += used - 1
		case !named && len(values) == 0 && l.command(arg) != nil:
			chosen, named = l.command(arg), true
		default:
			values = append(values, arg)
		}
	}
	switch {
	case help && !named:
		return &l.root, errHelpFlag
	case help:
		return chosen, errHelpFlag
	default:
		return chosen, chosen.readArgs(values)
	}
}

func (l *commandLine) command(name string) *command {
	for _, c := range l.commands {
		if c.name == name {
			return c
		}
	}
	return nil
}

// readFlag reads the flag that begins args, and returns how many of them it is.
func (l *commandLine) readFlag(c *command, args []string) (used int, err error) {
	name, value, found := strings.Cut(args[0], "=")
	var o *option
	if long, ok := strings.CutPrefix(name, "--"); ok {
		if o = c.find(long); o == nil {
			o = l.root.find(long)
		}
	}
	used = 1
	switch {
	case o == nil:
		return 0, fmt.Errorf("unknown flag %s", name)
	case found:
	case o.isBool():
		value = "true"
	case len(args) == 1 || strings.HasPrefix(args[1], "--"):
		return 0, fmt.Errorf("%s: missing value", name)
	default:
		value, used = args[1], 2
	}
	o.given = append(o.given, value)
	return used, nil
}

func (c *command) readArgs(values []string) error {
	for i, o := range c.args {
		_, optional := o.tag.Lookup("optional")
		if i < len(values) {
			o.given = values[i : i+1]
		} else if !optional {
			return fmt.Errorf("expected %q", "<"+o.name+">")
		}
	}
	if len(values) > len(c.args) {
		return fmt.Errorf("unexpected argument %s", values[len(c.args)])
	}
	return nil
}

// assign sets the field of an option to what was given on the command line, or by
// the variable, or by default.
//
// A variable with a placeholder that nobody replaced counts as not set: then the
// warning says so.
func (o *option) assign(lookup LookupFunc) (warning string, err error) {
	values, source := o.given, ""
	if values == nil {
		variable := o.tag.Get("variable")
		value := lookup.value(variable)
		if _, closed := o.tag.Lookup("closed"); isPlaceholder(value) && closed {
			return "", fmt.Errorf("%s got the placeholder %s, which was not replaced: give it a value or remove it", variable, value)
		} else if isPlaceholder(value) {
			warning, value = variable+": "+value+" is a placeholder that was not replaced; it counts as not set", ""
		}
		if value != "" {
			values, source = []string{value}, variable+": "
		} else if text, ok := o.tag.Lookup("default"); ok {
			values = []string{text}
		}
	}
	for _, text := range values {
		if err := o.set(strings.TrimSpace(text)); err != nil {
			return warning, fmt.Errorf("%s%w", source, err)
		}
	}
	return warning, nil
}

func (o *option) set(text string) error {
	if _, ok := o.tag.Lookup("names"); ok || o.tag.Get("enum") != "" {
		text = strings.ToLower(text)
	}
	if enum := o.tag.Get("enum"); enum != "" && !slices.Contains(strings.Split(enum, ","), text) {
		return fmt.Errorf("--%s must be one of %s but got %q", o.name, strings.ReplaceAll(enum, ",", ", "), text)
	}
	if err := set(o.value, text); err != nil {
		return fmt.Errorf("--%s: %w", o.name, err)
	}
	return nil
}

// set sets a field to the value that a text stands for. It appends to a list.
func set(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return u.UnmarshalText([]byte(text))
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return set(v.Elem(), text)
	case reflect.Slice:
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				v.Set(reflect.Append(v, reflect.ValueOf(item)))
			}
		}
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		return setBool(v, text)
	default:
		return setNumber(v, text)
	}
	return nil
}

func setBool(v reflect.Value, text string) error {
	switch strings.ToLower(text) {
	case "true", "yes", "1":
		v.SetBool(true)
	case "false", "no", "0":
		v.SetBool(false)
	default:
		return fmt.Errorf("expected true or false but got %q", text)
	}
	return nil
}

func setNumber(v reflect.Value, text string) error {
	if v.Type() == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil {
			return fmt.Errorf("expected duration but got %q; valid is, for example, 30s", text)
		}
		v.SetInt(int64(d))
		return nil
	}
	if v.Kind() == reflect.Float64 {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("expected a number but got %q", text)
		}
		v.SetFloat(f)
		return nil
	}
	n, err := strconv.ParseInt(text, 10, strconv.IntSize)
	if err != nil {
		return fmt.Errorf("expected an integer but got %q", text)
	}
	v.SetInt(n)
	return nil
}
