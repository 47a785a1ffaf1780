package program

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
)

// callDocumentation calls a tool of /docs/mcp, without any credentials, and
// returns the structured content.
func callDocumentation(t *testing.T, url, tool, arguments string) (content map[string]any) {
	t.Helper()
	status, answer := post(t, url+"/docs", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments), nil)
	require.Equal(t, http.StatusOK, status)
	var response struct {
		Result struct {
			StructuredContent map[string]any `json:"structuredContent"`
			IsError           bool           `json:"isError"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &response), answer)
	require.False(t, response.Result.IsError, answer)
	return response.Result.StructuredContent
}

// page returns the body of a page.
func page(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(text)
}

// The first page that a search finds answers each question.
func TestTheDocumentationAloneAnswersQuestions(t *testing.T) {
	t.Parallel()
	url, _, end := serving(t, environment(), "--http", "127.0.0.1:0")
	for question, answer := range map[string]string{
		"which event fires when a participant leaves":                   "`onParticipantRemoved` | a participant leaves",
		"what does ReplayAfter 0 do":                                    "`0` | every message of the conversation is delivered again",
		"why is a sixth webhook refused, with which code":               "refused with code 50361",
		"how to name a conversation whose unique name has a slash":      `{"ConversationSid": "support/42"}`,
		"what to do after a 503 on create":                              "the webhooks. If the one you wanted is there, use it.",
		"can I use upper case GET as method":                            "in lower case",
		"does a keyword match when it is part of a longer word":         "Whether a keyword matches inside a longer word",
		"how do I change the target of a webhook":                       "different target means",
		"is it safe to call create again after a timeout":               "The webhook may have been created, although the call failed",
		"a message that I sent with the REST API does not fire webhook": "X-Twilio-Webhook-Enabled: true",
	} {
		query, err := json.Marshal(map[string]string{"query": question})
		require.NoError(t, err)
		found := callDocumentation(t, url, "search_documentation", string(query))
		first := found["results"].([]any)[0].(map[string]any)
		got := callDocumentation(t, url, "get_documentation", fmt.Sprintf(`{"uris":[%q]}`, first["uri"]))
		require.Contains(t, got["pages"].([]any)[0].(map[string]any)["content"], answer, question)
		status, _ := page(t, first["url"].(string))
		require.Equal(t, http.StatusOK, status, "the page for people")
	}
	require.NoError(t, end())
}

func TestTheDocumentationNeedsNoTokenAndOffersNothingElse(t *testing.T) {
	t.Parallel()
	url, logged, end := serving(t, environment("MCP_AUTH_TOKEN", "secret-0123456789"), "--sandbox", "--http", "127.0.0.1:0")
	status, _ := post(t, url, listDocumented, nil)
	require.Equal(t, http.StatusUnauthorized, status)
	require.Len(t, callDocumentation(t, url, "search_documentation", `{}`)["results"], len(docs.All()))

	_, answer := post(t, url+"/docs", listDocumented, nil)
	require.Contains(t, answer, "there is no tool")
	_, answer = post(t, url+"/docs", `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`, nil)
	require.Contains(t, answer, "are on the endpoint /mcp, not on this one.")
	_, answer = post(t, url+"/docs", `{"jsonrpc":"2.0","id":1,"method":"prompts/list"}`, nil)
	require.NotContains(t, answer, "connect_bot")
	status, _ = post(t, url+"/docs", `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":"`+strings.Repeat("x", 64<<10)+`"}}`, nil)
	require.Equal(t, http.StatusRequestEntityTooLarge, status)

	status, body := page(t, url+"/")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, body, "Bearer YOUR_TOKEN")
	require.NotContains(t, body, "secret-0123456789")
	require.NoError(t, end())
	require.NotContains(t, logged.String(), "secret-0123456789")
}

