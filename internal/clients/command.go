package clients

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// claudeCommand stores the entry for the user in all projects. A flag stands between
// the variables, of which there may be any number, and the name.
func claudeCommand(c Client, o Options) []string {
	arguments := []string{"claude", "mcp", "add"}
	if o.URL != "" {
		arguments = append(arguments, "--transport", "http")
		if o.Token {
			arguments = append(arguments, "--header", "Authorization: "+c.authorization())
		}
		return append(arguments, "--scope", "user", o.Name, o.URL)
	}
	return slices.Concat(arguments, c.envFlags(o), []string{"--scope", "user", o.Name, "--", o.Command}, o.Args)
}

// envFlags returns a flag for each variable of the server.
func (c Client) envFlags(o Options) (flags []string) {
	env := c.environment(o)
	for _, name := range slices.Sorted(maps.Keys(env)) {
		flags = append(flags, fmt.Sprintf("--env=%s=%s", name, env[name]))
	}
	return flags
}

// codeCommand is empty where VS Code has to ask for a secret: --add-mcp takes
// no inputs. It takes nothing but JSON.
func codeCommand(c Client, o Options) []string {
	entry := c.entry(o)
	if len(c.inputs(o, entry)) > 0 {
		return nil
	}
	entry["name"] = o.Name
	return []string{"code", "--add-mcp", string(compact(entry))}
}

// codexCommand is empty for stdio: --env would write the secret into the file,
// and env_vars has no flag.
func codexCommand(_ Client, o Options) []string {
	if o.URL == "" {
		return nil
	}
	arguments := []string{"codex", "mcp", "add", o.Name, "--url", o.URL}
	if o.Token {
		arguments = append(arguments, "--bearer-token-env-var", tokenVariable)
	}
	return arguments
}

// geminiCommand is also that of Qwen Code, which descends from Gemini CLI.
func geminiCommand(c Client, o Options) []string {
	arguments := []string{c.Name, "mcp", "add", "--scope", "user"}
	if o.URL == "" {
		return slices.Concat(arguments, c.envFlags(o), []string{o.Name, o.Command}, o.Args)
	}
	arguments = append(arguments, "--transport", "http")
	if o.Token {
		arguments = append(arguments, "--header", "Authorization: "+c.authorization())
	}
	return append(arguments, o.Name, o.URL)
}

// shell joins the arguments of a command for a POSIX shell or for PowerShell. In
// single quotes, neither expands anything.
func shell(arguments []string, powerShell bool) string {
	quoted := make([]string, len(arguments))
	for i, a := range arguments {
		switch {
		case isPlain(a):
			quoted[i] = a
		case powerShell: // which passes a quotation mark on only if it is escaped
			quoted[i] = "'" + strings.NewReplacer("'", "''", `"`, `\"`).Replace(a) + "'"
		default:
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// isPlain reports whether an argument means itself in every shell.
func isPlain(argument string) bool {
	return argument != "" && !strings.ContainsFunc(argument, func(r rune) bool { return !isName(string(r)) && !strings.ContainsRune("./:=+", r) })
}
