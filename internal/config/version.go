package config

import (
	"fmt"
	"runtime/debug"
)

// Version is the version this program was built as, or "dev".
func Version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// Build describes the program in one line: version, commit and Go version.
func Build() string {
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
