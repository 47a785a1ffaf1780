// Package config reads the command line and the environment.
package config

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
)

// A Config holds the settings and the command that was chosen. Secrets are not
// among the settings; the methods of Config read those from the environment.
type Config struct {
	Sandbox      bool     `variable:"MCP_SANDBOX" help:"Use an in-memory fake of Twilio; no account is needed."`
	Toolsets     []string `names:"" variable:"MCP_TOOLSETS" placeholder:"NAME" help:"Toolsets to offer, separated by commas: webhooks, manage, conversations, configuration, docs or all. Default: webhooks. call can call every tool."`
	Tools        []string `names:"" closed:"" variable:"MCP_TOOLS" placeholder:"NAME" help:"Offer exactly these tools, separated by commas, instead of toolsets."`
	ExcludeTools []string `names:"" closed:"" variable:"MCP_EXCLUDE_TOOLS" placeholder:"NAME" help:"Do not offer these tools, separated by commas."`
	ReadOnly     bool     `closed:"" variable:"MCP_READ_ONLY" help:"Offer only the tools that change nothing."`
	Confirm      bool     `variable:"MCP_CONFIRM" default:"true" help:"Ask the user before a webhook is deleted or the configuration is overwritten, if the client can. Default: true."`

	Timeout        time.Duration `variable:"MCP_TIMEOUT" default:"30s" placeholder:"DURATION" help:"Time limit of one call, at most 5m. Default: 30s."`
	Grace          time.Duration `variable:"MCP_GRACE" default:"10s" placeholder:"DURATION" help:"Grace period for in-flight calls on shutdown. Default: 10s."`
	MaxConcurrent  int           `variable:"MCP_MAX_CONCURRENT" default:"128" placeholder:"N" help:"Maximum number of concurrent calls to Twilio; further calls wait in a queue. Default: 128."`
	Rate           float64       `variable:"MCP_RATE" placeholder:"CALLS" help:"Calls that each caller may make per second, such as 5 or 0.5. Default: any number."`
	Burst          int           `variable:"MCP_BURST" placeholder:"CALLS" help:"Calls that each caller may make at once before --rate applies. Default: --rate, rounded up."`
	MaxMessage     int           `variable:"MCP_MAX_MESSAGE" default:"1048576" placeholder:"BYTES" help:"Maximum message size. Default: 1048576."`
	LogFormat      string        `variable:"MCP_LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json. Default: text."`
	LogLevel       *slog.Level   `variable:"MCP_LOG_LEVEL" placeholder:"LEVEL" help:"debug, info, warn or error. Default: info; with call: error."`
	Edge           string        `names:"" variable:"TWILIO_EDGE" placeholder:"NAME" help:"Twilio edge, such as dublin. Without --region, the region is us1."`
	Region         string        `names:"" variable:"TWILIO_REGION" placeholder:"NAME" help:"Twilio region, such as ie1."`
	BaseURL        string        `name:"base-url" variable:"TWILIO_BASE_URL" placeholder:"URL" help:"Scheme and host of the API; overrides --edge and --region. For the sandbox command: scheme and host of the addresses in its responses."`
	CAFile         string        `name:"ca-file" variable:"MCP_CA_FILE" placeholder:"FILE" help:"Also trust the certificate authorities in this file, PEM, in connections to Twilio, to the OAuth issuer and to Redis."`
	ChatServiceSID string        `name:"chat-service-sid" variable:"TWILIO_CHAT_SERVICE_SID" placeholder:"SID" help:"Use the conversations of this Conversation Service (IS...) instead of the default one."`

	HTTP             string        `name:"http" group:"HTTP" variable:"MCP_HTTP" placeholder:"HOST:PORT" help:"Serve over HTTP at this address instead of stdio: MCP at /mcp, liveness at /healthz, readiness at /readyz."`
	Docs             bool          `group:"HTTP" variable:"MCP_DOCS" default:"true" help:"Serve the documentation: web pages at / and an MCP endpoint for documentation only at /docs/mcp. Default: true."`
	PublicURL        string        `name:"public-url" group:"HTTP" variable:"MCP_PUBLIC_URL" placeholder:"URL" help:"Base URL of this server as clients see it; /mcp is appended. Its host is accepted like --allowed-host."`
	AllowedHost      []string      `group:"HTTP" variable:"MCP_ALLOWED_HOST" placeholder:"HOST" help:"Also accept requests for this Host, with any port (loopback is always accepted)."`
	AllowedOrigin    []string      `group:"HTTP" variable:"MCP_ALLOWED_ORIGIN" placeholder:"ORIGIN" help:"Also accept requests from this browser origin, with any port (loopback is always accepted)."`
	Credentials      string        `group:"HTTP" variable:"MCP_CREDENTIALS" enum:"server,caller" default:"server" placeholder:"SOURCE" help:"server: calls use the Twilio credentials of this process. caller: each caller sends its own as HTTP Basic. Default: server."`
	OAuthIssuer      string        `name:"oauth-issuer" group:"HTTP" variable:"MCP_OAUTH_ISSUER" placeholder:"URL" help:"Require access tokens of this OAuth 2.1 authorization server; needs --public-url."`
	OAuthAudience    []string      `name:"oauth-audience" group:"HTTP" variable:"MCP_OAUTH_AUDIENCE" placeholder:"AUDIENCE" help:"Audience that access tokens must have. Default: the public URL followed by /mcp."`
	OAuthScopePrefix string        `name:"oauth-scope-prefix" group:"HTTP" variable:"MCP_OAUTH_SCOPE_PREFIX" placeholder:"PREFIX" help:"What clients have to put in front of a scope that they ask for, such as api://APPLICATION_ID/ with Microsoft Entra."`
	TrustedProxy     []string      `group:"HTTP" variable:"MCP_TRUSTED_PROXY" placeholder:"CIDR" help:"Take the client's address from X-Forwarded-For if it comes from a proxy in this network, such as 10.0.0.0/8: for the log and for --rate."`
	AllowCallback    []string      `group:"HTTP" variable:"MCP_ALLOW_CALLBACK" placeholder:"CIDR" help:"Also deliver events to callbacks in this network, such as 10.0.0.0/8 (public addresses are always allowed)."`
	AllowAnonymous   bool          `group:"HTTP" variable:"MCP_ALLOW_ANONYMOUS" help:"Accept calls from anyone at an address beyond loopback: for a proxy in front that authenticates."`
	RoutingHeader    bool          `group:"HTTP" variable:"MCP_ROUTING_HEADER" help:"Let clients of 2026-07-28 send ConversationSid as the header Mcp-Param-ConversationSid too, for a balancer. Clients that do not are refused."`
	Drain            time.Duration `group:"HTTP" variable:"MCP_DRAIN" default:"0s" placeholder:"DURATION" help:"Keep accepting requests this long after SIGTERM, with /readyz at 503. Default: 0s."`
	IdleTimeout      time.Duration `group:"HTTP" variable:"MCP_IDLE_TIMEOUT" default:"620s" placeholder:"DURATION" help:"Keep an idle connection open this long: longer than the balancer in front does, which is 600s with Google Cloud. Default: 620s."`
	Metrics          string        `group:"HTTP" variable:"MCP_METRICS" placeholder:"HOST:PORT" help:"Serve Prometheus metrics at this address, at /metrics. Also works with stdio."`
	TLSCert          string        `group:"HTTP" name:"tls-cert" variable:"MCP_TLS_CERT" placeholder:"FILE" help:"TLS certificate, PEM; together with --tls-key."`
	TLSKey           string        `group:"HTTP" name:"tls-key" variable:"MCP_TLS_KEY" placeholder:"FILE" help:"Private key of the certificate, PEM."`

	Serve struct{} `cmd:"" help:"Serve MCP over stdio, or over HTTP with --http. The default."`
	Call  struct {
		Tool string  `arg:"" help:"The tool to call."`
		JSON *string `arg:"" optional:"" name:"json" help:"Its arguments; - reads them from standard input. Left out: print the tool's input schema."`
	} `cmd:"" help:"Call one tool and print its result."`
	SandboxAPI struct {
		Deliver string `enum:"loopback,any,none" default:"loopback" placeholder:"WHERE" help:"Where webhooks are sent: loopback, any address, or none (they are only recorded). Default: loopback."`
	} `cmd:"" name:"sandbox" help:"Serve the fake of Twilio alone, on --http or 127.0.0.1:8081. It sends webhooks, signed with TWILIO_AUTH_TOKEN if that is set; its page is at /."`
	Listen struct {
		Status int           `default:"200" placeholder:"CODE" help:"Status of the answers. Default: 200."`
		Delay  time.Duration `default:"0s" placeholder:"DURATION" help:"Pause before each answer, at most 1m. Default: 0s."`
		Format string        `enum:"text,json" default:"text" placeholder:"FORMAT" help:"text or json. Default: text."`
	} `cmd:"" help:"Receive webhooks at --http or 127.0.0.1:8082, check their signatures with TWILIO_AUTH_TOKEN, and print them."`
	Config struct {
		Client string `arg:"" help:"The AI tool: claude-code, claude-desktop, cursor, vscode, codex, gemini, copilot, opencode, qwen, cline, continue, goose, kiro, jetbrains, zed, windsurf, mcporter, librechat or n8n."`
		URL    string `name:"url" placeholder:"URL" help:"URL of the server over HTTP, such as http://127.0.0.1:8080/mcp; --read-only, --toolsets, --tools and --exclude-tools narrow what it offers. Default: start the server over stdio, with the flags that are given, such as --sandbox."`
		Write  bool   `help:"Put the entry into the tool's file, which keeps what else it holds; a copy of the file as it was stays beside it."`
	} `cmd:"" help:"Print the entry for the configuration file of an AI tool, or write it there."`
	Health struct {
		URL string `arg:"" optional:"" placeholder:"URL" help:"Base URL of the server. Default: the address of --http."`
	} `cmd:"" help:"Ask whether a server over HTTP is ready: exit status 0 if its /readyz answers 200."`
	Version struct{} `cmd:"" help:"Print version, commit and Go version."`

	// Command is the chosen command: serve, call, sandbox, listen, config, health or version.
	Command string

	// ServerFlags are the flags of every transport that the command line has.
	ServerFlags []string

	// Warnings say which variables were left out because they hold a placeholder.
	Warnings []string
}

