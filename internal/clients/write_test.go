package clients_test

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/clients"
)

// A home is a home directory with the file of a client.
type home struct {
	t    *testing.T
	dir  string
	path string
}

func newHome(t *testing.T, path, content string) home {
	t.Helper()
	h := home{t, t.TempDir(), ""}
	h.path = filepath.Join(h.dir, filepath.FromSlash(path))
	if content != "" {
		require.NoError(t, os.MkdirAll(filepath.Dir(h.path), 0o755))
		require.NoError(t, os.WriteFile(h.path, []byte(content), 0o640))
	}
	return h
}

func (h home) write(client string, o clients.Options) (stderr string, err error) {
	h.t.Helper()
	var b bytes.Buffer
	err = clients.Write(&b, client, o, func(name string) string { return map[string]string{"HOME": h.dir}[name] })
	return b.String(), err
}

func (h home) content() string {
	h.t.Helper()
	content, err := os.ReadFile(h.path)
	require.NoError(h.t, err)
	return string(content)
}

// backups returns the content of the copies beside the file.
func (h home) backups() (all []string) {
	h.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(h.path))
	require.NoError(h.t, err)
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), ".bak") {
			content, err := os.ReadFile(filepath.Join(filepath.Dir(h.path), entry.Name()))
			require.NoError(h.t, err)
			all = append(all, string(content))
		} else {
			require.Equal(h.t, filepath.Base(h.path), entry.Name(), "nothing else is left")
		}
	}
	return all
}

const cursorFile = ".cursor/mcp.json"

func TestAFileIsMadeAndThenLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHome(t, cursorFile, "")
	stderr, err := h.write("cursor", clients.Options{})
	require.NoError(t, err)
	require.Equal(t, "The entry is in "+h.path+".\nThe entry refers to environment variables.\n", stderr)
	require.Equal(t, config(t, "cursor", clients.Options{}).Entry, h.content())
	stderr, err = h.write("cursor", clients.Options{})
	require.NoError(t, err)
	require.Equal(t, h.path+" has this entry already; nothing was changed.\n", stderr)
	require.Empty(t, h.backups())
}

func TestWhatElseIsInAFileStays(t *testing.T) {
	t.Parallel()
	const before = "\ufeff{\r\n\t\"zeta\": 1.0e+2, \"mcpServers\": {\"other\": {\"url\": \"https://x.example/?a=1&b=<2>\"},\r\n" +
		"\t\t\"twilio-conversations\": {\"command\": \"old\"}, \"last\": {}},\r\n\t\"alpha\": [1, \"\\u00e9\"]\r\n}\r\n"
	h := newHome(t, cursorFile, before)
	stderr, err := h.write("cursor", clients.Options{URL: endpoint})
	require.NoError(t, err)
	require.Contains(t, stderr, "The file as it was is in "+h.path+".")
	require.Equal(t, `{
	"zeta": 1.0e+2,
	"mcpServers": {
		"other": {
			"url": "https://x.example/?a=1&b=<2>"
		},
		"twilio-conversations": {
			"url": "https://mcp.example.com/mcp"
		},
		"last": {}
	},
	"alpha": [
		1,
		"\u00e9"
	]
}
`, h.content())
	require.Equal(t, []string{before}, h.backups())
	if runtime.GOOS != "windows" {
		info, err := os.Stat(h.path)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	}
	stderr, err = h.write("cursor", clients.Options{URL: endpoint})
	require.NoError(t, err)
	require.Contains(t, stderr, "nothing was changed")
	require.Len(t, h.backups(), 1)
}

func TestAFileThatCannotBeReadIsNotChanged(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ client, path, before, want string }{
		{"cursor", cursorFile, "{\n  // mine\n  \"mcpServers\": {}\n}", "it is not plain JSON, which has no comments and no duplicate names"},
		{"cursor", cursorFile, `{"mcpServers": {},}`, "it is not plain JSON"},
		{"cursor", cursorFile, `{"mcpServers": {}, "mcpServers": {}}`, "duplicate"},
		{"cursor", cursorFile, `{"mcpServers": {}} {}`, "something follows its JSON object"},
		{"cursor", cursorFile, `[]`, "it is not a JSON object"},
		{"cursor", cursorFile, `{"mcpServers": []}`, "in mcpServers, it is not a JSON object"},
		{"cursor", cursorFile, "\xff\xfe{\x00}\x00", "it is UTF-16, which the client does not read"},
		{"cursor", cursorFile, `{"a": "` + "\xff" + `"}`, "UTF-8"},
		{"goose", ".config/goose/config.yaml", "# mine\nextensions: {}\n", "it is YAML, into which entries cannot be put without losing its comments"},
		{"codex", ".codex/config.toml", "[mcp_servers.twilio-conversations]\ncommand = \"old\"\n", "it names twilio-conversations already"},
	} {
		h := newHome(t, row.path, row.before)
		stderr, err := h.write(row.client, clients.Options{})
		require.ErrorContains(t, err, h.path+" was not changed: ", row.before)
		require.ErrorContains(t, err, row.want)
		require.ErrorContains(t, err, "; add the entry that config "+row.client+" prints by hand")
		require.Empty(t, stderr)
		require.Equal(t, row.before, h.content())
		require.Empty(t, h.backups())
	}
}

