package program

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client of 2026-07-28 that can ask its user gets a question, and repeats the call
// with the answer. Each call is a process of its own: nothing is kept between them.
//
// Not parallel: each process opens a port, which another test may have chosen.
func TestADeleteIsConfirmedByTheUser(t *testing.T) {
	delete := func(capabilities, more string, args ...string) (result struct {
		ResultType        string
		RequestState      string
		InputRequests     map[string]struct{ Method, Params any }
		StructuredContent map[string]any
		Content           []any
	}) {
		message := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"delete_conversation_webhook",`+
			`"arguments":{"ConversationSid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","Sid":"WH00000000000000000000000000000002"},`+
			`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":%s}%s}}`, capabilities, more)
		stdout, _, err := runProgram(t, environment(), message+"\n", append([]string{"--sandbox", "--toolsets", "manage"}, args...)...)
		require.NoError(t, err)
		var response struct{ Result json.RawMessage }
		require.NoError(t, json.Unmarshal([]byte(stdout), &response), stdout)
		require.NoError(t, json.Unmarshal(response.Result, &result), stdout)
		return result
	}
	asked := delete(`{"elicitation":{}}`, "")
	require.Equal(t, "input_required", asked.ResultType)
	require.Nil(t, asked.StructuredContent)
	require.Equal(t, "elicitation/create", asked.InputRequests["confirm"].Method)
	params := asked.InputRequests["confirm"].Params.(map[string]any)
	require.Equal(t, "form", params["mode"])
	require.Contains(t, params["message"], "Delete the webhook WH00000000000000000000000000000002")

	answer := func(text string) string {
		return `,"inputResponses":{"confirm":` + text + `},"requestState":"` + asked.RequestState + `"`
	}
	declined := delete(`{"elicitation":{}}`, answer(`{"action":"decline"}`))
	require.Equal(t, map[string]any{"sid": "WH00000000000000000000000000000002", "deleted": false}, declined.StructuredContent)
	require.Equal(t, "complete", declined.ResultType)
	done := delete(`{"elicitation":{"form":{}}}`, answer(`{"action":"accept","content":{"confirm":true}}`))
	require.Equal(t, map[string]any{"sid": "WH00000000000000000000000000000002", "deleted": true}, done.StructuredContent)
	require.Equal(t, "input_required", delete(`{"elicitation":{}}`, strings.Replace(answer(`{"action":"accept","content":{"confirm":true}}`), asked.RequestState, "x", 1)).ResultType)

	for _, acts := range [][]string{{`{}`}, {`{"elicitation":{}}`, "--confirm=false"}} {
		require.Equal(t, true, delete(acts[0], "", acts[1:]...).StructuredContent["deleted"])
	}
}
