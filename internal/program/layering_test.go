package program

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// imports returns what each of our packages imports, without their tests. Paths
// of our own packages come without the path of the module, such as /tools.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-C", root, "-f", `{{.Module.Path}} {{.ImportPath}} {{join .Imports " "}}`, "./...").Output()
	require.NoError(t, err)
	all := map[string][]string{}
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		module := paths[0]
		for i := range paths {
			paths[i] = strings.TrimPrefix(paths[i], module)
		}
		all[paths[1]] = paths[2:]
	}
	return all
}

// allowedImports lists, for each of our packages, which others it may import.
var allowedImports = map[string][]string{
	"":                    {"/internal/program"},
	"/internal/program":   {"/internal/access", "/internal/call", "/internal/clients", "/internal/config", "/internal/copies", "/internal/events", "/internal/listen", "/internal/logging", "/internal/metrics", "/internal/serve", "/internal/web", "/internal/web/app", "/tools", "/twilioapi", "/twilioapi/sandbox"},
	"/internal/access":    {},
	"/internal/call":      {"/internal/serve"},
	"/internal/clients":   {},
	"/internal/config":    {"/internal/access", "/internal/copies", "/internal/events", "/internal/listen", "/internal/serve", "/twilioapi", "/twilioapi/sandbox"},
	"/internal/copies":    {"/twilioapi"},
	"/internal/docs":      {},
	"/internal/events":    {"/internal/signature", "/twilioapi"},
	"/internal/listen":    {"/internal/signature"},
	"/internal/logging":   {},
	"/internal/markup":    {},
	"/internal/metrics":   {},
	"/internal/serve":     {"/internal/access"},
	"/internal/signature": {},
	"/internal/web":       {"/internal/clients", "/internal/docs", "/internal/markup"},
	"/internal/web/app":   {},
	"/schemas":            {},
	"/tools":              {"/internal/docs", "/schemas", "/twilioapi"},
	"/twilioapi":          {},
	"/twilioapi/sandbox":  {"/internal/markup", "/internal/signature"},
}

func TestPackagesImportOnlyTheLayersBelow(t *testing.T) {
	t.Parallel()
	all := imports(t)
	require.Len(t, all, len(allowedImports), "allowedImports must list every package")
	for pkg, imported := range all {
		for _, path := range imported {
			if strings.HasPrefix(path, "/") {
				require.Contains(t, allowedImports[pkg], path, "%s must not import %s", pkg, path)
			}
		}
	}
}

// importers lists, for each library, which of our packages may import it.
var importers = map[string][]string{
	"github.com/gomodule/redigo":         {"/internal/copies"},
	"github.com/coreos/go-oidc/v3":       {"/internal/access"},
	"github.com/go-json-experiment/json": {"/internal/clients", "/internal/events", "/internal/serve", "/tools", "/twilioapi"},
	"golang.org/x/sync":                  {"/internal/events", "/internal/serve"},
	"golang.org/x/time":                  {"/internal/serve"},
	"github.com/mark3labs/mcp-go":        {"/internal/call", "/internal/program", "/internal/serve", "/internal/web", "/internal/web/app", "/tools"},
}

func TestLibrariesAreImportedWhereTheyBelong(t *testing.T) {
	t.Parallel()
	for pkg, imported := range imports(t) {
		for _, path := range imported {
			if first, _, _ := strings.Cut(path, "/"); !strings.Contains(first, ".") {
				continue // the standard library, or ours
			}
			require.True(t, mayImport(pkg, path), "%s must not import %s", pkg, path)
		}
	}
}

// What only tests and generators need is not linked into the program.
func TestTheProgramLinksNoLibraryOfTheTests(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-C", root, "-deps", ".").Output()
	require.NoError(t, err)
	for pkg := range strings.FieldsSeq(string(out)) {
		require.NotRegexp(t, `^(github\.com/(invopop|prometheus|stretchr|yuin)/|testing$)`, pkg)
	}
}

func mayImport(pkg, path string) bool {
	for library, packages := range importers {
		if (path == library || strings.HasPrefix(path, library+"/")) && slices.Contains(packages, pkg) {
			return true
		}
	}
	return false
}

func TestTheRootHasNoGoCodeButMain(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	require.NoError(t, err)
	require.Equal(t, []string{filepath.Join(root, "main.go")}, files)
}

// A process that is started for every chat prepares nothing that it may not need:
// regular expressions, templates and tables are made when they are first used.
func TestPackagesPrepareNothingAtTheStart(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), build(t), "version")
	cmd.Env = []string{"GODEBUG=inittrace=1"}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Run())
	initialized := regexp.MustCompile(`(?m)^init (twilio-conversations-mcp/\S+) .* (\d+) allocs$`).FindAllStringSubmatch(stderr.String(), -1)
	require.NotEmpty(t, initialized)
	for _, match := range initialized {
		allocations, err := strconv.Atoi(match[2])
		require.NoError(t, err)
		require.LessOrEqual(t, allocations, 30, match[1])
	}
}
