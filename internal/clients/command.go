package clients

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// claudeCommand stores the entry for the user in all projects. The single
// quotes keep the shell from expanding its references.
func claudeCommand(_ Client, o Options, s server) string {
	return shell("claude", "mcp", "add-json", "--scope", "user", o.Name, string(compact(s)))
}

// codeCommand is empty where VS Code has to ask for a secret: --add-mcp takes
// no inputs.
func codeCommand(c Client, o Options, s server) string {
	if len(c.inputs(s)) > 0 {
		return ""
	}
	definition := struct {
		Name string `json:"name"`
		server
	}{o.Name, s}
	return shell("code", "--add-mcp", string(compact(definition)))
}

// codexCommand is empty for stdio: --env would write the secret into the file,
// and env_vars has no flag.
func codexCommand(_ Client, o Options, _ server) string {
	if o.URL == "" {
		return ""
	}
	arguments := []string{"codex", "mcp", "add", o.Name, "--url", o.URL}
	if o.Token {
		arguments = append(arguments, "--bearer-token-env-var", tokenVariable)
	}
	return shell(arguments...)
}

func geminiCommand(c Client, o Options, s server) string {
	arguments := []string{"gemini", "mcp", "add", "--scope", "user"}
	if o.URL != "" {
		arguments = append(arguments, "--transport", "http")
		for name, value := range s.Headers {
			arguments = append(arguments, "--header", name+": "+value)
		}
		return shell(append(arguments, o.Name, o.URL)...)
	}
	for _, name := range secretVariables {
		arguments = append(arguments, fmt.Sprintf("--env=%s=%s", name, c.refer(name)))
	}
	return shell(append(arguments, o.Name, o.Command)...)
}

var plain = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_./:=@%+-]+$`) })

// shell joins the arguments of a command for a POSIX shell.
func shell(arguments ...string) string {
	quoted := make([]string, len(arguments))
	for i, a := range arguments {
		quoted[i] = a
		if !plain().MatchString(a) {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