// A LookupFunc finds an environment variable, as os.LookupEnv does.
type LookupFunc func(name string) (value string, ok bool)

// ErrHelp is returned by [Parse] after it has printed the help text.
var ErrHelp = errors.New("help requested")

// Parse reads the command line, and the environment for what the command line
// leaves out. An error names the flag, argument or variable that is wrong.
func Parse(args []string, lookup LookupFunc, stdout io.Writer) (*Config, error) {
	var c Config
	line := newCommandLine(&c)
	chosen, err := line.read(args)
	if errors.Is(err, errHelpFlag) {
		if err := line.writeHelp(stdout, chosen); err != nil {
			return nil, err
		}
		return nil, ErrHelp
	}
	for _, o := range slices.Concat(line.root.flags, chosen.flags, chosen.args) {
		if err != nil {
			break
		}
		var warning string
		if warning, err = o.assign(lookup); warning != "" {
			c.Warnings = append(c.Warnings, warning)
		}
	}
	c.Command = chosen.name
	c.ServerFlags = line.root.given()
	if len(c.Toolsets) == 0 && c.Command != "config" {
		c.Toolsets = []string{"webhooks"}
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return nil, fmt.Errorf("%w; see --help", err)
	}
	return &c, nil
}

const hostLabel = "abcdefghijklmnopqrstuvwxyz0123456789-"

