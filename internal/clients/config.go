package clients

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Options say how a client uses the server.
type Options struct {
	Name    string // of the server in the entry: letters, digits, - and _; [DefaultName] if empty
	Command string // that starts the server over stdio; [DefaultCommand] if empty
	URL     string // of the server over HTTP; empty for stdio
	Query   string // is appended to the URL, such as ?read_only=true; over stdio it has no effect
	Token   bool   // the server over HTTP requires a bearer token, which MCP_AUTH_TOKEN holds; over stdio it has no effect
}

// A Config is what adds the server to a client. It contains no secret.
type Config struct {
	Entry   string // the file with this server alone: JSON, or TOML, that ends in a newline
	Command string // a shell command that does the same, or empty
	Link    string // a URL that installs the same in the client, or empty
}

// A server is the entry of a server in a JSON file.
type server struct {
	Type      string            `json:"type,omitempty"`
	Command   string            `json:"command,omitempty"`
	Args      []string          `json:"args,omitzero"`
	URL       string            `json:"url,omitempty"`
	ServerURL string            `json:"serverUrl,omitempty"`
	Env       map[string]string `json:"env,omitempty"`
	Headers   map[string]string `json:"headers,omitempty"`
}

// An input is a value for which VS Code asks.
type input struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Description string `json:"description"`
	Password    bool   `json:"password"`
}

// Config returns what adds the server to the client. It fails if an option is
// not valid, or if the client's file cannot hold a URL.
func (c Client) Config(o Options) (Config, error) {
	o.Name, o.Command = cmp.Or(o.Name, DefaultName), cmp.Or(o.Command, DefaultCommand)
	if err := c.check(o); err != nil {
		return Config{}, err
	}
	if o.URL != "" {
		o.URL += o.Query
	}
	s := c.server(o)
	config := Config{Entry: c.entry(o, s)}
	if c.command != nil {
		config.Command = c.command(c, o, s)
	}
	if c.link != nil {
		config.Link = c.link(c, o, s)
	}
	return config, nil
}

// names are valid in every client, and as a bare key in TOML.
var names = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9_-]+$`) })

func (c Client) check(o Options) error {
	switch {
	case !names().MatchString(o.Name):
		return fmt.Errorf("the server name %q must consist of letters, digits, - and _", o.Name)
	case strings.ContainsFunc(o.Command, unicode.IsControl):
		return fmt.Errorf("the command %q must not contain control characters", o.Command)
	case o.URL == "":
		return nil
	}
	if err := checkURL(o.URL); err != nil {
		return err
	}
	if c.urlMember == "" {
		return fmt.Errorf("%s takes no URL from its configuration file: add %s under %s", c.Title, o.URL, c.connectors)
	}
	return nil
}

// checkURL does not repeat a URL that it refuses, which may contain credentials.
func checkURL(raw string) error {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return errors.New("the URL must be an absolute http or https URL, such as https://mcp.example.com/mcp")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("the URL must not contain credentials, a query or a fragment")
	}
	return nil
}

// server returns the entry of the server, for clients whose files are JSON.
func (c Client) server(o Options) server {
	if o.URL == "" {
		return server{Type: c.stdioType, Command: o.Command, Args: c.args, Env: c.environment()}
	}
	s := server{Type: c.httpType, URL: o.URL}
	if c.urlMember == "serverUrl" {
		s.URL, s.ServerURL = "", o.URL
	}
	if o.Token {
		s.Headers = map[string]string{"Authorization": "Bearer " + c.refer(tokenVariable)}
	}
	return s
}

func (c Client) environment() map[string]string {
	if c.inherits {
		return nil
	}
	env := map[string]string{}
	for _, name := range secretVariables {
		env[name] = c.refer(name)
	}
	return env
}

// refer returns a reference to a variable.
func (c Client) refer(variable string) string {
	return strings.Replace(c.reference, "%s", variable, 1)
}

func (c Client) entry(o Options, s server) string {
	if c.toml {
		return c.tomlEntry(o)
	}
	file := map[string]any{c.servers: map[string]server{o.Name: s}}
	if inputs := c.inputs(s); len(inputs) > 0 {
		file["inputs"] = inputs
	}
	return indented(file)
}

// inputs returns an input for every variable to which the server refers.
func (c Client) inputs(s server) []input {
	if !c.prompts {
		return nil
	}
	var inputs []input
	for _, name := range slices.Concat(secretVariables, []string{tokenVariable}) {
		if bytes.Contains(compact(s), []byte(c.refer(name))) {
			inputs = append(inputs, input{"promptString", name, descriptions[name], true})
		}
	}
	return inputs
}

var descriptions = map[string]string{
	"TWILIO_API_KEY":    "SID of a Twilio API key (SK...)",
	"TWILIO_API_SECRET": "Secret of the Twilio API key",
	tokenVariable:       "Bearer token of the MCP server",
}

// tomlEntry writes strings as JSON does: without control characters, that is
// valid TOML as well.
func (c Client) tomlEntry(o Options) string {
	lines := []string{fmt.Sprintf("[%s.%s]", c.servers, o.Name)}
	if o.URL == "" {
		lines = append(lines, fmt.Sprintf("command = %s", compact(o.Command)), fmt.Sprintf("env_vars = %s", spaced(secretVariables)))
	} else {
		lines = append(lines, fmt.Sprintf("%s = %s", c.urlMember, compact(o.URL)))
	}
	if o.URL != "" && o.Token {
		lines = append(lines, fmt.Sprintf("bearer_token_env_var = %s", compact(tokenVariable)))
	}
	return strings.Join(lines, "\n") + "\n"
}

func spaced(values []string) string {
	return strings.ReplaceAll(string(compact(values)), `","`, `", "`)
}

func indented(v any) string {
	var b bytes.Buffer
	if err := json.Indent(&b, compact(v), "", "  "); err != nil {
		panic(err) // it was encoded a line above
	}
	return b.String() + "\n"
}

// compact encodes without escapes for HTML, in which people would not recognize
// their URL.
func compact(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // strings, lists and maps of strings always encode
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
