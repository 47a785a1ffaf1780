package tools_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/tools"
)

// read calls a documentation tool, which needs no Twilio client, and decodes its
// structured content.
func read[Output any](t *testing.T, all []tools.Tool, tool, arguments string) (out Output, text string) {
	t.Helper()
	i := slices.IndexFunc(all, func(t tools.Tool) bool { return t.Definition.Name == tool })
	result, info := all[i].Call(t.Context(), nil, tools.Request{Arguments: json.RawMessage(arguments)})
	require.False(t, result.IsError, texts(t, result))
	require.Zero(t, info)
	require.NoError(t, json.Unmarshal(result.RawStructuredContent, &out))
	return out, texts(t, result)[0]
}

// refuse calls a documentation tool, which must fail, and returns the text.
func refuse(t *testing.T, tool, arguments string) string {
	t.Helper()
	all := choose(t, "docs")
	i := slices.IndexFunc(all, func(t tools.Tool) bool { return t.Definition.Name == tool })
	result, _ := all[i].Call(t.Context(), nil, tools.Request{Arguments: json.RawMessage(arguments)})
	require.True(t, result.IsError)
	require.Nil(t, result.RawStructuredContent)
	require.Contains(t, result.Meta.AdditionalFields, "error")
	return texts(t, result)[0]
}

func TestASearchReturnsEachPageOnceWithAPassage(t *testing.T) {
	t.Parallel()
	found, text := read[schemas.SearchDocumentationOutput](t, choose(t, "docs"), search, `{"query":"which event fires when a participant leaves"}`)
	require.Equal(t, "twilio-conversations://docs/guides/events", found.Results[0].URI)
	require.Equal(t, "guide", found.Results[0].Type)
	require.Contains(t, found.Results[0].Passage, "onParticipantRemoved")
	require.Empty(t, found.Results[0].URL, "there are no web pages")
	require.NotContains(t, text, "\n", "compact JSON")
	var same schemas.SearchDocumentationOutput
	require.NoError(t, json.Unmarshal([]byte(text), &same))
	require.Equal(t, found, same)
}

func TestASearchWithoutAQueryListsEveryPage(t *testing.T) {
	t.Parallel()
	for _, arguments := range []string{``, `{}`, `{"query":""}`, `{"query":null,"type":null}`, `{"type":""}`} {
		found, _ := read[schemas.SearchDocumentationOutput](t, choose(t, "docs"), search, arguments)
		require.Equal(t, len(docs.All()), found.Total)
		require.Len(t, found.Results, len(docs.All()))
	}
	guides, _ := read[schemas.SearchDocumentationOutput](t, choose(t, "docs"), search, `{"type":"guide"}`)
	require.Equal(t, len(docs.All())-13, guides.Total)
}

func TestASearchWithoutAMatchSaysWhatToTry(t *testing.T) {
	t.Parallel()
	all := choose(t, "docs")
	i := slices.IndexFunc(all, func(t tools.Tool) bool { return t.Definition.Name == search })
	result, _ := all[i].Call(t.Context(), nil, tools.Request{Arguments: json.RawMessage(`{"query":"zebra"}`)})
	require.False(t, result.IsError)
	require.Equal(t, `{"total":0,"results":[]}`, string(result.RawStructuredContent))
	require.Equal(t, []string{`{"total":0,"results":[]}`,
		"No page matches. Try an error code, or the name of a parameter or an event; without query, the result is every page."}, texts(t, result))
}

func TestResultsHaveTheURLsOfWebPagesWhereThereAreSome(t *testing.T) {
	t.Parallel()
	all, err := tools.Select(tools.Selection{Toolsets: []string{"all"}, Pages: "https://example.com/twilio"})
	require.NoError(t, err)
	found, _ := read[schemas.SearchDocumentationOutput](t, all, search, `{"query":"50361"}`)
	require.Equal(t, "https://example.com/twilio/docs/guides/limits", found.Results[0].URL)
}

func TestGetReturnsPagesByAnyOfTheirNames(t *testing.T) {
	t.Parallel()
	got, text := read[schemas.GetDocumentationOutput](t, choose(t, "docs"), get,
		`{"uris":["events","twilio-conversations://docs/operations/create","events","guides/events","nothing"]}`)
	require.Len(t, got.Pages, 2)
	events, _ := docs.Lookup("events")
	create, _ := docs.Lookup("create")
	require.Equal(t, schemas.DocumentationPage{URI: events.URI, Title: "Events", Type: "guide", Content: events.Content()}, got.Pages[0])
	require.Equal(t, create.URI, got.Pages[1].URI)
	require.Equal(t, []string{"nothing"}, got.Missing)
	require.True(t, strings.HasPrefix(text, events.Content()+"\n\n---\n\n"+create.Content()), "the text is the Markdown itself")
	require.Contains(t, text, "There is no page nothing. The pages are list, create,")
}