// check checks ranges and combinations of settings.
func (c *Config) check() error {
	switch {
	case c.Timeout <= 0 || c.Timeout > 5*time.Minute:
		return fmt.Errorf("--timeout must be longer than 0 and at most 5m, such as 30s, but got %v", c.Timeout)
	case c.Grace < 0 || c.Drain < 0:
		return errors.New("--grace and --drain must not be less than 0")
	case c.IdleTimeout <= 0:
		return fmt.Errorf("--idle-timeout must be longer than 0, such as 620s, but got %v", c.IdleTimeout)
	case c.MaxConcurrent < 1 || c.MaxConcurrent > 10_000:
		return fmt.Errorf("--max-concurrent must be 1 to 10000 but got %d", c.MaxConcurrent)
	case !(c.Rate >= 0 && c.Rate <= 1e6) || c.Burst < 0 || c.Burst > 1_000_000:
		return errors.New("--rate and --burst must be 0 to 1000000, such as --rate 5 --burst 10")
	case c.Burst > 0 && c.Rate == 0:
		return errors.New("--burst needs --rate")
	case c.MaxMessage < 1 || c.MaxMessage > 64<<20:
		return fmt.Errorf("--max-message must be 1 to 67108864 bytes but got %d", c.MaxMessage)
	case strings.Trim(c.Edge, hostLabel) != "":
		return fmt.Errorf("--edge must be one name, such as dublin, but got %q", c.Edge)
	case strings.Trim(c.Region, hostLabel) != "":
		return fmt.Errorf("--region must be one name, such as ie1, but got %q", c.Region)
	case c.ChatServiceSID != "" && !isSID("IS", c.ChatServiceSID):
		return fmt.Errorf("--chat-service-sid must be IS and 32 hexadecimal digits but got %q", c.ChatServiceSID)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--tls-cert and --tls-key must be given together")
	case c.Command == "listen" && (c.Listen.Status < 200 || c.Listen.Status > 599):
		return errors.New("--status must be 200 to 599")
	case c.Command == "listen" && (c.Listen.Delay < 0 || c.Listen.Delay > time.Minute):
		return errors.New("--delay must be 0s to 1m")
	case c.callerCredentials() && c.Command == "call":
		return errors.New("--credentials caller is for callers over HTTP; with call, give --credentials server")
	case c.callerCredentials() && c.Command == "serve" && c.HTTP == "":
		return errors.New("--credentials caller needs --http: callers send credentials only over HTTP")
	case c.callerCredentials() && c.Sandbox:
		return errors.New("--credentials caller and --sandbox are mutually exclusive: the sandbox needs no credentials")
	}
	return nil
}

func (c *Config) callerCredentials() bool { return c.Credentials == "caller" }
