package program

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	eventsKey   = "a-key-of-at-least-thirty-two-bytes"
	eventsToken = "secret-0123456789"
	emptyRoom   = "CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

// freeAddress returns an address of loopback that nothing uses. Its port is below
// those that the system gives to whoever asks for any.
func freeAddress(t *testing.T) string {
	t.Helper()
	for range 100 {
		ln, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20_000+rand.N(12_000)))
		if err == nil {
			require.NoError(t, ln.Close())
			return ln.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

func withToken(r *http.Request) { r.Header.Set("Authorization", "Bearer "+eventsToken) }

func eventsRequest(method, params string) string {
	return `{"jsonrpc":"2.0","id":1,"method":"events/` + method + `","params":` + params + `}`
}

// initialized are the capabilities that a server announces.
func initialized(t *testing.T, url string) string {
	t.Helper()
	status, answer := post(t, url, `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`, withToken)
	require.Equal(t, http.StatusOK, status)
	return answer
}

// Subscribing, an event, and what a copy says and counts of it.
func TestAnAgentHearsAConversation(t *testing.T) {
	t.Parallel()
	address, metrics := freeAddress(t), freeAddress(t)
	bodies := make(chan string, 10)
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		var message struct{ Challenge string }
		_ = json.Unmarshal(body, &message)
		_ = json.NewEncoder(w).Encode(map[string]string{"challenge": message.Challenge})
		bodies <- string(body)
	}))
	t.Cleanup(callback.Close)
	_, logged, end := serving(t, environment("MCP_EVENTS_KEY", eventsKey, "MCP_AUTH_TOKEN", eventsToken),
		"--sandbox", "--http", address, "--public-url", "http://"+address, "--allow-callback", "127.0.0.1/32", "--metrics", metrics)
	base := "http://" + address
	require.Contains(t, initialized(t, base), `"events":{}`)
	require.Contains(t, initialized(t, base), `"io.modelcontextprotocol/events":{}`)

	delivery := fmt.Sprintf(`{"mode":"webhook","url":%q,"secret":"whsec_%s"}`, callback.URL, base64.StdEncoding.EncodeToString(make([]byte, 32)))
	params := `{"name":"onParticipantAdded","arguments":{"ConversationSid":"` + emptyRoom + `"},"delivery":` + delivery + `}`
	status, answer := post(t, base, eventsRequest("subscribe", params), withToken)
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, answer, `"refreshBefore"`)
	require.Contains(t, <-bodies, "verification")

	_, list := post(t, base, strings.ReplaceAll(listDocumented, documented, emptyRoom), withToken)
	var shown struct {
		Result struct {
			StructuredContent struct {
				Webhooks []struct{ Configuration struct{ URL string } }
			} `json:"structuredContent"`
		}
	}
	require.NoError(t, json.Unmarshal([]byte(list), &shown))
	hook := shown.Result.StructuredContent.Webhooks[0].Configuration.URL
	require.True(t, strings.HasPrefix(hook, base+"/events/"))
	res, err := http.PostForm(hook, url.Values{"EventType": {"onParticipantAdded"}, "ConversationSid": {emptyRoom}, "Identity": {"hunter2"}})
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusNoContent, res.StatusCode)
	require.Contains(t, <-bodies, `"Identity":"hunter2"`)

	_, answer = post(t, base, eventsRequest("unsubscribe", params), withToken)
	require.Equal(t, `{"jsonrpc":"2.0","id":1,"result":{}}`+"\n", answer)
	_, answer = post(t, base, eventsRequest("unsubscribe", params), withToken)
	require.Contains(t, answer, `"code":-32011`)
	require.Contains(t, answer, `"data":{"kind":"subscription"}`)

	page, err := http.Get("http://" + metrics + "/metrics")
	require.NoError(t, err)
	text, err := io.ReadAll(page.Body)
	require.NoError(t, err)
	require.NoError(t, page.Body.Close())
	require.Contains(t, string(text), `mcp_events_total{outcome="delivered"} 1`)
	require.Contains(t, string(text), `mcp_events_waiting 0`)
	require.Contains(t, string(text), `mcp_method_name="events/subscribe"`)
	require.NoError(t, end())
	require.Contains(t, logged.String(), "msg=call method=events/subscribe outcome=ok")
	require.Contains(t, logged.String(), "msg=event event=onParticipantAdded")
	require.NotContains(t, logged.String(), "hunter2")
}

