package app

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const maxSize = 18_000 // bytes

func TestThePageIsSmall(t *testing.T) {
	t.Parallel()
	require.Less(t, len(html), maxSize)
}

// Webhook URLs and keywords are untrusted, so the page has no statement that could turn a string into markup, a
// script or a link. The browser test shows the same for a page at work.
func TestThePageSetsDataAsTextOnly(t *testing.T) {
	t.Parallel()
	for _, forbidden := range []string{
		"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "srcdoc", "DOMParser", "createContextualFragment",
		"setHTML", "eval", "Function(", "import(", "location", "window.open", "javascript:",
	} {
		require.NotContains(t, html, forbidden)
	}
	require.NotRegexp(t, regexp.MustCompile(`(?i)\b(src|href|action|formaction|on[a-z]+)\s*=`), html)
}

func TestThePageNeedsNoNetwork(t *testing.T) {
	t.Parallel()
	require.NotRegexp(t, regexp.MustCompile(`(?i)https?:|//[a-z]|@import|url\(|<link|<img|<iframe|<form|<object|\bfetch\(|XMLHttpRequest|WebSocket|sendBeacon`),
		html)
}

// The specification gives every message and its order; the page is in the language of its text.
func TestThePageSpeaksTheProtocol(t *testing.T) {
	t.Parallel()
	for _, wanted := range []string{
		`<html lang="en">`, `"ui/initialize"`, `protocolVersion: "2026-01-26"`, `"ui/notifications/initialized"`, `"ui/notifications/tool-result"`,
		`"ui/notifications/size-changed"`, `"ui/resource-teardown"`, `"list_conversation_webhooks"`, `role="status"`, `<caption`, `scope: "col"`,
	} {
		require.Contains(t, html, wanted)
	}
	require.Less(t, strings.Index(html, `addEventListener("message"`), strings.Index(html, `request("ui/initialize"`),
		"the page listens before it sends")
}

func TestTheMetadataIsAsMCPAppsNamesIt(t *testing.T) {
	t.Parallel()
	require.JSONEq(t, `{"uri": "ui://twilio-conversations/webhooks.html", "mimeType": "text/html;profile=mcp-app", "text": `+encode(t, html)+`,
		"_meta": {"ui": {"csp": {}, "prefersBorder": true}}}`, encode(t, Contents(false)))
	require.JSONEq(t, `{"ui": {"resourceUri": "ui://twilio-conversations/webhooks.html"}, "ui/resourceUri": "ui://twilio-conversations/webhooks.html"}`, encode(t, ToolMeta()))
}

func TestThePageOffersToDeleteOnlyWithTheTool(t *testing.T) {
	t.Parallel()
	require.NotContains(t, html, "<html data-delete")
	require.Contains(t, encode(t, Contents(true)), `\u003chtml data-delete lang=`)
}

func encode(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}
