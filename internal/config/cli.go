// Package cli is what a person types: commands, flags and environment
// variables, and the call command.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// A CommandLine holds the settings and the command that was chosen. Secrets are
// not among them; its methods read those from the environment.
type CommandLine struct {
	Sandbox  bool `variable:"MCP_SANDBOX" help:"Use an embedded in-memory Twilio; no account is needed."`
	ReadOnly bool `variable:"MCP_READ_ONLY" help:"Offer only the tools that change nothing."`

	Timeout        time.Duration `variable:"MCP_TIMEOUT" default:"30s" placeholder:"DURATION" help:"Time limit of one call, at most 5m. Default: 30s."`
	Grace          time.Duration `variable:"MCP_GRACE" default:"10s" placeholder:"DURATION" help:"How long calls under way may take to end once the server is told to end. Default: 10s."`
	MaxConcurrent  int           `variable:"MCP_MAX_CONCURRENT" default:"32" placeholder:"N" help:"Calls to Twilio at once; more of them wait. Default: 32."`
	MaxMessage     int           `variable:"MCP_MAX_MESSAGE" default:"4194304" placeholder:"BYTES" help:"Longest message taken from a client. Default: 4194304."`
	LogFormat      string        `variable:"MCP_LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json. Default: text."`
	LogLevel       slog.Level    `variable:"MCP_LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"debug, info, warn or error. Default: info."`
	Edge           string        `variable:"TWILIO_EDGE" placeholder:"NAME" help:"Twilio edge, such as dublin."`
	Region         string        `variable:"TWILIO_REGION" placeholder:"NAME" help:"Twilio region, such as ie1."`
	BaseURL        string        `name:"base-url" variable:"TWILIO_BASE_URL" placeholder:"URL" help:"Scheme and host of the API; switches edge and region off. For the sandbox command: of the addresses in its answers."`
	ChatServiceSID string        `name:"chat-service-sid" variable:"TWILIO_CHAT_SERVICE_SID" placeholder:"SID" help:"Use the conversations of this Service (IS...) instead of the default one."`

	HTTP           string        `name:"http" group:"HTTP" variable:"MCP_HTTP" placeholder:"HOST:PORT" help:"Serve over HTTP at this address instead of stdio (endpoint /mcp; /healthz, /readyz)."`
	AllowedHost    []string      `group:"HTTP" variable:"MCP_ALLOWED_HOST" placeholder:"HOST" help:"Take requests to this host, any port, besides loopback."`
	AllowedOrigin  []string      `group:"HTTP" variable:"MCP_ALLOWED_ORIGIN" placeholder:"ORIGIN" help:"Take requests of web pages from this origin, any port, besides loopback."`
	Credentials    string        `group:"HTTP" variable:"MCP_CREDENTIALS" enum:"server,caller" default:"server" placeholder:"WHOSE" help:"server: calls use this process's Twilio credentials. caller: each caller brings its own as HTTP Basic. Default: server."`
	AllowAnonymous bool          `group:"HTTP" variable:"MCP_ALLOW_ANONYMOUS" help:"Take calls from anyone at an address beyond loopback: for a proxy in front that authenticates."`
	Drain          time.Duration `group:"HTTP" variable:"MCP_DRAIN" default:"0s" placeholder:"DURATION" help:"How long requests are still taken, with /readyz at 503, once the server is told to end. Default: 0s."`
	TLSCert        string        `group:"HTTP" name:"tls-cert" variable:"MCP_TLS_CERT" placeholder:"FILE" help:"Certificate for HTTPS, PEM; with --tls-key."`
	TLSKey         string        `group:"HTTP" name:"tls-key" variable:"MCP_TLS_KEY" placeholder:"FILE" help:"Its key, PEM."`

	Serve struct{} `cmd:"" default:"withargs" help:"Serve MCP over stdio, or over HTTP with --http. The default."`
	Call  struct {
		Tool string  `arg:"" help:"The tool to call."`
		JSON *string `arg:"" optional:"" name:"json" help:"Its arguments; - reads them from standard input. Left out: print the tool's input schema."`
	} `cmd:"" help:"Call one tool and print its result."`
	SandboxAPI struct{} `cmd:"" name:"sandbox" help:"Serve the embedded Twilio alone, on --http or 127.0.0.1:8081."`
	Version    struct{} `cmd:"" help:"Print version, commit and Go version."`
}

