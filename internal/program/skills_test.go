package program

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/docs"
)

// A skill is found in a list, described alone, read file by file and directory by
// directory; nothing else is.
func TestSkillsAreServed(t *testing.T) {
	t.Parallel()
	url, _, _ := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0")
	ask := func(method, params string) (result map[string]json.RawMessage, answer string) {
		_, answer = post(t, url, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":`+params+`}`, nil)
		var response struct{ Result map[string]json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(answer), &response))
		return response.Result, answer
	}
	list, _ := ask("skills/list", `{}`)
	var entries []struct {
		URI         string
		Frontmatter map[string]string
		Resources   []struct {
			URI, Digest string
			Size        int
		}
	}
	require.NoError(t, json.Unmarshal(list["skills"], &entries))
	require.Len(t, entries, 2)
	require.JSONEq(t, `"public"`, string(list["cacheScope"]))
	for _, entry := range entries {
		one, _ := ask("skills/get", `{"uri":"`+entry.URI+`"}`)
		var got any
		require.NoError(t, json.Unmarshal(one["skill"], &got))
		require.NotEmpty(t, got)
		require.Contains(t, string(list["skills"]), entry.URI)
		require.Equal(t, entry.Resources[0].URI, entry.URI)
		for _, file := range entry.Resources {
			read, _ := ask("resources/read", `{"uri":"`+file.URI+`"}`)
			var contents []struct{ URI, Text string }
			require.NoError(t, json.Unmarshal(read["contents"], &contents))
			require.Equal(t, file.URI, contents[0].URI)
			require.Len(t, contents[0].Text, file.Size)
			require.Equal(t, file.Digest, docs.Digest(contents[0].Text))
		}
	}
	const root = "skill://receive-twilio-webhooks"
	directory, _ := ask("resources/directory/read", `{"uri":"`+root+`"}`)
	require.Contains(t, string(directory["resources"]), `"mimeType":"inode/directory"`)
	directory, _ = ask("resources/directory/read", `{"uri":"`+root+`/references"}`)
	require.Contains(t, string(directory["resources"]), root+"/references/receiving.md")

	for method, params := range map[string]string{
		"skills/get":               `{"uri":"` + root + `"}`,
		"resources/directory/read": `{"uri":"` + root + `/SKILL.md"}`,
		"skills/list":              `{"cursor":"x"}`,
	} {
		for _, p := range []string{params, `{"uri":5}`, `{"uri":null,"cursor":[]}`} {
			if method == "skills/list" && p == `{"uri":5}` {
				continue // it has no uri
			}
			_, answer := ask(method, p)
			require.Contains(t, answer, `"code":-32602`, method+p)
		}
	}
}

// The documentation endpoint does not have the tools of which the skills speak.
func TestTheDocumentationEndpointHasNoSkills(t *testing.T) {
	t.Parallel()
	url, _, _ := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0")
	_, answer := post(t, url+"/docs", `{"jsonrpc":"2.0","id":1,"method":"skills/list","params":{}}`, nil)
	require.Contains(t, answer, `"code":-32601`)
	_, answer = post(t, url+"/docs", `{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{}}`, nil)
	require.NotContains(t, answer, "skill://")
}
