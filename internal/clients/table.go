package clients

import (
	"cmp"
	"fmt"
	"strings"
)

// Markdown returns the clients as a table, with install links for stdio where a
// client has them.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| Client | `config` | File | HTTP | Secrets | Tried with |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, c := range all {
		fmt.Fprintf(&b, "| %s | `%s` | %s | %s | %s | %s |\n", c.linked(), c.Name, c.File, c.reach(), c.Secrets, cmp.Or(c.Tried, "untried"))
	}
	return b.String()
}

// linked returns the title, with an install link if there is one.
func (c Client) linked() string {
	config, err := c.Config(Options{})
	if err != nil || config.Link == "" {
		return c.Title
	}
	return fmt.Sprintf("%s ([install](%s))", c.Title, config.Link)
}

// reach says how the client reaches a server over HTTP.
func (c Client) reach() string {
	if c.urlMember == "-" {
		return c.connectors
	}
	return "`--url`"
}
