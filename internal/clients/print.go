package clients

import (
	"fmt"
	"io"
)

// Print writes the entry for a client to stdout. To stderr it writes the file,
// how secrets reach the server or how an entry with a token is printed, and the command and the link
// that do the same, if the client has them.
func Print(stdout, stderr io.Writer, name string, o Options) error {
	client, err := Find(name)
	if err != nil {
		return err
	}
	config, err := client.Config(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "Add this to %s.\n", client.File)
	client.explain(stderr, o)
	if config.Command != "" {
		shell := ""
		if o.Windows {
			shell = " in PowerShell"
		}
		fmt.Fprintf(stderr, "Or run%s: %s\n", shell, config.Command)
	}
	if config.Link != "" {
		fmt.Fprintf(stderr, "Or open: %s\n", config.Link)
	}
	_, err = io.WriteString(stdout, config.Entry)
	return err
}

// explain says how secrets reach the server.
func (c Client) explain(stderr io.Writer, o Options) {
	if o.URL == "" || o.Token {
		fmt.Fprintln(stderr, c.Secrets)
	}
	if o.URL != "" && !o.Token {
		fmt.Fprintln(stderr, "If the server requires a bearer token, set MCP_AUTH_TOKEN and run this command again.")
	}
}
