package docs

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// A Skill is instructions for a task, in the format of
// https://agentskills.io/specification.
type Skill struct {
	Directory   string // the URI of its directory, such as skill://receive-twilio-webhooks
	Frontmatter map[string]string
	Files       []SkillFile // SKILL.md, then the guides that it refers to, in references
}

// A SkillFile is a file of a skill, in Markdown.
type SkillFile struct {
	Path        string // below the directory of the skill, such as references/events.md
	Title       string
	Description string // one or two sentences
	Content     func() string
}

// Digest returns the SHA-256 hash of the content of a file, such as sha256:e3b0c442.
func Digest(content string) string {
	hash := sha256.Sum256([]byte(content))
	return "sha256:" + hex.EncodeToString(hash[:])
}

//go:embed skills/*/SKILL.md
var skillFiles embed.FS

// Skills returns every skill.
func Skills() []Skill { return skills() }

var skills = sync.OnceValue(func() []Skill {
	return []Skill{newSkill("twilio-conversation-webhooks"), newSkill("receive-twilio-webhooks")}
})

func newSkill(name string) Skill {
	source, err := skillFiles.ReadFile("skills/" + name + "/SKILL.md")
	if err != nil {
		panic("docs: " + err.Error()) // the file was built in
	}
	skill := Skill{Directory: "skill://" + name, Frontmatter: frontmatter(string(source))}
	_, title, _ := strings.Cut(string(source), "\n# ")
	title, _, _ = strings.Cut(title, "\n")
	self := SkillFile{"SKILL.md", title, skill.Frontmatter["description"], func() string { return string(source) }}
	skill.Files = append([]SkillFile{self}, references(string(source))...)
	return skill
}

// frontmatter reads the lines "name: text" between the two lines "---" at the
// beginning of a skill, which is all of YAML that the skills use.
func frontmatter(source string) map[string]string {
	fields := map[string]string{}
	head, _, _ := strings.Cut(strings.TrimPrefix(source, "---\n"), "\n---\n")
	for line := range strings.Lines(head) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
		fields[name] = text
	}
	return fields
}

// references returns the guides to which a skill has links such as
// [events](references/events.md).
func references(source string) (files []SkillFile) {
	for _, link := range strings.Split(source, "](references/")[1:] {
		name, _, _ := strings.Cut(link, ".md)")
		page, ok := Lookup(name)
		file := SkillFile{"references/" + name + ".md", page.Title, page.Description, page.Content}
		if ok && !slices.ContainsFunc(files, func(f SkillFile) bool { return f.Path == file.Path }) {
			files = append(files, file)
		}
	}
	return files
}
