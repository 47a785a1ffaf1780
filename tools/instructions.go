package tools

import (
	"strings"

	"twilio-conversations-mcp/internal/docs"
)

// DocsEndpoint follows the instructions of the endpoint that offers only the
// documentation.
const DocsEndpoint = "The tools that these pages name are on the endpoint /mcp, not on this one."

// Instructions describes the server of the given tools to models. Many clients
// drop it, so nothing that a model needs is said only here.
func Instructions(all []Tool) string {
	var names offered
	purpose := "Documentation of"
	for _, t := range all {
		names = append(names, t.Definition.Name)
		if *t.Definition.Annotations.OpenWorldHint {
			purpose = "Manages"
		}
	}
	return purpose + " the webhooks of Twilio conversations. " +
		names.render("Read these pages[ with get_documentation|, which are resources], instead of guessing: ") +
		docs.Scheme + "operations/" + pageList(docs.Operation) + "; " + docs.Scheme + "guides/" + pageList(docs.Guide) + "."
}

// pageList lists the names of the pages of a kind.
func pageList(kind docs.Kind) string {
	var names []string
	for _, p := range docs.All() {
		if p.Kind == kind {
			names = append(names, p.Name)
		}
	}
	return "{" + strings.Join(names, ", ") + "}"
}