func TestAddressesInThePagesAreThoseOfTheOperator(t *testing.T) {
	t.Parallel()
	url, _, end := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0", "--public-url", "https://mcp.example.com/twilio/")
	_, body := page(t, url+"/")
	require.Contains(t, body, "https://mcp.example.com/twilio/mcp")
	require.Contains(t, body, "https://mcp.example.com/twilio/docs/mcp")
	require.NotContains(t, body, url)
	found := callDocumentation(t, url, "search_documentation", `{"query":"limits"}`)
	require.Equal(t, "https://mcp.example.com/twilio/docs/guides/limits", found["results"].([]any)[0].(map[string]any)["url"])
	_, body = page(t, url+"/llms.txt")
	require.Contains(t, body, "(https://mcp.example.com/twilio/docs/guides/limits.md)")
	require.NoError(t, end())

	url, _, end = serving(t, environment(), "--sandbox", "--http", "0.0.0.0:0", "--allow-anonymous")
	url = "http://127.0.0.1" + url[strings.LastIndex(url, ":"):]
	_, body = page(t, url+"/")
	require.Contains(t, body, "http://HOST:")
	_, body = page(t, url+"/llms.txt")
	require.Contains(t, body, "(docs/guides/limits.md)")
	found = callDocumentation(t, url, "search_documentation", `{"query":"limits"}`)
	require.NotContains(t, found["results"].([]any)[0], "url", "no address that does not work")
	require.NoError(t, end())
}

func TestTheDocumentationCanBeDisabled(t *testing.T) {
	t.Parallel()
	url, _, end := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0", "--docs=false")
	for _, path := range []string{"/", "/docs/guides/events", "/docs/mcp", "/llms.txt"} {
		status, _ := page(t, url+path)
		require.Equal(t, http.StatusNotFound, status, path)
	}
	status, _ := post(t, url, listDocumented, nil)
	require.Equal(t, http.StatusOK, status)
	require.NoError(t, end())
}

func TestTheDocumentationToolsetNeedsNoCredentials(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment(), `{"jsonrpc":"2.0","id":1,"method":"tools/list"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"get_documentation","arguments":{"uris":["limits"]}}}
{"jsonrpc":"2.0","id":3,"method":"prompts/list"}`, "--toolsets", "docs")
	require.NoError(t, err)
	require.NotContains(t, stdout, "conversation_webhook\"")
	require.Contains(t, stdout, "# Limits")
	require.NotContains(t, stdout, "connect_bot")
}

// In both eras of the protocol: resources, templates, completion and prompts.
func TestModelsCanReadThePagesAsResources(t *testing.T) {
	t.Parallel()
	for _, meta := range []string{``, `,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`} {
		unknown := map[bool]string{true: `"code":-32002`, false: `"code":-32602`}[meta == ""]
		for request, want := range map[string]string{
			`"method":"resources/list","params":{"cursor":null%s}`:                                      `"uri":"twilio-conversations://docs/operations/create"`,
			`"method":"resources/templates/list","params":{"cursor":null%s}`:                            `"uriTemplate":"twilio-conversations://docs/guides/{guide}"`,
			`"method":"resources/read","params":{"uri":"twilio-conversations://docs/guides/events"%s}`:  `# Events`,
			`"method":"resources/read","params":{"uri":"twilio-conversations://docs/guides/nothing"%s}`: unknown,
			`"method":"resources/read","params":{"uri":"other://x"%s}`:                                  unknown,
			`"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"twilio-conversations://docs/operations/{operation}"},"argument":{"name":"operation","value":"c"}%s}`: `"values":["create","check-conversation-webhooks"]`,
			`"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"connect_bot"},"argument":{"name":"Events","value":"onDel"}%s}`:                                        `"values":["onDeliveryUpdated"]`,
			`"method":"prompts/list","params":{"cursor":null%s}`:                                                `"name":"connect_studio_flow"`,
			`"method":"prompts/get","params":{"name":"audit_webhooks","arguments":{"ConversationSid":"CH1"}%s}`: `list_conversation_webhooks`,
			`"method":"prompts/get","params":{"name":"audit_webhooks","arguments":{}%s}`:                        `"code":-32602`,
		} {
			stdout, _, err := runProgram(t, environment(), `{"jsonrpc":"2.0","id":1,`+fmt.Sprintf(request, meta)+`}`, "--sandbox")
			require.NoError(t, err)
			require.Contains(t, stdout, want, request)
		}
	}
}
