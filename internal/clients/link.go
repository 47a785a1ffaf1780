package clients

import (
	"encoding/base64"
	"net/url"
	"strings"
)

// cursorLink follows https://cursor.com/docs/mcp/install-links: the entry of
// the server as JSON in Base64.
func cursorLink(c Client, o Options) string {
	return "https://cursor.com/en/install-mcp?name=" + o.Name + "&config=" +
		url.QueryEscape(base64.StdEncoding.EncodeToString(compact(c.entry(o))))
}

// codeLink follows the links of github-mcp-server, which lead from a web page
// to VS Code's own vscode:mcp/install.
func codeLink(c Client, o Options) string {
	entry := c.entry(o)
	link := "https://insiders.vscode.dev/redirect/mcp/install?name=" + o.Name
	if inputs := c.inputs(o, entry); len(inputs) > 0 {
		link += "&inputs=" + escape(compact(inputs))
	}
	return link + "&config=" + escape(compact(entry))
}

// escape writes a space as %20, which every decoder reads as a space.
func escape(b []byte) string {
	return strings.ReplaceAll(url.QueryEscape(string(b)), "+", "%20")
}
