package clients

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const readmeFile = "../../README.md"

// table returns the clients as a table, with install links for stdio where a client
// has them.
func table() string {
	var b strings.Builder
	b.WriteString("| Client | `config` | File | HTTP | Secrets | Tried with |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, c := range all {
		reach := "`--url`"
		if c.urlMember == "-" {
			reach = c.connectors
		}
		title := c.Title
		if config, err := c.Config(Options{}); err == nil && config.Link != "" {
			title += fmt.Sprintf(" ([install](%s))", config.Link)
		}
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", title, c.Name, c.File, reach, c.Secrets, cmp.Or(c.Tried, "untried"))
	}
	return b.String()
}

var tableInReadme = regexp.MustCompile("(?m)^\\| Client \\| `config` .*\n(\\|.*\n)+")

func TestTheReadmeHasTheTableOfClients(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(readmeFile)
	require.NoError(t, err)
	if flag.Lookup("update").Value.String() == "true" {
		readme = tableInReadme.ReplaceAllLiteral(readme, []byte(table()))
		require.NoError(t, os.WriteFile(readmeFile, readme, 0o644))
	}
	require.Equal(t, table(), string(tableInReadme.Find(readme)), "stale: run go test ./internal/clients -update")
}
