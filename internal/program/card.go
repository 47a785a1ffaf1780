package program

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/access"
	"twilio-conversations-mcp/internal/serve"
)

const (
	cardType    = "application/mcp-server-card+json"
	catalogType = "application/ai-catalog+json"
	// cardDescription has at most 100 characters. It is also that of the entry in
	// the MCP registry.
	cardDescription = "Lets AI agents manage the webhooks of a Twilio conversation."
)

// A serverCard describes the server to programs that have not connected yet,
// SEP-2127.
type serverCard struct {
	Schema      string       `json:"$schema"`
	Name        string       `json:"name"` // in reverse DNS
	Title       string       `json:"title"`
	Version     string       `json:"version"`
	Description string       `json:"description"`
	Remotes     []cardRemote `json:"remotes"`
}

type cardRemote struct {
	Type     string       `json:"type"`
	URL      string       `json:"url"`
	Versions []string     `json:"supportedProtocolVersions"`
	Headers  []cardHeader `json:"headers,omitempty"`
}

type cardHeader struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Required    bool   `json:"isRequired"`
	Secret      bool   `json:"isSecret"`
}

// A catalogEntry tells where a card is.
type catalogEntry struct {
	Identifier string `json:"identifier"`
	Name       string `json:"displayName"`
	Type       string `json:"type"`
	URL        string `json:"url"`
}

// cards returns the card of a server and the catalog that lists it, by their
// paths. The base URL is the public one. The authorization is a placeholder for the
// header that callers have to send, or empty.
func cards(base string, server *serve.Server, authorization string) map[string]access.Document {
	self := server.Implementation()
	host := ""
	if u, err := url.Parse(base); err == nil {
		host = u.Hostname()
	}
	labels := strings.Split(host, ".")
	slices.Reverse(labels)
	remote := cardRemote{Type: "streamable-http", URL: base + "/mcp", Versions: mcp.ValidProtocolVersions}
	if authorization != "" {
		remote.Headers = []cardHeader{{"Authorization", authorization, true, true}}
	}
	card := serverCard{
		Schema:      "https://static.modelcontextprotocol.io/schemas/v1/server-card.schema.json",
		Name:        strings.Join(labels, ".") + "/" + self.Name,
		Title:       self.Title,
		Version:     self.Version,
		Description: cardDescription,
		Remotes:     []cardRemote{remote},
	}
	entry := catalogEntry{"urn:air:" + host + ":mcp:" + self.Name, self.Title, cardType, base + "/mcp/server-card"}
	return map[string]access.Document{
		"/mcp/server-card":             document(cardType, card),
		"/.well-known/ai-catalog.json": document(catalogType, map[string]any{"specVersion": "1.0", "entries": []catalogEntry{entry}}),
	}
}

func document(mediaType string, content any) access.Document {
	body, _ := json.MarshalIndent(content, "", "  ") // strings can always be encoded
	return access.Document{Type: mediaType, Cache: "public, max-age=3600", Body: append(body, '\n')}
}
