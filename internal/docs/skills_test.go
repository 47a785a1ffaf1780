package docs_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"twilio-conversations-mcp/internal/docs"
)

// The rules are those of https://agentskills.io/specification.
func TestSkillsFollowTheSpecification(t *testing.T) {
	t.Parallel()
	require.Len(t, docs.Skills(), 2)
	for _, skill := range docs.Skills() {
		name := skill.Frontmatter["name"]
		require.Regexp(t, `^[a-z0-9]+(-[a-z0-9]+)*$`, name)
		require.LessOrEqual(t, len(name), 64)
		require.Equal(t, "skill://"+name, skill.Directory)
		require.NotEmpty(t, skill.Frontmatter["description"])
		require.LessOrEqual(t, len(skill.Frontmatter["description"]), 1024)
		require.Equal(t, "SKILL.md", skill.Files[0].Path)
		require.Less(t, strings.Count(skill.Files[0].Content(), "\n"), 500)
	}
}

func TestTheFrontmatterOfASkillIsItsYAML(t *testing.T) {
	t.Parallel()
	for _, skill := range docs.Skills() {
		_, rest, found := strings.Cut(skill.Files[0].Content(), "---\n")
		require.True(t, found)
		head, _, found := strings.Cut(rest, "\n---\n")
		require.True(t, found)
		var want map[string]string
		require.NoError(t, yaml.Unmarshal([]byte(head), &want))
		require.Equal(t, want, skill.Frontmatter)
	}
}

func TestTheLinksOfASkillLeadToItsFiles(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(`\]\(([^):]+)\)`)
	for _, skill := range docs.Skills() {
		linked := map[string]bool{"SKILL.md": true}
		for _, link := range links.FindAllStringSubmatch(skill.Files[0].Content(), -1) {
			linked[link[1]] = true
		}
		for _, file := range skill.Files {
			require.True(t, linked[file.Path], file.Path)
			require.NotEmpty(t, file.Content())
			delete(linked, file.Path)
		}
		require.Empty(t, linked, "links of %s that lead nowhere", skill.Directory)
	}
}

func TestTheDigestOfASkillFileIsItsHash(t *testing.T) {
	t.Parallel()
	require.Equal(t, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", docs.Digest("abc"))
}

// The plugins for AI tools in deploy/plugin hold the same files.
func TestThePluginHoldsTheSkills(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..", "deploy", "plugin", "skills")
	if *update {
		require.NoError(t, os.RemoveAll(root))
	}
	count := 0
	for _, skill := range docs.Skills() {
		for _, file := range skill.Files {
			count++
			name := filepath.Join(root, skill.Frontmatter["name"], filepath.FromSlash(file.Path))
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
				require.NoError(t, os.WriteFile(name, []byte(file.Content()), 0o644))
			}
			content, err := os.ReadFile(name)
			require.NoError(t, err, "run go test ./internal/docs -update")
			require.Equal(t, file.Content(), string(content), "run go test ./internal/docs -update")
		}
	}
	var found int
	require.NoError(t, filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found++
		}
		return err
	}))
	require.Equal(t, count, found, "files that no skill has")
}
