package twilioapi

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode"
)

const maxSanitized = 500 // characters

// sanitize makes text from the network safe to show: on one line, of limited
// length, and without the credentials of the request and of the proxy.
func (c *Client) sanitize(s string, req *http.Request) string {
	if s == "" {
		return ""
	}
	for _, secret := range c.secrets(req) {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[secret]")
		}
	}
	s = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return ' '
		}
		return r
	}, s)
	return strings.TrimSpace(clip(s, maxSanitized))
}

// clip returns at most n characters of a text.
func clip(text string, n int) string {
	for i := range text {
		if n--; n < 0 {
			return text[:i] + "…"
		}
	}
	return text
}

const (
	maxWords = 200      // characters
	maxPage  = 16 << 10 // bytes of a body that are searched for words
)

// words returns what a person reads at the beginning of a body, on one line: HTML
// without its tags, title, scripts and styles.
func words(body []byte) string {
	rest := string(body[:min(len(body), maxPage)])
	var text strings.Builder
	for found := true; found; {
		var before, tag string
		before, rest, found = strings.Cut(rest, "<")
		text.WriteString(before + " ")
		tag, rest, _ = strings.Cut(rest, ">")
		for _, hidden := range []string{"script", "style", "title"} {
			if len(tag) >= len(hidden) && strings.EqualFold(tag[:len(hidden)], hidden) {
				_, rest, _ = strings.Cut(rest, "</"+tag[:len(hidden)])
				_, rest, _ = strings.Cut(rest, ">")
			}
		}
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

// secrets returns the credentials in the forms in which errors may show them.
func (c *Client) secrets(req *http.Request) []string {
	_, header, _ := strings.Cut(req.Header.Get("Authorization"), " ")
	_, password, _ := req.BasicAuth()
	secrets := []string{header, password}
	if c.shared.Proxy == nil {
		return secrets
	}
	if proxy, err := c.shared.Proxy(req); err == nil && proxy != nil && proxy.User != nil {
		secrets = append(secrets, proxySecrets(proxy.User)...)
	}
	return secrets
}

func proxySecrets(user *url.Userinfo) []string {
	password, _ := user.Password()
	quoted := strconv.Quote(password)
	_, escaped, _ := strings.Cut(user.String(), ":")
	return []string{
		base64.StdEncoding.EncodeToString([]byte(user.Username() + ":" + password)),
		password, quoted[1 : len(quoted)-1], escaped,
	}
}
