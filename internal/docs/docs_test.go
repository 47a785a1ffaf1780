package docs_test

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
)

func TestEveryFileIsAPage(t *testing.T) {
	t.Parallel()
	var files []string
	for _, folder := range []string{"operations", "guides"} {
		entries, err := os.ReadDir(folder)
		require.NoError(t, err)
		for _, e := range entries {
			files = append(files, folder+"/"+strings.TrimSuffix(e.Name(), ".md"))
		}
	}
	var pages []string
	for _, p := range docs.All() {
		pages = append(pages, p.Path())
	}
	require.ElementsMatch(t, files, pages)
}

func TestAPageHasWhatAListingShows(t *testing.T) {
	t.Parallel()
	_, err := time.Parse(time.RFC3339, docs.LastModified)
	require.NoError(t, err)
	for _, p := range docs.All() {
		require.NotEmpty(t, p.Title, p.Name)
		require.False(t, strings.HasPrefix(p.Title, "#"), p.Name)
		require.Regexp(t, `^[A-Z].{20,200}\.$`, p.Description, p.Name)
		require.Equal(t, "twilio-conversations://docs/"+p.Path(), p.URI)
		require.Equal(t, string(p.Kind)+"s", path.Dir(p.Path()))
		require.Less(t, len(p.Content()), 16<<10, "%s is longer than a few screens", p.Name)
	}
}

func TestAPageIsFoundByEachOfItsNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"events": "events", "guides/events": "events", "twilio-conversations://docs/guides/events": "events",
		"list": "list", "operations/list": "list", "list_conversation_webhooks": "list", "delete_conversation_webhook": "delete",
		"Events": "events", "EVENTS": "events", " events ": "events", "events#the-ten-events": "events", "guides/events.md": "events",
		"safe creates": "safe-creates", "Safe Creates": "safe-creates", "ReplayAfter": "replay", "create a webhook on a conversation": "create",
		"https://mcp.example.com/twilio/docs/guides/events": "events", "http://127.0.0.1:8080/docs/operations/create.md#errors": "create",
		"TWILIO-conversations://docs/guides/events": "events",
	} {
		p, ok := docs.Lookup(name)
		require.True(t, ok, name)
		require.Equal(t, want, p.Name)
	}
	for _, name := range []string{
		"", "/", "guides/list", "operations/events", "guides", "../guides/events", "#events", "event", "events_conversation_webhook",
		"twilio-conversations://docs/", "https://mcp.example.com/docs/mcp", strings.Repeat("a", 1<<20),
	} {
		_, ok := docs.Lookup(name)
		require.False(t, ok, name)
	}
}

var linkTarget = regexp.MustCompile(`\]\(([^)]*)\)`)

// Links are written as page names, so nothing else may be without a scheme.
func TestEveryLinkLeadsToAPageOrToTheWeb(t *testing.T) {
	t.Parallel()
	for _, p := range docs.All() {
		seen := 0
		text := p.Markdown(func(to docs.Page) string { seen++; return "page:" + to.Name })
		for _, link := range linkTarget.FindAllStringSubmatch(text, -1) {
			require.Regexp(t, `^(page:[a-z-]+|https://\S+)$`, link[1], p.Name)
		}
		require.Equal(t, seen, strings.Count(text, "](page:"))
		require.Positive(t, seen, "%s leads nowhere", p.Name)
	}
}

func TestLinksInTheContentAreURIsOfPages(t *testing.T) {
	t.Parallel()
	for _, p := range docs.All() {
		for _, link := range linkTarget.FindAllStringSubmatch(p.Content(), -1) {
			if strings.HasPrefix(link[1], "https://") {
				continue
			}
			to, ok := docs.Lookup(link[1])
			require.True(t, ok, "%s in %s", link[1], p.Name)
			require.Equal(t, to.URI, link[1])
		}
	}
}

func TestEveryPageIsLinkedFromAnother(t *testing.T) {
	t.Parallel()
	linked := map[string]bool{}
	for _, p := range docs.All() {
		p.Markdown(func(to docs.Page) string {
			if to.Name != p.Name {
				linked[to.Name] = true
			}
			return to.URI
		})
	}
	for _, p := range docs.All() {
		require.True(t, linked[p.Name], p.Name)
	}
}

// A search shows a row as "column: cell".
func TestNoCellOfATableIsEmpty(t *testing.T) {
	t.Parallel()
	for _, p := range docs.All() {
		require.NotRegexp(t, `(?m)^\|.*\| +\|`, p.Content(), p.Name)
	}
}

// What a guide says must have a source: every guide names public pages.
func TestEveryGuideCitesPublicPages(t *testing.T) {
	t.Parallel()
	for _, p := range docs.All() {
		require.Contains(t, p.Content(), "](https://", p.Name)
	}
}
