package docs

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"strings"
	"sync"
)

// A Skill is instructions for a task, in the format of
// https://agentskills.io/specification.
type Skill struct {
	URI         string // such as skill://receive-twilio-webhooks/SKILL.md
	Frontmatter map[string]string
	Content     string // with the frontmatter
	Digest      string // of the content, such as sha256:e3b0…
}

//go:embed skills/*/SKILL.md
var skillFiles embed.FS

// Skills returns every skill.
func Skills() []Skill { return skills() }

var skills = sync.OnceValue(func() []Skill {
	var all []Skill
	for _, name := range []string{"twilio-conversation-webhooks", "receive-twilio-webhooks"} {
		content, err := skillFiles.ReadFile("skills/" + name + "/SKILL.md")
		if err != nil {
			panic("docs: " + err.Error()) // the file was built in
		}
		digest := sha256.Sum256(content)
		all = append(all, Skill{
			URI:         "skill://" + name + "/SKILL.md",
			Frontmatter: frontmatter(string(content)),
			Content:     string(content),
			Digest:      "sha256:" + hex.EncodeToString(digest[:]),
		})
	}
	return all
})

// frontmatter reads the lines "name: text" between the two lines "---" at the
// beginning of a skill, which is all of YAML that the skills use.
func frontmatter(content string) map[string]string {
	fields := map[string]string{}
	head, _, _ := strings.Cut(strings.TrimPrefix(content, "---\n"), "\n---\n")
	for line := range strings.Lines(head) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fields[name] = text
	}
	return fields
}
