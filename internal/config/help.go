package config

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

const description = `An MCP server that lets AI agents manage the webhooks of a Twilio conversation, and read the API's documentation.

Secrets come from the environment only. Twilio credentials: TWILIO_API_KEY and TWILIO_API_SECRET, or TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN. Accepted bearer tokens over HTTP: MCP_AUTH_TOKEN (several separated by commas), or the lines of a file, MCP_AUTH_TOKEN_FILE. MCP Events: MCP_EVENTS_KEY, at least 32 bytes (several separated by commas; the first one seals), with --public-url. What the copies of a server share is in Redis or Valkey: MCP_REDIS_URL, redis:// or rediss://.

Each flag can be set by the variable in brackets. Flags take precedence.`

// writeHelp writes the help text of a command, or of the program.
func (l *commandLine) writeHelp(w io.Writer, c *command) error {
	var b strings.Builder
	if c == &l.root {
		b.WriteString("Usage: twilio-conversations-mcp [<command>] [flags]\n\n")
		wrap(&b, "", description)
		b.WriteString("\nCommands:\n")
		for _, c := range l.commands {
			b.WriteString("  " + c.usage() + "\n")
			wrap(&b, "      ", c.tag.Get("help"))
		}
		b.WriteString("\nA command shows its arguments and flags with --help.\n")
		writeFlags(&b, l.root.flags)
	} else {
		b.WriteString("Usage: twilio-conversations-mcp " + c.usage() + " [flags]\n\n")
		wrap(&b, "", c.tag.Get("help"))
		for _, o := range c.args {
			b.WriteString("\n  <" + o.name + ">\n")
			wrap(&b, "      ", o.tag.Get("help"))
		}
		writeFlags(&b, slices.Concat(c.flags, l.root.flags))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// usage returns the command with its arguments.
func (c *command) usage() string {
	usage := c.name
	for _, o := range c.args {
		name := " <" + o.name + ">"
		if _, optional := o.tag.Lookup("optional"); optional {
			name = " [<" + o.name + ">]"
		}
		usage += name
	}
	return usage
}

// writeFlags describes flags, those of a group below its name.
func writeFlags(b *strings.Builder, flags []*option) {
	b.WriteString("\nFlags:\n  -h, --help\n      Show this text.\n")
	group := ""
	for _, o := range flags {
		if g := o.tag.Get("group"); g != group {
			group = g
			b.WriteString("\n" + group + ":\n")
		}
		placeholder := ""
		if !o.isBool() {
			placeholder = "=" + o.tag.Get("placeholder")
		}
		fmt.Fprintf(b, "  --%s%s\n", o.name, placeholder)
		help := o.tag.Get("help")
		if variable := o.tag.Get("variable"); variable != "" {
			help += " [$" + variable + "]"
		}
		wrap(b, "      ", help)
	}
}

// wrap writes indented lines of at most 80 characters, if the words allow it.
func wrap(b *strings.Builder, indent, text string) {
	for paragraph := range strings.SplitSeq(text, "\n") {
		line := indent
		for word := range strings.FieldsSeq(paragraph) {
			if len(line)+len(word) > 80 && line != indent {
				b.WriteString(strings.TrimRight(line, " ") + "\n")
				line = indent
			}
			line += word + " "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}
