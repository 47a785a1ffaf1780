package tools

import (
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/docs"
)

// SkillResources returns the files of all skills.
func SkillResources() (all []Resource) {
	for _, skill := range docs.Skills() {
		for _, file := range skill.Files {
			definition := skillResource(skill, file)
			all = append(all, Resource{definition, func() mcp.TextResourceContents {
				return mcp.TextResourceContents{URI: definition.URI, MIMEType: markdownType, Text: file.Content()}
			}})
		}
	}
	return all
}

// skillResource describes a file of a skill. SKILL.md has the name and the
// description of the skill, as SEP-2640 recommends.
func skillResource(skill docs.Skill, file docs.SkillFile) mcp.Resource {
	name := file.Path[strings.LastIndexByte(file.Path, '/')+1:]
	if file.Path == "SKILL.md" {
		name = skill.Frontmatter["name"]
	}
	resource := mcp.NewResource(skill.Directory+"/"+file.Path, name, mcp.WithMIMEType(markdownType), mcp.WithResourceDescription(file.Description))
	resource.Title = file.Title
	return resource
}

// skillEntry is a Skill of SEP-2640.
type skillEntry struct {
	URI         string            `json:"uri"`
	Frontmatter map[string]string `json:"frontmatter"`
	Resources   []skillManifest   `json:"resources"`
}

// skillManifest is a SkillResource of SEP-2640.
type skillManifest struct {
	URI    string `json:"uri"`
	Digest string `json:"digest"`
	Size   int    `json:"size"` // bytes
}

func newSkillEntry(skill docs.Skill) skillEntry {
	entry := skillEntry{URI: skill.Directory + "/SKILL.md", Frontmatter: skill.Frontmatter}
	for _, file := range skill.Files {
		content := file.Content()
		entry.Resources = append(entry.Resources, skillManifest{skill.Directory + "/" + file.Path, docs.Digest(content), len(content)})
	}
	return entry
}

// ListSkills returns the result of skills/list.
func ListSkills() map[string]any {
	entries := []skillEntry{}
	for _, skill := range docs.Skills() {
		entries = append(entries, newSkillEntry(skill))
	}
	return map[string]any{"skills": entries}
}

// GetSkill returns the result of skills/get for the URI of a SKILL.md, or false
// if there is no such skill.
func GetSkill(uri string) (map[string]any, bool) {
	for _, skill := range docs.Skills() {
		if uri == skill.Directory+"/SKILL.md" {
			return map[string]any{"skill": newSkillEntry(skill)}, true
		}
	}
	return nil, false
}

// ReadSkillDirectory returns the result of resources/directory/read for the URI of
// the directory of a skill or of its guides, or false if there is no such directory.
func ReadSkillDirectory(uri string) (map[string]any, bool) {
	var children []mcp.Resource
	for _, skill := range docs.Skills() {
		switch guides := skill.Directory + "/references"; uri {
		case skill.Directory:
			children = []mcp.Resource{
				skillResource(skill, skill.Files[0]),
				mcp.NewResource(guides, "references", mcp.WithMIMEType("inode/directory")),
			}
		case guides:
			for _, file := range skill.Files[1:] {
				children = append(children, skillResource(skill, file))
			}
		}
	}
	return map[string]any{"resources": children}, children != nil
}
