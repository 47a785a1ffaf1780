package clients

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
)

// Options say how a client uses the server.
type Options struct {
	Name    string     // of the server in the entry: letters, digits, - and _; [DefaultName] if empty
	Command string     // that starts the server over stdio; [DefaultCommand] if empty
	Args    []string   // of the command; over HTTP they have no effect
	Env     []Variable // that the server needs besides secrets; over HTTP it has no effect
	URL     string     // of the server over HTTP; empty for stdio
	Query   string     // is appended to the URL, such as ?read_only=true; over stdio it has no effect
	Token   bool       // the server over HTTP requires a bearer token, which MCP_AUTH_TOKEN holds; over stdio it has no effect
	Windows bool       // commands are for PowerShell, not for a POSIX shell
}

// A Variable is an environment variable. The entry has its value or, if that is a
// secret, a reference to it.
type Variable struct {
	Name, Value string
	Secret      bool
}

// A Config is what adds the server to a client. It contains no secret.
type Config struct {
	Entry   string // the file with this server alone, in the client's format; it ends in a newline
	Command string // a shell command that does the same, or empty
	Link    string // a URL that installs the same in the client, or empty
}

// Config returns what adds the server to the client. It fails if an option is
// not valid, or if the client cannot use the server so.
func (c Client) Config(o Options) (Config, error) {
	if err := c.check(o); err != nil {
		return Config{}, err
	}
	o = o.complete()
	config := Config{Entry: c.text(o)}
	if c.command != nil {
		config.Command = shell(c.command(c, o), o.Windows)
	}
	if c.link != nil {
		config.Link = c.link(c, o)
	}
	return config, nil
}

// complete sets what is left out, and adds the query to the URL.
func (o Options) complete() Options {
	o.Name, o.Command = cmp.Or(o.Name, DefaultName), cmp.Or(o.Command, DefaultCommand)
	if o.URL != "" {
		o.URL += o.Query
	}
	return o
}

