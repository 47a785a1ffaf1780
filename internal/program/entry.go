package program

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"twilio-conversations-mcp/internal/clients"
	"twilio-conversations-mcp/internal/config"
)

// entry prints the entry for an AI tool, or puts it into the tool's file.
func entry(cfg *config.Config, lookup config.LookupFunc, stdout, stderr io.Writer) error {
	query, err := narrowingQuery(cfg)
	if err != nil {
		return err
	}
	o := clients.Options{URL: cfg.Config.URL, Query: query, Token: config.HasTokens(lookup), Windows: runtime.GOOS == "windows"}
	if o.URL == "" {
		o.Command, o.Args, o.Env = command(stderr), cfg.ServerFlags, clientEnvironment(lookup)
	}
	if !cfg.Config.Write {
		return clients.Print(stdout, stderr, cfg.Config.Client, o)
	}
	value := func(name string) string { value, _ := lookup(name); return value }
	return clients.Write(stderr, cfg.Config.Client, o, value)
}

// command returns what starts this program: its name if PATH leads to it, else its
// path. A program of go run or go test is gone when the client wants it.
func command(stderr io.Writer) string {
	path, err := os.Executable()
	if err != nil || onPath(path) {
		return clients.DefaultCommand
	}
	if isTemporary(path) {
		fmt.Fprintln(stderr, "This program is a temporary one of go run: install it with go install . and put the directory that go env GOBIN or GOPATH names on PATH, or give the full path of the program in the entry.")
		return clients.DefaultCommand
	}
	return path
}

// onPath reports whether the name of the program leads to the file at path.
func onPath(path string) bool {
	found, err := exec.LookPath(clients.DefaultCommand)
	if err != nil {
		return false
	}
	a, errA := os.Stat(found)
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// isTemporary reports whether a program is in a directory of the go command, which
// removes it.
func isTemporary(path string) bool {
	for element := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if rest, ok := strings.CutPrefix(element, "go-build"); ok && strings.Trim(rest, "0123456789") == "" {
			return true
		}
	}
	return false
}

// clientEnvironment returns the variables of connections that are set. Clients
// withhold them from the servers that they start. The URL of a proxy may hold a
// password.
func clientEnvironment(lookup config.LookupFunc) (all []clients.Variable) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE"} {
		if value, ok := lookup(name); ok && value != "" {
			u, err := url.Parse(value)
			isProxy := strings.HasSuffix(strings.ToLower(name), "s_proxy")
			all = append(all, clients.Variable{Name: name, Value: value, Secret: isProxy && (err != nil || u.User != nil || strings.Contains(value, "@"))})
		}
	}
	return all
}
