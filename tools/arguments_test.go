package tools

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/schemas"
)

// Whatever the arguments, they are decoded to what they say or refused in
// sentences; nothing panics, and no refusal runs on.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"ConversationSid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","Target":"webhook","Configuration.Url":"https://example.com","Configuration.Filters":["onMessageAdded"],"Configuration.ReplayAfter":0}`,
		`{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":["\ud83d\ude00","\\u"]}`,
		`{"ConversationSid":"x","ConversationSid":"y","Target":"studio","Configuration.ReplayAfter":1e400}`,
		`{"a":{"b":[1,{"c":null}]},"\ud800":-1.5e-999999999}`,
		"{\"a\\nb\":\"\\ud800\"}",
		`{"ConversationSid":"x","Page":1e9223372036854775807}`, `{"ConversationSid":[[[[[[[["x"]]]]]]]]}`,
		`[]`, `"x"`, `null`, ``, `5`,
	} {
		f.Add([]byte(seed))
	}
	c := newChecker(schemas.CreateConversationWebhook.Input())
	f.Fuzz(func(t *testing.T, raw []byte) {
		if len(raw) > 0 && !json.Valid(raw) {
			return // JSON-RPC lets no other arguments through
		}
		if r := (&reader{rest: raw}); len(raw) > 0 {
			got := r.value(nil)
			var want any
			d := json.NewDecoder(bytes.NewReader(raw))
			d.UseNumber()
			require.NoError(t, d.Decode(&want))
			if len(r.problems) == 0 {
				require.Equal(t, numberless(want), numberless(got), "it reads what encoding/json reads")
			}
		}
		in, err := decode[schemas.CreateConversationWebhookInput](c, raw)
		if err != nil {
			require.IsType(t, argumentError{}, err)
			require.NotEmpty(t, err.Error())
			require.Less(t, len(err.Error()), 10_000)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		again, err := json.Marshal(in)
		require.NoError(t, err)
		repeated, err := decode[schemas.CreateConversationWebhookInput](c, again)
		require.NoError(t, err)
		require.Equal(t, in.ConversationSid, repeated.ConversationSid)
		require.Equal(t, in.ReplayAfter, repeated.ReplayAfter)
		require.NotEmpty(t, in.ConversationSid)
		require.True(t, strings.Contains("webhook trigger studio", in.Target))
	})
}

// numberless takes the numbers out of a value; the reader writes them anew.
func numberless(value any) any {
	switch v := value.(type) {
	case json.Number:
		return "a number"
	case map[string]any:
		for name := range v {
			v[name] = numberless(v[name])
		}
	case []any:
		for i := range v {
			v[i] = numberless(v[i])
		}
	}
	return value
}
