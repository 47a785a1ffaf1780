package config

import "strings"

// value returns the value of a variable, without white space around it, which
// files and Kubernetes Secrets often have. An empty value counts as not set, and so
// does ${user_config.NAME}: it is what a client passes for an optional setting of
// a bundle that its user left empty, https://github.com/modelcontextprotocol/mcpb.
func (lookup LookupFunc) value(name string) string {
	value, _ := lookup(name)
	value = strings.TrimSpace(value)
	setting, ok := strings.CutPrefix(value, "${user_config.")
	if ok && strings.HasSuffix(setting, "}") && strings.Count(setting, "{")+strings.Count(setting, "}") == 1 {
		return ""
	}
	return value
}

// isPlaceholder reports whether a value is one that no client replaced, such as
// ${TWILIO_EDGE} or ${TWILIO_EDGE:-}.
func isPlaceholder(value string) bool {
	return strings.HasPrefix(value, "${") && strings.HasSuffix(value, "}")
}
