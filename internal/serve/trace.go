package serve

import "strings"

// traceID returns the trace id of a traceparent as W3C Trace Context defines
// it: version-traceid-parentid-flags, in lower-case hexadecimal digits. Versions
// after 00 may add further parts.
func traceID(traceparent string) (id string, ok bool) {
	if traceparent == "" || len(traceparent) > 512 {
		return "", false
	}
	parts := strings.Split(traceparent, "-")
	if len(parts) < 4 || parts[0] == "ff" || parts[0] == "00" && len(parts) > 4 {
		return "", false
	}
	for i, length := range []int{2, 32, 16, 2} {
		if len(parts[i]) != length || strings.Trim(parts[i], "0123456789abcdef") != "" {
			return "", false
		}
	}
	id = parts[1]
	return id, strings.Trim(id, "0") != "" && strings.Trim(parts[2], "0") != ""
}
