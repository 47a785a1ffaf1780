package schemas_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	reflector "github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/schemas"
)

var update = flag.Bool("update", false, "write schemas/*.json from the Go types")

// published lists every file with the type it is generated from.
var published = []struct {
	file   string
	source any
	closed bool
}{
	{"list_conversation_webhooks.input.json", schemas.ListConversationWebhooksInput{}, true},
	{"list_conversation_webhooks.output.json", schemas.ListConversationWebhooksOutput{}, false},
	{"create_conversation_webhook.input.json", schemas.CreateConversationWebhookInput{}, true},
	{"create_conversation_webhook.output.json", schemas.CreateConversationWebhookOutput{}, false},
}

// Not parallel: with -update it writes what the other tests read.
func TestThePublishedSchemasComeFromTheTypes(t *testing.T) {
	for _, p := range published {
		t.Run(p.file, func(t *testing.T) {
			want := generate(t, p.source, p.closed)
			if *update {
				require.NoError(t, os.WriteFile(p.file, want, 0o644))
			}
			got, err := os.ReadFile(p.file)
			require.NoError(t, err)
			require.Equal(t, string(want), string(got), "stale: run go test ./schemas -update")
		})
	}
}

// generate writes a type as JSON Schema. A field's comment becomes its
// description; a type's comment, which begins with a Go name, does not.
func generate(t *testing.T, source any, closed bool) []byte {
	t.Helper()
	r := &reflector.Reflector{
		Anonymous:                  true,
		DoNotReference:             true,
		ExpandedStruct:             true,
		RequiredFromJSONSchemaTags: true,
		AllowAdditionalProperties:  !closed,
	}
	require.NoError(t, r.AddGoComments("twilio-conversations-mcp/schemas", ".", reflector.WithFullComment()))
	for name, comment := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(comment), " ")
		if isType := strings.Count(name[strings.LastIndex(name, "/"):], ".") == 1; isType {
			delete(r.CommentMap, name)
		}
	}
	schema := r.ReflectFromType(reflect.TypeOf(source))
	schema.Version = ""
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	require.NoError(t, enc.Encode(schema))
	return out.Bytes()
}

// compile makes a validator of a published file, asserting formats as the
// strictest clients do.
func compile(t *testing.T, file string) *validator.Schema {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	doc, err := validator.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	c := validator.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("file:///schema.json", doc))
	return c.MustCompile("file:///schema.json")
}

func TestAnswersFitTheOutputSchemas(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"documented_list.json", "documented_list_empty.json", "real_list.json", "sparse_list.json"} {
		t.Run(file, func(t *testing.T) { t.Parallel(); fits(t, "list_conversation_webhooks.output.json", file) })
	}
	for _, file := range []string{"documented_create.json", "real_create.json", "sparse_create.json"} {
		t.Run(file, func(t *testing.T) { t.Parallel(); fits(t, "create_conversation_webhook.output.json", file) })
	}
}

func fits(t *testing.T, schema, answer string) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + answer)
	require.NoError(t, err)
	doc, err := validator.UnmarshalJSON(bytes.NewReader(b))
	require.NoError(t, err)
	require.NoError(t, compile(t, schema).Validate(doc))
}

// Clients drop tools, or whole tool lists, over these keywords in an input.
func TestInputsUseOnlyWhatEveryClientTakes(t *testing.T) {
	t.Parallel()
	known := []string{
		"type", "properties", "required", "additionalProperties", "description",
		"items", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum",
	}
	for _, p := range published {
		if !p.closed {
			continue
		}
		t.Run(p.file, func(t *testing.T) {
			t.Parallel()
			root := decode(t, p.file)
			require.Equal(t, "object", root["type"])
			require.Equal(t, false, root["additionalProperties"])
			for name, property := range root["properties"].(map[string]any) {
				property := property.(map[string]any)
				require.NotEmpty(t, property["description"], name)
				require.IsType(t, "", property["type"], name)
				for keyword := range property {
					require.Contains(t, known, keyword, name)
				}
				if property["type"] == "array" {
					require.Equal(t, map[string]any{"type": "string"}, property["items"], name)
				}
			}
		})
	}
}

func TestOutputsAreOpenAndNullable(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"list_conversation_webhooks.output.json", "create_conversation_webhook.output.json"} {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "object", decode(t, file)["type"])
		require.NotContains(t, string(b), "additionalProperties")
		require.NotContains(t, string(b), `"required"`, "an answer without a field is still an answer")
		require.NotContains(t, string(b), `"type": [`)
	}
}

func decode(t *testing.T, file string) (doc map[string]any) {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &doc))
	return doc
}

func TestEveryContractIsPublished(t *testing.T) {
	t.Parallel()
	require.True(t, json.Valid(schemas.ListConversationWebhooks.Input()))
	require.True(t, json.Valid(schemas.ListConversationWebhooks.Output()))
	require.True(t, json.Valid(schemas.CreateConversationWebhook.Input()))
	require.True(t, json.Valid(schemas.CreateConversationWebhook.Output()))
	require.Panics(t, func() { schemas.Contract[struct{}]("nothing").Input() })
}