func TestAFileThatIsNoneOrTooLongIsRefused(t *testing.T) {
	t.Parallel()
	h := newHome(t, cursorFile, strings.Repeat(" ", 16<<20+1))
	_, err := h.write("cursor", clients.Options{})
	require.ErrorContains(t, err, "it is longer than 16777216 bytes")
	h = newHome(t, cursorFile, "")
	require.NoError(t, os.MkdirAll(h.path, 0o755)) // as for a pipe, which must not be opened
	_, err = h.write("cursor", clients.Options{})
	require.ErrorContains(t, err, "it is not a regular file")
}

func TestYAMLThatHasTheEntryIsLeftAlone(t *testing.T) {
	t.Parallel()
	h := newHome(t, ".config/goose/config.yaml", "")
	for _, want := range []string{"The entry is in ", "has this entry already"} {
		stderr, err := h.write("goose", clients.Options{})
		require.NoError(t, err)
		require.Contains(t, stderr, want)
		require.Equal(t, config(t, "goose", clients.Options{}).Entry, h.content())
	}
}

func TestServersThatAreNullAreNone(t *testing.T) {
	t.Parallel()
	h := newHome(t, cursorFile, `{"mcpServers": null}`)
	_, err := h.write("cursor", clients.Options{})
	require.NoError(t, err)
	require.Equal(t, config(t, "cursor", clients.Options{}).Entry, h.content())
}

func TestAnEmptyFileGetsTheEntry(t *testing.T) {
	t.Parallel()
	for _, before := range []string{" \n", "\ufeff"} {
		h := newHome(t, cursorFile, before)
		_, err := h.write("cursor", clients.Options{})
		require.NoError(t, err)
		require.Equal(t, config(t, "cursor", clients.Options{}).Entry, h.content())
		require.Equal(t, []string{before}, h.backups())
	}
}

func TestALinkToAFileStaysALink(t *testing.T) {
	t.Parallel()
	h := newHome(t, "dotfiles/mcp.json", `{"mcpServers": {}}`)
	link := filepath.Join(h.dir, filepath.FromSlash(cursorFile))
	require.NoError(t, os.MkdirAll(filepath.Dir(link), 0o755))
	if err := os.Symlink(h.path, link); err != nil {
		t.Skip("no symbolic links: ", err)
	}
	_, err := h.write("cursor", clients.Options{})
	require.NoError(t, err)
	info, err := os.Lstat(link)
	require.NoError(t, err)
	require.NotZero(t, info.Mode()&os.ModeSymlink)
	require.Equal(t, config(t, "cursor", clients.Options{}).Entry, h.content())
	require.Equal(t, []string{`{"mcpServers": {}}`}, h.backups())
}

func TestATableIsAppendedToTOML(t *testing.T) {
	t.Parallel()
	h := newHome(t, ".codex/config.toml", "# mine\nmodel = \"x\"")
	for range 2 {
		_, err := h.write("codex", clients.Options{})
		require.NoError(t, err)
		require.Equal(t, "# mine\nmodel = \"x\"\n\n"+config(t, "codex", clients.Options{}).Entry, h.content())
		require.Equal(t, []string{"# mine\nmodel = \"x\""}, h.backups())
	}
}

func TestAClientWithoutAFileIsRefused(t *testing.T) {
	t.Parallel()
	h := newHome(t, cursorFile, "")
	_, err := h.write("n8n", clients.Options{URL: endpoint})
	require.ErrorContains(t, err, "config --write knows no file of n8n on this system: add the entry to the canvas")
	_, err = h.write("emacs", clients.Options{})
	require.ErrorContains(t, err, `unknown client "emacs"`)
	_, err = h.write("cursor", clients.Options{URL: "ftp://x"})
	require.ErrorContains(t, err, "the URL must be")
}