// Without the key nothing of it is there.
func TestEventsAreOfferedOnlyWhereTheyAreSwitchedOn(t *testing.T) {
	t.Parallel()
	token := []string{"MCP_AUTH_TOKEN", eventsToken}
	for name, row := range map[string]struct {
		variables, args []string
		offered         []string // methods
	}{
		"off":           {nil, nil, nil},
		"key":           {[]string{"MCP_EVENTS_KEY", eventsKey}, nil, []string{"list", "poll", "subscribe", "unsubscribe"}},
		"read-only":     {[]string{"MCP_EVENTS_KEY", eventsKey}, []string{"--read-only", "--toolsets=all"}, []string{"list", "poll"}},
		"conversations": {nil, []string{"--toolsets=all"}, []string{"list", "poll"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, _, end := serving(t, environment(append(token, row.variables...)...), append([]string{"--sandbox", "--http=127.0.0.1:0", "--docs=false", "--public-url=https://mcp.example.com"}, row.args...)...)
			require.Equal(t, row.offered != nil, strings.Contains(initialized(t, base), `"events":{}`))
			require.Equal(t, row.offered != nil, strings.Contains(initialized(t, base), "io.modelcontextprotocol/events"))
			var offered []string
			for _, method := range []string{"list", "poll", "subscribe", "unsubscribe"} {
				if _, answer := post(t, base, eventsRequest(method, `{}`), withToken); !strings.Contains(answer, "-32601") {
					offered = append(offered, method)
				}
			}
			require.Equal(t, row.offered, offered)
			res, err := http.Post(base+"/events/x", "", nil)
			require.NoError(t, err)
			text, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusNotFound, res.StatusCode)
			require.Equal(t, name == "key", len(strings.TrimSpace(string(text))) == 0, "whether the route is there")
			require.NoError(t, end())
		})
	}
}

func TestEventsCanBePolledOverStdio(t *testing.T) {
	t.Parallel()
	stdout, _, err := runProgram(t, environment("MCP_EVENTS_KEY", eventsKey), eventsRequest("list", `{}`)+"\n"+eventsRequest("subscribe", `{}`), "--sandbox", "--toolsets=all")
	require.NoError(t, err)
	require.Contains(t, stdout, `"delivery":["poll"]`)
	require.NotContains(t, stdout, `"webhook"`)
	require.Contains(t, stdout, "-32601")
}

func TestSettingsOfEventsThatAreInvalidAreRefused(t *testing.T) {
	t.Parallel()
	for want, row := range map[string]struct {
		key  string
		args []string
	}{
		"MCP_EVENTS_KEY needs --public-url":     {eventsKey, nil},
		"a key must have at least 32 bytes":     {"short", []string{"--public-url=https://mcp.example.com"}},
		"MCP_EVENTS_KEY: a key must":            {eventsKey + ",short", []string{"--public-url=https://mcp.example.com"}},
		"MCP_EVENTS_KEY: a key":                 {"${env:MCP_EVENTS_KEY_OF_THE_PRODUCTION_SERVER}", []string{"--public-url=https://mcp.example.com"}},
		`--allow-callback: "example.com" is no`: {eventsKey, []string{"--public-url=https://mcp.example.com", "--allow-callback=10.0.0.0/8,example.com"}},
		"the public URL is too long":            {eventsKey, []string{"--public-url=https://mcp.example.com/" + strings.Repeat("x", 400)}},
	} {
		_, _, err := runProgram(t, environment("MCP_EVENTS_KEY", row.key), "", append([]string{"--sandbox", "--http=127.0.0.1:0"}, row.args...)...)
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), eventsKey)
	}
}

// A server that ends tries once more to deliver what waits, and says what it drops.
func TestAServerThatEndsSaysWhatItDrops(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	asked := make(chan struct{}, 1000)
	callback := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var message struct{ Type, Challenge string }
		_ = json.NewDecoder(r.Body).Decode(&message)
		if message.Type != "verification" {
			asked <- struct{}{}
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"challenge": message.Challenge})
	}))
	t.Cleanup(callback.Close)
	_, logged, end := serving(t, environment("MCP_EVENTS_KEY", eventsKey, "MCP_AUTH_TOKEN", eventsToken),
		"--sandbox", "--http", address, "--public-url", "http://"+address, "--allow-callback", "127.0.0.0/8", "--grace", "100ms")
	delivery := fmt.Sprintf(`{"url":%q,"secret":"whsec_%s"}`, callback.URL, base64.StdEncoding.EncodeToString(make([]byte, 32)))
	_, answer := post(t, "http://"+address, eventsRequest("subscribe", `{"name":"onParticipantAdded","arguments":{"ConversationSid":"`+emptyRoom+`"},"delivery":`+delivery+`}`), withToken)
	require.Contains(t, answer, `"id":"sub_`)
	_, list := post(t, "http://"+address, strings.ReplaceAll(listDocumented, documented, emptyRoom), withToken)
	hook := list[strings.Index(list, "http://"+address+"/events/"):]
	hook = hook[:strings.IndexAny(hook, `\"`)]
	go func() {
		res, err := http.PostForm(hook, url.Values{"EventType": {"onParticipantAdded"}, "ConversationSid": {emptyRoom}})
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	<-asked
	require.NoError(t, end())
	require.Contains(t, logged.String(), "msg=event event=onParticipantAdded")
	require.Contains(t, logged.String(), "outcome=dropped")
}