const description = `An MCP server that lists and creates the webhooks of a Twilio conversation.

Secrets come from the environment only. Twilio's credentials: TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. Bearer tokens that callers over HTTP must bring: MCP_AUTH_TOKEN (several with commas), or a file of them, MCP_AUTH_TOKEN_FILE.

Each flag can be set by the variable behind it.`

// A LookupFunc finds an environment variable, as os.LookupEnv does.
type LookupFunc func(name string) (value string, ok bool)

// ErrHelp is returned by [Parse] when help was asked for and printed.
var ErrHelp = errors.New("help was asked for")

// Parse reads the command line, and the environment for what it leaves out. It
// returns the settings and the name of the command: serve, call, sandbox or
// version. An error names the flag, argument or variable that does not fit.
func Parse(args []string, lookup LookupFunc, stdout io.Writer) (*CommandLine, string, error) {
	var line CommandLine
	var helped bool
	env := environment{}
	parser, err := kong.New(&line,
		kong.Name("twilio-conversations-mcp"),
		kong.Description(description),
		kong.Writers(stdout, stdout),
		kong.Exit(func(int) { helped = true }),
		kong.Resolvers(env.resolver(lookup)),
		kong.ValueFormatter(helpWithVariable),
	)
	if err != nil {
		return nil, "", err
	}
	parsed, err := parser.Parse(args)
	switch {
	case helped:
		return nil, "", ErrHelp
	case err != nil:
		return nil, "", fmt.Errorf("%s%w; see --help", env.blame(err), err)
	}
	command, _, _ := strings.Cut(parsed.Command(), " ")
	if err := line.check(command); err != nil {
		return nil, "", fmt.Errorf("%w; see --help", err)
	}
	return &line, command, nil
}

// check holds the settings against each other. Those that others take care of
// are left to them.
func (c *CommandLine) check(command string) error {
	switch {
	case c.Timeout <= 0 || c.Timeout > 5*time.Minute:
		return errors.New("--timeout must be longer than 0 and at most 5m, such as 30s")
	case c.Grace < 0 || c.Drain < 0:
		return errors.New("--grace and --drain must not be less than 0")
	case c.MaxConcurrent < 1 || c.MaxConcurrent > 10_000:
		return errors.New("--max-concurrent must be 1 to 10000")
	case c.MaxMessage < 1 || c.MaxMessage > 64<<20:
		return errors.New("--max-message must be 1 to 67108864 bytes")
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key go together")
	case c.caller() && (command == "call" || command == "serve" && c.HTTP == ""):
		return errors.New("--credentials caller needs --http: only over HTTP do callers bring credentials")
	case c.caller() && c.Sandbox:
		return errors.New("--credentials caller and --sandbox exclude each other: the sandbox needs no credentials")
	}
	for _, listed := range c.AllowedOrigin {
		if u, err := url.Parse(listed); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" {
			return fmt.Errorf("--allowed-origin %q is no origin, such as https://app.example.com", listed)
		}
	}
	for _, listed := range c.AllowedHost {
		if listed == "" || strings.ContainsAny(listed, "/@ *") {
			return fmt.Errorf("--allowed-host %q is no host name, such as mcp.example.com", listed)
		}
	}
	return nil
}

// An environment holds the flags that variables have set, with the variable's
// name.
type environment map[string]string

// resolver sets flags by the variable in their tag. kong's own env tag reads
// the process's environment, not the one passed in. An empty variable counts as
// not set.
func (e environment) resolver(lookup LookupFunc) kong.ResolverFunc {
	return func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		variable := flag.Tag.Get("variable")
		value, _ := lookup(variable)
		if value == "" {
			return nil, nil
		}
		e[flag.Name] = variable
		return value, nil
	}
}

// blame names the variable that brought in the value of which err speaks.
func (e environment) blame(err error) string {
	flag, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "--"), ":")
	if variable, ok := e[flag]; ok {
		return variable + ": "
	}
	return ""
}

func helpWithVariable(v *kong.Value) string {
	if variable := v.Tag.Get("variable"); variable != "" {
		return v.Help + " [$" + variable + "]"
	}
	return v.Help
}
