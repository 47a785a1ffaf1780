// Package clients knows how AI tools are configured to use this server: the
// file, the entry in it, and how a secret reaches the server without being
// written into the file, where the tool supports that.
package clients

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// DefaultName is the name of the server in an entry.
	DefaultName = "twilio-conversations"
	// DefaultCommand starts the server over stdio.
	DefaultCommand = "twilio-conversations-mcp"
)

// secretVariables hold Twilio's credentials, and tokenVariable the bearer token
// for the server over HTTP.
var secretVariables = []string{"TWILIO_API_KEY", "TWILIO_API_SECRET"}

const tokenVariable = "MCP_AUTH_TOKEN"

// A Client is an AI tool that runs or reaches MCP servers.
type Client struct {
	Name    string   // on the command line
	Aliases []string // other names on the command line
	Title   string   // as its vendor writes it
	File    string   // where the entry belongs, as Markdown, for each operating system where they differ
	Secrets string   // how a secret reaches the server, as one or two sentences
	Source  string   // URL of the documentation that the entry follows
	Tried   string   // version of the client with which the entry was tried; empty if it was not

	// The file: a path begins with ~ or a variable in percent signs, or is below the
	// working directory.
	path         string // where darwin and windows are empty, of those systems too
	darwin       string
	windows      string
	windowsStore string // instead of windows, if its directory exists

	format  format
	servers string // the member of the file that holds the servers; for TOML the table

	// Members of an entry. Those that are empty are named as most clients name them.
	stdio, http   string // further members as a JSON object, if the client starts the server or reaches it over HTTP
	named         bool   // the entry repeats the name of the server
	commandMember string
	commandList   bool // the command is a list
	envMember     string
	urlMember     string // "-": the file cannot hold a URL

	reference  string                               // format of a reference to an environment variable
	inherits   bool                                 // the server gets the client's environment, so the entry names no variable
	envKeys    bool                                 // another member of the entry names the secrets
	prompts    bool                                 // references are to inputs, for which the client asks
	connectors string                               // where the user enters a URL, if not in the file
	httpOnly   bool                                 // the client starts no servers
	document   func(Client, Options) map[string]any // the file with this server alone, if it is not an object of servers
	command    func(Client, Options) []string
	link       func(Client, Options) string
}

// A format is how a file is written.
type format int

const (
	jsonFormat format = iota
	tomlFormat
	yamlFormat
)

// Language is the name of the format of the client's file in Markdown.
func (c Client) Language() string { return [...]string{"json", "toml", "yaml"}[c.format] }

// Names returns the names of the clients, in the order of [All].
func Names() []string {
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	return names
}

// All returns every client.
func All() []Client { return slices.Clone(all) }

// Find returns the client of a name or an alias. Case does not matter.
func Find(name string) (Client, error) {
	for _, c := range all {
		if slices.ContainsFunc(append([]string{c.Name}, c.Aliases...), func(n string) bool { return strings.EqualFold(n, name) }) {
			return c, nil
		}
	}
	return Client{}, fmt.Errorf("unknown client %.64q: valid are %s", name, strings.Join(Names(), ", "))
}
