package docs_test

import (
	"crypto/sha256"
	"fmt"
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
		require.Equal(t, "skill://"+name+"/SKILL.md", skill.URI)
		require.NotEmpty(t, skill.Frontmatter["description"])
		require.LessOrEqual(t, len(skill.Frontmatter["description"]), 1024)
		require.Less(t, strings.Count(skill.Content, "\n"), 500)
		require.Equal(t, fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(skill.Content))), skill.Digest)
	}
}

func TestTheFrontmatterOfASkillIsItsYAML(t *testing.T) {
	t.Parallel()
	for _, skill := range docs.Skills() {
		_, rest, found := strings.Cut(skill.Content, "---\n")
		require.True(t, found)
		head, _, found := strings.Cut(rest, "\n---\n")
		require.True(t, found)
		var want map[string]string
		require.NoError(t, yaml.Unmarshal([]byte(head), &want))
		require.Equal(t, want, skill.Frontmatter)
	}
}

func TestSkillsReferToPagesThatExist(t *testing.T) {
	t.Parallel()
	links := regexp.MustCompile(docs.Scheme + `[a-z/-]+`)
	for _, skill := range docs.Skills() {
		found := links.FindAllString(skill.Content, -1)
		require.NotEmpty(t, found, skill.URI)
		for _, uri := range found {
			page, ok := docs.Lookup(uri)
			require.True(t, ok, "%s refers to %s", skill.URI, uri)
			require.Equal(t, page.URI, uri)
		}
	}
}

// The plugins for AI tools in deploy/plugin hold the same files.
func TestThePluginHoldsTheSkills(t *testing.T) {
	t.Parallel()
	for _, skill := range docs.Skills() {
		file := filepath.Join("..", "..", "deploy", "plugin", "skills", skill.Frontmatter["name"], "SKILL.md")
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(skill.Content), 0o644))
		}
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, skill.Content, string(content), "run go test ./internal/docs -update")
	}
}
