package program

import (
	"bytes"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/stretchr/testify/require"
)

// Every tool with a conversation asks clients to mirror it, and no other.
func TestTheRoutingHeaderIsAskedForByEveryToolWithAConversation(t *testing.T) {
	t.Parallel()
	base, _, end := serving(t, environment(), "--sandbox", "--http=127.0.0.1:0", "--docs=false", "--toolsets=all", "--routing-header")
	for _, query := range []string{"", "toolsets=manage"} {
		_, answer := post(t, base, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+modern+`}}`, func(r *http.Request) {
			r.URL.RawQuery = query
			r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", "tools/list")
		})
		var list struct {
			Result struct {
				Tools []struct {
					Name        string
					InputSchema json.RawMessage
				}
			}
		}
		require.NoError(t, json.Unmarshal([]byte(answer), &list))
		require.NotEmpty(t, list.Result.Tools)
		for _, tool := range list.Result.Tools {
			schema := mcp.NewToolWithRawSchema(tool.Name, "", tool.InputSchema)
			require.NoError(t, mcp.ValidateParamHeaderAnnotations(&schema), tool.Name)
			var want []mcp.ParamHeaderBinding
			if bytes.Contains(tool.InputSchema, []byte(`"ConversationSid":`)) {
				want = []mcp.ParamHeaderBinding{{Path: []string{"ConversationSid"}, Header: "ConversationSid"}}
			}
			require.Equal(t, want, mcp.ExtractParamHeaderBindings(&schema), tool.Name)
		}
	}
	require.NoError(t, end())
}
