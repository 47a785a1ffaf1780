package program

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const cardPath, catalogPath = "/mcp/server-card", "/.well-known/ai-catalog.json"

// fetch sends a request without a body, and returns the response and its body.
func fetch(t *testing.T, method, url string, header http.Header) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	if header != nil {
		req.Header = header
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

// The rules are those of https://github.com/modelcontextprotocol/ext-server-card and
// https://github.com/Agent-Card/ai-catalog.
func TestTheCardDescribesTheServer(t *testing.T) {
	t.Parallel()
	url, _, _ := serving(t, environment("MCP_AUTH_TOKEN", "secret-0123456789"), "--sandbox", "--docs=false", "--http", "127.0.0.1:0", "--public-url", "https://mcp.example.com/twilio/")
	res, body := fetch(t, "GET", url+cardPath, http.Header{"Origin": {"https://anywhere.example"}})
	require.Equal(t, 200, res.StatusCode, body)
	require.Equal(t, cardType, res.Header.Get("Content-Type"))
	require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
	var card serverCard
	require.NoError(t, json.Unmarshal([]byte(body), &card))
	require.Regexp(t, `^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$`, card.Name)
	require.Equal(t, "com.example.mcp/twilio-conversations-mcp", card.Name)
	require.LessOrEqual(t, len(card.Description), 100)
	require.Equal(t, "https://mcp.example.com/twilio/mcp", card.Remotes[0].URL)
	require.Equal(t, []cardHeader{{"Authorization", "Bearer YOUR_TOKEN", true, true}}, card.Remotes[0].Headers)
	require.NotContains(t, body, "0123456789")

	const discover = `{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	_, answer := post(t, url, discover, func(r *http.Request) {
		r.Header.Set("Authorization", "Bearer secret-0123456789")
		r.Header.Set("MCP-Protocol-Version", "2026-07-28")
		r.Header.Set("Mcp-Method", "server/discover")
	})
	var discovered struct {
		Result struct {
			SupportedVersions []string
			Meta              map[string]struct{ Name, Title, Version string } `json:"_meta"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(answer), &discovered), answer)
	self := discovered.Result.Meta["io.modelcontextprotocol/serverInfo"]
	require.Equal(t, self.Name, strings.TrimPrefix(card.Name, "com.example.mcp/"), answer)
	require.Equal(t, self.Title, card.Title)
	require.Equal(t, self.Version, card.Version)
	require.ElementsMatch(t, discovered.Result.SupportedVersions, card.Remotes[0].Versions)

	_, body = fetch(t, "GET", url+catalogPath, nil)
	var catalog struct {
		SpecVersion string
		Entries     []catalogEntry
	}
	require.NoError(t, json.Unmarshal([]byte(body), &catalog))
	require.Equal(t, "1.0", catalog.SpecVersion)
	require.Equal(t, []catalogEntry{{"urn:air:mcp.example.com:mcp:twilio-conversations-mcp", card.Title, cardType, "https://mcp.example.com/twilio/mcp/server-card"}}, catalog.Entries)
}

func TestACardIsServedLikeAFile(t *testing.T) {
	t.Parallel()
	url, _, _ := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0", "--public-url", "https://mcp.example.com")
	for path, mediaType := range map[string]string{cardPath: cardType, catalogPath: catalogType} {
		res, body := fetch(t, "GET", url+path, nil)
		require.Equal(t, mediaType, res.Header.Get("Content-Type"))
		require.NotEmpty(t, body)
		again, body := fetch(t, "GET", url+path, http.Header{"If-None-Match": {res.Header.Get("ETag")}})
		require.Equal(t, 304, again.StatusCode)
		require.Empty(t, body)
		head, body := fetch(t, "HEAD", url+path, nil)
		require.Equal(t, 200, head.StatusCode)
		require.Empty(t, body)
		wrong, _ := fetch(t, "POST", url+path, nil)
		require.Equal(t, 405, wrong.StatusCode)
		preflight, _ := fetch(t, "OPTIONS", url+path, http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"GET"}})
		require.Equal(t, 204, preflight.StatusCode)
	}
}

// An address made of the Host header would be that of whoever asks.
func TestThereIsNoCardWithoutAPublicURL(t *testing.T) {
	t.Parallel()
	url, _, _ := serving(t, environment(), "--sandbox", "--http", "127.0.0.1:0")
	for _, path := range []string{cardPath, catalogPath} {
		res, _ := fetch(t, "GET", url+path, nil)
		require.Equal(t, 404, res.StatusCode, path)
	}
}

func TestTheCardAndTheRegistryAgree(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(root, "deploy", "server.json"))
	require.NoError(t, err)
	var registry struct{ Name, Description string }
	require.NoError(t, json.Unmarshal(raw, &registry))
	require.Equal(t, registry.Description, cardDescription)
	require.Equal(t, "twilio-conversations-mcp", registry.Name[strings.LastIndex(registry.Name, "/")+1:])
	require.Contains(t, read(t, "deploy/Dockerfile"), "ARG SERVER_NAME="+registry.Name+"\n")
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	for _, path := range []string{cardPath, catalogPath} {
		require.Regexp(t, regexp.QuoteMeta(path), string(readme))
	}
}
