package program

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/clients"
)

func TestAProgramOfTheGoCommandIsTemporary(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"/tmp/go-build123/b001/exe/twilio-conversations-mcp":            true,
		"/home/a/.cache/go-build/ab/cd-d/twilio-conversations-mcp":      true,
		"/home/a/go/bin/twilio-conversations-mcp":                       false,
		"/home/a/go-builder/twilio-conversations-mcp":                   false,
		"/home/a/my-go-build/twilio-conversations-mcp":                  false,
		"/usr/local/bin/twilio-conversations-mcp":                       false,
		"/Users/a/Library/Caches/go-build/ab/twilio-conversations-mcp":  true,
		"/home/a/twilio-conversations-mcp/go-build-notes/server/binary": false,
	} {
		require.Equal(t, want, isTemporary(path), path)
	}
}

// An entry has the name of the program only if the name leads to this very program.
func TestTheNameStandsForTheProgramThatPATHLeadsTo(t *testing.T) {
	executable, err := os.Executable()
	require.NoError(t, err)
	t.Setenv("PATH", t.TempDir())
	require.False(t, onPath(executable), "nothing is there")
	dir := t.TempDir()
	t.Setenv("PATH", dir)
	name := filepath.Join(dir, clients.DefaultCommand)
	require.NoError(t, os.WriteFile(name, []byte("#!/bin/sh\n"), 0o755))
	require.False(t, onPath(executable), "another program is there")
	require.NoError(t, os.Remove(name))
	if err := os.Symlink(executable, name); err != nil {
		t.Skip("no symbolic links: ", err)
	}
	require.True(t, onPath(executable))
	var stderr bytes.Buffer
	require.Equal(t, clients.DefaultCommand, command(&stderr))
	require.Empty(t, stderr.String())
}

func TestVariablesOfConnectionsAreInTheEntry(t *testing.T) {
	t.Parallel()
	require.Empty(t, clientEnvironment(environment("HTTPS_PROXY", "", "HTTP_PROXY", "http://x")))
	require.Equal(t, []clients.Variable{
		{Name: "HTTPS_PROXY", Value: "http://u:hunter2@proxy:3128", Secret: true},
		{Name: "https_proxy", Value: "proxy:3128"},
		{Name: "NO_PROXY", Value: "a@b,localhost"},
		{Name: "SSL_CERT_FILE", Value: "/etc/ca.pem"},
	}, clientEnvironment(environment("HTTPS_PROXY", "http://u:hunter2@proxy:3128", "https_proxy", "proxy:3128", "NO_PROXY", "a@b,localhost", "SSL_CERT_FILE", "/etc/ca.pem")))
}

// The tests are a program of the go command, too.
func TestAnEntryIsPrintedOrWritten(t *testing.T) {
	home := t.TempDir()
	env := environment("HOME", home, "HTTPS_PROXY", "http://u:hunter2@proxy:3128")
	stdout, stderr, err := runProgram(t, env, "", "config", "cursor")
	require.NoError(t, err)
	require.Contains(t, stdout, `"command": "twilio-conversations-mcp"`)
	require.Contains(t, stdout, `"HTTPS_PROXY": "${env:HTTPS_PROXY}"`)
	require.Contains(t, stderr, "install it with go install")
	require.NotContains(t, stdout+stderr, "hunter2")
	written, stderr, err := runProgram(t, env, "", "config", "cursor", "--write")
	require.NoError(t, err)
	require.Empty(t, written)
	path := filepath.Join(home, ".cursor", "mcp.json")
	require.Contains(t, stderr, "The entry is in "+path)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, stdout, string(content))
	_, _, err = runProgram(t, env, "", "config", "emacs", "--write")
	require.ErrorContains(t, err, `unknown client "emacs": valid are claude-code, `)
	stdout, _, err = runProgram(t, env, "", "config", "cursor", "--sandbox", "--toolsets", "webhooks,Manage", "--confirm=false", "--http", "127.0.0.1:1")
	require.NoError(t, err)
	require.Regexp(t, `"args": \[\s*"--sandbox",\s*"--toolsets=webhooks,Manage",\s*"--confirm=false"\s*\]`, stdout)
	stdout, stderr, err = runProgram(t, env, "", "config", "cursor", "--url", "http://127.0.0.1:8080/mcp")
	require.NoError(t, err)
	require.NotContains(t, stdout+stderr, "go install", "the client starts nothing")
	require.NotContains(t, stdout, "HTTPS_PROXY")
}
