// Package cli is what a person types: commands, flags and environment
// variables, and the call command.
package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// A CommandLine holds the settings and the command that was chosen. Secrets are
// not among them: see [Credentials].
type CommandLine struct {
	HTTP           string        `name:"http" variable:"MCP_HTTP" placeholder:"HOST:PORT" help:"Serve over HTTP on this loopback address instead of stdio (endpoint /mcp, liveness /healthz)."`
	Sandbox        bool          `variable:"MCP_SANDBOX" help:"Use an embedded in-memory Twilio; no account is needed."`
	Timeout        time.Duration `variable:"MCP_TIMEOUT" default:"30s" placeholder:"DURATION" help:"Time limit of one call. Default: 30s."`
	Grace          time.Duration `variable:"MCP_GRACE" default:"10s" placeholder:"DURATION" help:"How long calls under way may take to end once the server is told to end. Default: 10s."`
	MaxConcurrent  int           `variable:"MCP_MAX_CONCURRENT" default:"32" placeholder:"N" help:"Calls to Twilio at once; more of them wait. Default: 32."`
	MaxMessage     int           `variable:"MCP_MAX_MESSAGE" default:"4194304" placeholder:"BYTES" help:"Longest message taken from a client. Default: 4194304."`
	Edge           string        `variable:"TWILIO_EDGE" placeholder:"NAME" help:"Twilio edge, such as dublin."`
	Region         string        `variable:"TWILIO_REGION" placeholder:"NAME" help:"Twilio region, such as ie1."`
	BaseURL        string        `name:"base-url" variable:"TWILIO_BASE_URL" placeholder:"URL" help:"Scheme and host of the API; switches edge and region off."`
	ChatServiceSID string        `name:"chat-service-sid" variable:"TWILIO_CHAT_SERVICE_SID" placeholder:"SID" help:"Use the conversations of this Service (IS...) instead of the default one."`

	Serve struct{} `cmd:"" default:"withargs" help:"Serve MCP over stdio, or over HTTP with --http. The default."`
	Call  struct {
		Tool string `arg:"" help:"The tool to call."`
		JSON string `arg:"" optional:"" name:"json" help:"Its arguments; - reads them from standard input. Left out: print the tool's input schema."`
	} `cmd:"" help:"Call one tool and print its result."`
	SandboxAPI struct{} `cmd:"" name:"sandbox" help:"Serve the embedded Twilio alone, on --http or 127.0.0.1:8081."`
	Version    struct{} `cmd:"" help:"Print version, commit and Go version."`
}

const description = `An MCP server that lists and creates the webhooks of a Twilio conversation.

Credentials come from the environment only: TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. Each flag can be set by the variable behind it.`

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
	if err := line.check(); err != nil {
		return nil, "", fmt.Errorf("%w; see --help", err)
	}
	command, _, _ := strings.Cut(parsed.Command(), " ")
	return &line, command, nil
}

func (c *CommandLine) check() error {
	switch {
	case c.Timeout <= 0:
		return errors.New("--timeout must be longer than 0, such as 30s")
	case c.Grace < 0:
		return errors.New("--grace must not be less than 0")
	case c.MaxConcurrent < 1:
		return errors.New("--max-concurrent must be at least 1")
	case c.MaxMessage < 1:
		return errors.New("--max-message must be at least 1")
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
