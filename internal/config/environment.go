package config

import (
	"strings"

	"github.com/alecthomas/kong"
)

// An environment sets flags by the variables in their tags. The env tag of kong
// reads the environment of the process, not the one passed to [Parse].
type environment struct {
	lookup LookupFunc
	source map[string]string // the variable that set a flag, by the flag's name
}

func (e environment) resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	variable := flag.Tag.Get("variable")
	value := e.lookup.value(variable)
	if value == "" {
		return nil, nil
	}
	e.source[flag.Name] = variable
	return value, nil
}

// sourceOf names the variable that set the flag of which err speaks.
func (e environment) sourceOf(err error) string {
	flag, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--"), ":")
	if variable, ok := e.source[flag]; ok {
		return variable + ": "
	}
	return ""
}

// value returns the value of a variable. An empty value counts as not set, and so
// does ${user_config.NAME}: it is what a client passes for an optional setting of
// a bundle that its user left empty, https://github.com/modelcontextprotocol/mcpb.
func (lookup LookupFunc) value(name string) string {
	value, _ := lookup(name)
	setting, ok := strings.CutPrefix(value, "${user_config.")
	if ok && strings.HasSuffix(setting, "}") && strings.Count(setting, "{")+strings.Count(setting, "}") == 1 {
		return ""
	}
	return value
}

func helpWithVariable(v *kong.Value) string {
	if variable := v.Tag.Get("variable"); variable != "" {
		return v.Help + " [$" + variable + "]"
	}
	return v.Help
}