// A model reads a page by what it has seen of it.
func TestAPageIsReadByWhatASearchReturns(t *testing.T) {
	t.Parallel()
	all, err := tools.Select(tools.Selection{Toolsets: []string{"docs"}, Pages: "https://example.com/twilio"})
	require.NoError(t, err)
	found, _ := read[schemas.SearchDocumentationOutput](t, all, search, `{}`)
	for _, r := range found.Results {
		for _, name := range []string{r.URI, r.URL, r.Title, strings.ToUpper(r.Title), r.URL + "#errors"} {
			arguments, err := json.Marshal(map[string]any{"uris": []string{name}})
			require.NoError(t, err)
			got, _ := read[schemas.GetDocumentationOutput](t, all, get, string(arguments))
			require.Equal(t, r.URI, got.Pages[0].URI, name)
		}
	}
}

func TestDocumentationToolsRefuseInvalidArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ tool, arguments, want string }{
		{get, `{}`, "uris is required."},
		{get, `{"uris":[]}`, "uris must not be empty."},
		{get, `{"uris":"events"}`, "uris must be an array of strings, not a string."},
		{get, `{"uris":["a","b","c","d","e","f","g","h","i","j","k"]}`, "uris must have at most 10 items, not 11."},
		{get, `{"uris":["nothing"]}`, `There is no page "nothing". The pages are list, create, fetch, update, delete, list-conversations,`},
		{get, `{"uris":["` + strings.Repeat("x", 5000) + `"]}`, "There is no page"},
		{search, `{"query":"` + strings.Repeat("x", 401) + `"}`, "query must have at most 400 characters, not 401."},
		{search, `{"type":"topic"}`, "type must be operation or guide"},
		{search, `{"q":"x"}`, `q is not a parameter; use query, type.`},
		{search, `{"query":7}`, "query must be a string, not a number."},
	} {
		text := refuse(t, c.tool, c.arguments)
		require.True(t, strings.HasPrefix(text, "The arguments are invalid. "), text)
		require.Contains(t, text, c.want)
		require.Less(t, len(text), 800)
	}
}

func TestEveryPageIsAResource(t *testing.T) {
	t.Parallel()
	resources := tools.Resources()
	require.Len(t, resources, len(docs.All()))
	for i, p := range docs.All() {
		r := resources[i].Definition
		require.Equal(t, []string{p.URI, p.Name, p.Title, p.Description, "text/markdown"}, []string{r.URI, r.Name, r.Title, r.Description, r.MIMEType})
		require.Equal(t, []mcp.Role{mcp.RoleAssistant, mcp.RoleUser}, r.Annotations.Audience)
		require.Equal(t, map[docs.Kind]float64{docs.Operation: 0.8, docs.Guide: 0.5}[p.Kind], *r.Annotations.Priority)
		require.Equal(t, docs.LastModified, r.Annotations.LastModified)
		require.Equal(t, mcp.TextResourceContents{URI: p.URI, MIMEType: "text/markdown", Text: p.Content()}, resources[i].Read())
	}
}

func TestATemplateDescribesEachKindOfPage(t *testing.T) {
	t.Parallel()
	templates := tools.ResourceTemplates()
	require.Len(t, templates, 2)
	for i, uri := range []string{"twilio-conversations://docs/operations/{operation}", "twilio-conversations://docs/guides/{guide}"} {
		require.Equal(t, uri, templates[i].URITemplate.Raw())
		require.NotEmpty(t, templates[i].Description)
	}
}

func TestNamesOfPagesAreCompleted(t *testing.T) {
	t.Parallel()
	const operations, guides = "twilio-conversations://docs/operations/{operation}", "twilio-conversations://docs/guides/{guide}"
	for _, c := range []struct {
		uri, argument, typed string
		want                 []string
	}{
		{operations, "operation", "", []string{"list", "create", "fetch", "update", "delete", "list-conversations", "list-participant-conversations", "fetch-conversation",
			"list-conversation-services", "check-conversation-webhooks", "fetch-webhook-configuration", "update-webhook-configuration", "list-address-configurations"}},
		{operations, "operation", "C", []string{"create", "check-conversation-webhooks"}},
		{guides, "guide", "e", []string{"events", "errors"}},
		{guides, "guide", "zebra", nil},
		{guides, "operation", "l", nil},
		{"other://{guide}", "guide", "", nil},
	} {
		require.Equal(t, c.want, tools.Complete(c.uri, c.argument, c.typed))
	}
}

func TestInstructionsNameEveryPageInSixtyWords(t *testing.T) {
	t.Parallel()
	for _, toolsets := range [][]string{{"webhooks"}, {"docs"}, {"all"}} {
		text := tools.Instructions(choose(t, toolsets...))
		require.LessOrEqual(t, len(strings.Fields(text+" "+tools.DocsEndpoint)), 60, text)
		for _, p := range docs.All() {
			require.Contains(t, text, p.Name)
		}
		require.Equal(t, toolsets[0] != "webhooks", strings.Contains(text, get), text)
		require.Equal(t, toolsets[0] == "docs", strings.HasPrefix(text, "Documentation of"), text)
	}
}
