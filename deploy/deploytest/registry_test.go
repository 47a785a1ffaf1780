package deploytest

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// The registry whose schema is checked and whose publisher the release runs.
const registryModule = "github.com/modelcontextprotocol/registry@v1.8.7"

// registrySchema returns the schema of server.json as the registry validates it.
func registrySchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", registryModule).Output()
	require.NoError(t, err)
	var module struct{ Dir string }
	require.NoError(t, json.Unmarshal(out, &module))
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join(module.Dir, "internal/validators/schemas/2025-12-11.json"))
	require.NoError(t, err)
	return schema
}

// A serverJSON is the part of server.json that the tests read.
type serverJSON struct {
	Name     string
	Version  string
	Packages []struct {
		RegistryType         string
		Identifier           string
		FileSHA256           string `json:"fileSha256"`
		EnvironmentVariables []struct{ Name string }
		PackageArguments     []struct{ Name string }
	}
}

func decodeServerJSON(t *testing.T, text []byte) (s serverJSON) {
	t.Helper()
	require.NoError(t, json.Unmarshal(text, &s))
	return s
}

func TestServerJSONFitsTheSchemaOfTheRegistry(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../server.json")
	require.NoError(t, err)
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	schema := registrySchema(t)
	require.NoError(t, schema.Validate(document))

	document.(map[string]any)["description"] = strings.Repeat("x", 101)
	require.Error(t, schema.Validate(document), "the schema limits the description to 100 characters")
}

func TestServerJSONNamesSettingsOfTheProgram(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../server.json")
	require.NoError(t, err)
	flags, variables := help(t)
	for _, p := range decodeServerJSON(t, text).Packages {
		for _, variable := range p.EnvironmentVariables {
			require.Contains(t, variables, variable.Name)
		}
		for _, argument := range p.PackageArguments {
			require.Contains(t, flags, argument.Name)
		}
	}
}

func TestServerJSONOfAReleaseHasNoPlaceholders(t *testing.T) {
	t.Parallel()
	bundle := filepath.Join(t.TempDir(), "bundle")
	require.NoError(t, os.WriteFile(bundle, []byte("abc"), 0o600))
	text, err := exec.CommandContext(t.Context(), "../server-json.sh", "Example/servers", "1.2.3", bundle).Output()
	require.NoError(t, err)

	s := decodeServerJSON(t, text)
	require.Equal(t, "io.github.Example/twilio-conversations-mcp", s.Name)
	require.Equal(t, "1.2.3", s.Version)
	require.Equal(t, "ghcr.io/example/twilio-conversations-mcp:1.2.3", s.Packages[0].Identifier)
	require.Equal(t, "https://github.com/Example/servers/releases/download/v1.2.3/twilio-conversations-mcp.mcpb", s.Packages[1].Identifier)
	require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", s.Packages[1].FileSHA256)
	for _, placeholder := range []string{"OWNER", "REPOSITORY", "0.0.0"} {
		require.NotContains(t, string(text), placeholder)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, registrySchema(t).Validate(document))
}
