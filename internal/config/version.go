package config

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// Version returns the version that this program was built as, or "dev".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "(devel)" {
		return cmp.Or(info.Main.Version, "dev")
	}
	return "dev"
}

// VersionString describes the program in one line: version, commit and Go
// version.
func VersionString() string {
	commit, goVersion := "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		goVersion = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				commit = s.Value
			}
		}
	}
	return fmt.Sprintf("twilio-conversations-mcp %s (commit %s, %s)", Version(), commit, goVersion)
}
