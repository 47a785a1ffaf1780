package clients

import (
	"fmt"
	"io"
	"strings"
)

// Print writes the entry for a client to stdout, and to stderr where it belongs.
func Print(stdout, stderr io.Writer, name string, o Options) error {
	client, ok := Find(name)
	if !ok {
		return fmt.Errorf("unknown client %.64q: valid are %s", name, strings.Join(Names(), ", "))
	}
	config, err := client.Config(o)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "Add this to %s. %s\n", client.File, client.Secrets)
	if config.Command != "" {
		fmt.Fprintf(stderr, "Or run: %s\n", config.Command)
	}
	_, err = io.WriteString(stdout, config.Entry)
	return err
}
