package config

import "strings"

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
