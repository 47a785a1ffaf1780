package clients

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// maxFile is how long a client's file may be, in bytes.
const maxFile = 16 << 20

// Write puts the entry for a client into the client's file. It keeps everything else
// in the file, and a copy of the file as it was, and says on stderr what it did.
// The environment says where the file is.
func Write(stderr io.Writer, name string, o Options, environment func(string) string) error {
	client, err := Find(name)
	if err != nil {
		return err
	}
	if _, err := client.Config(o); err != nil {
		return err
	}
	path, err := client.find(runtime.GOOS, environment)
	if err != nil {
		return err
	}
	backup, err := client.write(path, o.complete())
	switch {
	case errors.Is(err, errUnchanged):
		fmt.Fprintf(stderr, "%s has this entry already; nothing was changed.\n", path)
		return nil
	case err != nil:
		return fmt.Errorf("%s was not changed: %w; add the entry that config %s prints by hand", path, err, client.Name)
	}
	fmt.Fprintf(stderr, "The entry is in %s.\n", path)
	if backup != "" {
		fmt.Fprintf(stderr, "The file as it was is in %s.\n", backup)
	}
	client.explain(stderr, o)
	return nil
}

// find returns the path of the client's file on a system.
func (c Client) find(goos string, environment func(string) string) (string, error) {
	path := c.path
	switch {
	case goos == "darwin":
		path = cmp.Or(c.darwin, c.path)
	case goos == "windows" && c.windowsStore != "" && isDirectory(filepath.Dir(expand(c.windowsStore, environment))):
		path = c.windowsStore
	case goos == "windows":
		path = cmp.Or(c.windows, c.path)
	}
	if path == "" {
		return "", fmt.Errorf("config --write knows no file of %s on this system: add the entry to %s", c.Title, c.File)
	}
	expanded := expand(path, environment)
	if strings.ContainsAny(path[:1], "~%") && !filepath.IsAbs(expanded) {
		return "", fmt.Errorf("the environment does not say where %s is", path)
	}
	return filepath.Abs(expanded)
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// expand replaces the home directory or a variable at the beginning of a path.
func expand(path string, environment func(string) string) string {
	if rest, ok := strings.CutPrefix(path, "~/"); ok {
		home := cmp.Or(environment("HOME"), environment("USERPROFILE"))
		return filepath.Join(home, filepath.FromSlash(rest))
	}
	if rest, ok := strings.CutPrefix(path, "%"); ok {
		variable, rest, _ := strings.Cut(rest, "%")
		return filepath.Join(environment(variable), filepath.FromSlash(rest))
	}
	return filepath.FromSlash(path)
}

var errUnchanged = errors.New("the file has the entry already")

// write puts the entry into a file, and returns the path of the copy of the file as it
// was, if it existed.
func (c Client) write(path string, o Options) (backup string, err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	before, mode, err := readFile(path)
	if err != nil {
		return "", err
	}
	after, err := c.merge(before, o)
	if err != nil {
		return "", err
	}
	if bytes.Equal(before, after) {
		return "", errUnchanged
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	if before != nil {
		backup = path + "." + time.Now().Format("20060102-150405.000") + ".bak"
		if err := writeNew(backup, before, mode); err != nil {
			return "", err
		}
	}
	return backup, replace(path, after, mode)
}

// readFile returns the content and the mode of a file, or nil if there is none.
func readFile(path string) ([]byte, fs.FileMode, error) {
	info, err := os.Stat(path) // before it is opened: a pipe would block
	if errors.Is(err, fs.ErrNotExist) {
		return nil, 0o600, nil
	}
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		return nil, 0, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(content) > maxFile {
		err = fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	return append([]byte{}, content...), info.Mode().Perm(), err
}

// replace replaces a file in one step: nobody ever sees half of it.
func replace(path string, content []byte, mode fs.FileMode) error {
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	if err := writeNew(temporary, content, mode); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		return errors.Join(err, os.Remove(temporary))
	}
	return nil
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, content []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
}

// merge returns the content of a file with the entry in it.
func (c Client) merge(before []byte, o Options) ([]byte, error) {
	text := bytes.TrimPrefix(before, []byte("\ufeff"))
	switch isEmpty := len(bytes.TrimSpace(text)) == 0; {
	case bytes.HasPrefix(text, []byte{0xFE, 0xFF}), bytes.HasPrefix(text, []byte{0xFF, 0xFE}):
		return nil, errors.New("it is UTF-16, which the client does not read")
	case isEmpty:
		return []byte(c.text(o)), nil
	case string(before) == c.text(o):
		return before, nil
	case c.format == tomlFormat:
		return c.appendTable(before, o)
	case c.format == yamlFormat:
		return nil, errors.New("it is YAML, into which entries cannot be put without losing its comments")
	}
	return c.mergeJSON(text, o)
}

// appendTable appends the table of the server to a file in TOML.
func (c Client) appendTable(before []byte, o Options) ([]byte, error) {
	table := c.text(o)
	switch {
	case bytes.Contains(before, []byte(table)):
		return before, nil
	case bytes.Contains(before, []byte(o.Name)):
		return nil, fmt.Errorf("it names %s already", o.Name)
	}
	return fmt.Appendf(nil, "%s\n\n%s", bytes.TrimRight(before, " \t\r\n"), table), nil
}
