package clients

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the entry for a client to stdout. To stderr it writes the file,
// how secrets reach the server or how an entry with a token is printed, and the command and the link
// that do the same, if the client has them.
func Print(stdout, stderr io.Writer, name string, o Options) error {
	client, ok := Find(name)
	if !ok {
		return fmt.Errorf("unknown client %.64q: valid are %s", name, strings.Join(Names(), ", "))
	}
	config, err := client.Config(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "Add this to %s.\n", client.File)
	if o.URL == "" || o.Token {
		fmt.Fprintln(stderr, client.Secrets)
	}
	if o.URL != "" && !o.Token {
		fmt.Fprintln(stderr, "If the server requires a bearer token, set MCP_AUTH_TOKEN and run this command again.")
	}
	if config.Command != "" {
		fmt.Fprintf(stderr, "Or run: %s\n", config.Command)
	}
	if config.Link != "" {
		fmt.Fprintf(stderr, "Or open: %s\n", config.Link)
	}
	_, err = io.WriteString(stdout, config.Entry)
	return err
}
