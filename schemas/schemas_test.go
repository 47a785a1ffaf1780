package schemas_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	reflector "github.com/invopop/jsonschema"
	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/schemas"
)

var update = flag.Bool("update", false, "write schemas/*.json from the Go types")

// tools lists the types that the schemas of each tool are generated from.
var tools = []struct {
	name          string
	input, output any
}{
	{"list_conversation_webhooks", schemas.ListConversationWebhooksInput{}, schemas.ListConversationWebhooksOutput{}},
	{"create_conversation_webhook", schemas.CreateConversationWebhookInput{}, schemas.CreateConversationWebhookOutput{}},
	{"ensure_conversation_webhook", schemas.CreateConversationWebhookInput{}, schemas.EnsureConversationWebhookOutput{}},
	{"fetch_conversation_webhook", schemas.FetchConversationWebhookInput{}, schemas.FetchConversationWebhookOutput{}},
	{"update_conversation_webhook", schemas.UpdateConversationWebhookInput{}, schemas.UpdateConversationWebhookOutput{}},
	{"delete_conversation_webhook", schemas.DeleteConversationWebhookInput{}, schemas.DeleteConversationWebhookOutput{}},
	{"list_conversations", schemas.ListConversationsInput{}, schemas.ListConversationsOutput{}},
	{"list_participant_conversations", schemas.ListParticipantConversationsInput{}, schemas.ListParticipantConversationsOutput{}},
	{"fetch_conversation", schemas.FetchConversationInput{}, schemas.FetchConversationOutput{}},
	{"list_conversation_services", schemas.ListConversationServicesInput{}, schemas.ListConversationServicesOutput{}},
	{"check_conversation_webhooks", schemas.CheckConversationWebhooksInput{}, schemas.CheckConversationWebhooksOutput{}},
	{"fetch_webhook_configuration", schemas.FetchWebhookConfigurationInput{}, schemas.FetchWebhookConfigurationOutput{}},
	{"update_webhook_configuration", schemas.UpdateWebhookConfigurationInput{}, schemas.UpdateWebhookConfigurationOutput{}},
	{"list_address_configurations", schemas.ListAddressConfigurationsInput{}, schemas.ListAddressConfigurationsOutput{}},
	{"search_documentation", schemas.SearchDocumentationInput{}, schemas.SearchDocumentationOutput{}},
	{"get_documentation", schemas.GetDocumentationInput{}, schemas.GetDocumentationOutput{}},
}

// Not parallel: with -update it writes what the other tests read.
func TestThePublishedSchemasComeFromTheTypes(t *testing.T) {
	for _, tool := range tools {
		t.Run(tool.name, func(t *testing.T) {
			publish(t, tool.name+".input.json", generate(t, tool.input, true))
			publish(t, tool.name+".output.json", generate(t, tool.output, false))
		})
	}
	files, err := filepath.Glob("*.json")
	require.NoError(t, err)
	require.Len(t, files, 2*len(tools), "a schema of no tool")
}

// publish compares a file with what it should be, and writes it first if the tests
// run with -update.
func publish(t *testing.T, file string, want []byte) {
	t.Helper()
	if *update {
		require.NoError(t, os.WriteFile(file, want, 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got), "stale: run go test ./schemas -update")
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

func TestResponsesFitTheOutputSchemas(t *testing.T) {
	t.Parallel()
	for file, tools := range map[string][]string{
		"documented_list.json":       {"list_conversation_webhooks"},
		"documented_list_empty.json": {"list_conversation_webhooks"},
		"real_list.json":             {"list_conversation_webhooks"},
		"sparse_list.json":           {"list_conversation_webhooks"},
		"documented_create.json":     {"create_conversation_webhook", "ensure_conversation_webhook", "fetch_conversation_webhook", "update_conversation_webhook"},
		"real_create.json":           {"create_conversation_webhook", "ensure_conversation_webhook", "fetch_conversation_webhook", "update_conversation_webhook"},
		"sparse_create.json":         {"create_conversation_webhook", "ensure_conversation_webhook", "fetch_conversation_webhook", "update_conversation_webhook"},
		"deleted.json":               {"delete_conversation_webhook"},
	} {
		for _, tool := range tools {
			t.Run(tool+"/"+file, func(t *testing.T) { t.Parallel(); fits(t, tool+".output.json", file) })
		}
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
		"items", "enum", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems",
	}
	for _, tool := range tools {
		t.Run(tool.name, func(t *testing.T) {
			t.Parallel()
			root := decode(t, tool.name+".input.json")
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

// Converters of clients drop these keywords, so the descriptions say the same.
func TestLimitsAreInTheDescriptionsToo(t *testing.T) {
	t.Parallel()
	for _, tool := range tools {
		for name, property := range decode(t, tool.name+".input.json")["properties"].(map[string]any) {
			property := property.(map[string]any)
			description := property["description"].(string)
			for _, value := range asList(property["enum"]) {
				require.Contains(t, description, value, name)
			}
			if pattern, ok := property["pattern"].(string); ok {
				require.Contains(t, description, pattern[1:3]+" and 32 hexadecimal digits", name)
			}
			if maximum, ok := property["maximum"].(float64); ok {
				require.Contains(t, description, fmt.Sprintf("%v to %v", property["minimum"], maximum), name)
			}
		}
	}
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// A schema is the same whatever tools are offered.
func TestDescriptionsOfParametersMentionNoTool(t *testing.T) {
	t.Parallel()
	for _, tool := range tools {
		for _, kind := range []string{".input.json", ".output.json"} {
			b, err := os.ReadFile(tool.name + kind)
			require.NoError(t, err)
			require.NotRegexp(t, `[a-z]_(conversation_webhook|documentation)`, string(b))
		}
	}
}

func TestEnsureTakesWhatCreateTakes(t *testing.T) {
	t.Parallel()
	require.Equal(t, string(schemas.CreateConversationWebhook.Input()), string(schemas.EnsureConversationWebhook.Input()))
}

func TestOutputsAreOpenAndNullable(t *testing.T) {
	t.Parallel()
	for _, tool := range tools {
		file := tool.name + ".output.json"
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, "object", decode(t, file)["type"])
		require.NotContains(t, string(b), "additionalProperties")
		require.NotContains(t, string(b), `"required"`, "a response without a field is still a response")
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

func TestASchemaThatIsNotPublishedPanics(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { schemas.Contract[struct{}]("nothing").Input() })
}
