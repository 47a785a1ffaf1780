package twilioapi

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEdgeAndRegionChooseTheHost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ edge, region, base, want string }{
		{"", "", "", "https://conversations.twilio.com"},
		{"", "ie1", "", "https://conversations.ie1.twilio.com"},
		{"dublin", "", "", "https://conversations.dublin.us1.twilio.com"},
		{"dublin", "ie1", "", "https://conversations.dublin.ie1.twilio.com"},
		{"dublin", "ie1", "http://127.0.0.1:8080/", "http://127.0.0.1:8080"},
	} {
		client, err := New(Config{Edge: row.edge, Region: row.region, BaseURL: row.base})
		require.NoError(t, err)
		require.Equal(t, row.want+"/v1", client.root)
	}
}

// Whatever the name and the values, the request line has one shape and the
// form reads back as it was given.
func FuzzRequest(f *testing.F) {
	f.Add("CH0123456789abcdef0123456789abcdef", "https://example.com/?a=b&c", "onMessageAdded")
	f.Add("support/42?#%", "", "a+b c;d")
	f.Add("..", "\x00\xff", "é")
	f.Fuzz(func(t *testing.T, name, url, filter string) {
		path, err := webhooksPath(name)
		if name == "" || name == "." || name == ".." {
			require.Error(t, err)
			return
		}
		require.NoError(t, err)
		w := NewWebhook{Target: "webhook", URL: &url, Filters: []string{filter, filter}}
		req, err := newRequest(t.Context(), "POST", "http://127.0.0.1"+path, w.form())
		require.NoError(t, err)
		require.Equal(t, path, req.URL.EscapedPath())
		require.Equal(t, "/Conversations/"+name+"/Webhooks", req.URL.Path)
		require.Empty(t, req.URL.RawQuery)
		require.Empty(t, req.URL.Fragment)
		require.NoError(t, req.ParseForm())
		require.Equal(t, []string{url}, req.PostForm["Configuration.Url"])
		require.Equal(t, []string{filter, filter}, req.PostForm["Configuration.Filters"])
		require.Len(t, req.PostForm, 3)
	})
}
