package access

import (
	"encoding/base64"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCallersSendTheirOwnCredentials(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{CallerCredentials: true}))
	basic := func(text string) string { return "Basic " + base64.StdEncoding.EncodeToString([]byte(text)) }
	for authorization, want := range map[string]string{
		basic("SK1:secret"): "admitted SK1",
		basic("SK1:a:b"):    "admitted SK1",
		basic("SK1:"):       "",
		basic(":secret"):    "",
		basic("SK1"):        "",
		"Basic SK1:secret":  "",
		"Bearer SK1":        "",
		"":                  "",
	} {
		t.Run(authorization, func(t *testing.T) {
			t.Parallel()
			res := send(t, s, "POST", "/write", header{"Authorization": authorization})
			if want != "" {
				require.Equal(t, want, res.body)
				return
			}
			require.Equal(t, 401, res.status)
			require.Equal(t, `Basic realm="Twilio", charset="UTF-8"`, res.header.Get("WWW-Authenticate"))
			require.Contains(t, res.body, "HTTP Basic")
		})
	}
}

func TestCredentialsOfACallerAreNotPrinted(t *testing.T) {
	t.Parallel()
	c := Caller{Username: "SK1", Password: "secret"}
	require.NotContains(t, fmt.Sprintf("%v %+v %#v %s", c, c, c, c), "secret")
}