// isName reports whether a name is valid in every client, and as a bare key in TOML.
func isName(name string) bool {
	return !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

func (c Client) check(o Options) error {
	switch {
	case !isName(o.Name):
		return fmt.Errorf("the server name %q must consist of letters, digits, - and _", o.Name)
	case strings.ContainsFunc(o.Command+strings.Join(o.Args, ""), unicode.IsControl):
		return fmt.Errorf("the command %q and its arguments must not contain control characters", o.Command)
	case o.URL == "" && c.httpOnly:
		return fmt.Errorf("%s starts no servers: start this one with --http, and give its address as --url", c.Title)
	case o.URL == "":
		return nil
	}
	if err := checkURL(o.URL); err != nil {
		return err
	}
	if c.urlMember == "-" {
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

// text returns the file with the server alone.
func (c Client) text(o Options) string {
	switch c.format {
	case tomlFormat:
		return c.toml(o)
	case yamlFormat:
		return yaml(c.file(o), "")
	default:
		return indented(c.file(o))
	}
}

func (c Client) file(o Options) map[string]any {
	if c.document != nil {
		return c.document(c, o)
	}
	s := c.entry(o)
	file := map[string]any{c.servers: map[string]any{o.Name: s}}
	if inputs := c.inputs(o, s); len(inputs) > 0 {
		file["inputs"] = inputs
	}
	return file
}

// entry returns the entry of the server.
func (c Client) entry(o Options) map[string]any {
	s := map[string]any{}
	if c.named {
		s["name"] = o.Name
	}
	if o.URL == "" {
		c.start(s, o)
		return s
	}
	addMembers(s, c.http)
	s[cmp.Or(c.urlMember, "url")] = o.URL
	if o.Token {
		s["headers"] = map[string]any{"Authorization": c.authorization()}
	}
	return s
}

// start adds to an entry how the client starts the server.
func (c Client) start(s map[string]any, o Options) {
	addMembers(s, c.stdio)
	s[cmp.Or(c.commandMember, "command")] = o.Command
	if c.commandList {
		s["command"] = append([]string{o.Command}, o.Args...)
	} else if len(o.Args) > 0 {
		s["args"] = o.Args
	}
	if env := c.environment(o); len(env) > 0 {
		s[cmp.Or(c.envMember, "env")] = env
	}
}

// addMembers adds the members of a JSON object, which may be empty.
func addMembers(s map[string]any, object string) {
	if err := json.Unmarshal([]byte(cmp.Or(object, "{}")), &s); err != nil {
		panic("clients: " + err.Error()) // tests read every object
	}
}

func (c Client) authorization() string { return "Bearer " + c.refer(tokenVariable) }

// environment returns the variables of the server that the client starts.
func (c Client) environment(o Options) map[string]any {
	env := map[string]any{}
	if c.inherits {
		return env
	}
	if !c.envKeys {
		for _, name := range secretVariables {
			env[name] = c.refer(name)
		}
	}
	for _, v := range o.Env {
		env[v.Name] = v.Value
		if v.Secret {
			env[v.Name] = c.refer(v.Name)
		}
	}
	return env
}

// refer returns a reference to a variable.
func (c Client) refer(variable string) string {
	return strings.Replace(c.reference, "%s", variable, 1)
}

// An input is a value for which VS Code asks.
type input struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Description string `json:"description"`
	Password    bool   `json:"password"`
}

// inputs returns an input for every variable to which an entry refers.
func (c Client) inputs(o Options, entry map[string]any) []input {
	if !c.prompts {
		return nil
	}
	names := append(slices.Clone(secretVariables), tokenVariable)
	for _, v := range o.Env {
		names = append(names, v.Name)
	}
	var inputs []input
	for _, name := range names {
		if bytes.Contains(compact(entry), []byte(c.refer(name))) {
			inputs = append(inputs, input{"promptString", name, cmp.Or(descriptions[name], name), true})
		}
	}
	return inputs
}

var descriptions = map[string]string{
	"TWILIO_API_KEY":    "SID of a Twilio API key (SK...)",
	"TWILIO_API_SECRET": "Secret of the Twilio API key",
	tokenVariable:       "Bearer token of the MCP server",
}

// toml writes strings as JSON does: without control characters, that is valid
// TOML as well.
func (c Client) toml(o Options) string {
	lines := []string{fmt.Sprintf("[%s.%s]", c.servers, o.Name)}
	if o.URL == "" {
		names := slices.Clone(secretVariables)
		for _, v := range o.Env {
			names = append(names, v.Name)
		}
		lines = append(lines, fmt.Sprintf("command = %s", compact(o.Command)))
		if len(o.Args) > 0 {
			lines = append(lines, fmt.Sprintf("args = %s", spaced(o.Args)))
		}
		lines = append(lines, fmt.Sprintf("env_vars = %s", spaced(names)))
	} else {
		lines = append(lines, fmt.Sprintf("url = %s", compact(o.URL)))
	}
	if o.URL != "" && o.Token {
		lines = append(lines, fmt.Sprintf("bearer_token_env_var = %s", compact(tokenVariable)))
	}
	return strings.Join(lines, "\n") + "\n"
}

// yaml writes an object as a block. Its strings and lists of strings are as in JSON,
// which YAML includes.
func yaml(object map[string]any, indent string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(object)) {
		switch value := object[name].(type) {
		case map[string]any:
			fmt.Fprintf(&b, "%s%s:\n%s", indent, name, yaml(value, indent+"  "))
		case []map[string]any:
			fmt.Fprintf(&b, "%s%s:\n", indent, name)
			for _, item := range value {
				fmt.Fprintf(&b, "%s  - %s", indent, strings.TrimLeft(yaml(item, indent+"    "), " "))
			}
		default:
			fmt.Fprintf(&b, "%s%s: %s\n", indent, name, spaced(value))
		}
	}
	return b.String()
}

// continueDocument is what Continue calls a block. It is a whole configuration, too.
func continueDocument(c Client, o Options) map[string]any {
	entry := c.entry(o)
	if headers, ok := entry["headers"]; ok {
		delete(entry, "headers")
		entry["requestOptions"] = map[string]any{"headers": headers}
	}
	return map[string]any{"name": o.Name, "version": "1.0.0", "schema": "v1", "mcpServers": []map[string]any{entry}}
}

// n8nDocument is a workflow with one node, as n8n takes it from the clipboard.
func n8nDocument(_ Client, o Options) map[string]any {
	parameters := map[string]any{"endpointUrl": o.URL, "serverTransport": "httpStreamable"}
	if o.Token {
		parameters["authentication"] = "bearerAuth"
	}
	return map[string]any{
		"nodes": []map[string]any{{
			"type": "@n8n/n8n-nodes-langchain.mcpClientTool", "typeVersion": 1.2, "position": []int{0, 0}, "name": o.Name, "parameters": parameters,
		}},
		"connections": map[string]any{},
	}
}

func spaced(v any) string { return strings.ReplaceAll(string(compact(v)), `","`, `", "`) }

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
