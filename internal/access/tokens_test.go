package access

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	tokenA = "aaaaaaaaaaaaaaaa"
	tokenB = "Bb0-._~+/bbbbbb=="
)

func TestTokensAreParsed(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		text string
		want []string
		err  string
	}{
		"one":                        {text: tokenA, want: []string{tokenA}},
		"commas":                     {text: tokenA + "," + tokenB, want: []string{tokenA, tokenB}},
		"lines":                      {text: tokenA + "\n" + tokenB + "\n", want: []string{tokenA, tokenB}},
		"CRLF":                       {text: tokenA + "\r\n" + tokenB + "\r\n", want: []string{tokenA, tokenB}},
		"a comment":                  {text: "# tokens of " + tokenA + "\n" + tokenB, want: []string{tokenB}},
		"an indented comment":        {text: "  # a\n" + tokenB, want: []string{tokenB}},
		"a byte order mark":          {text: "\ufeff" + tokenA, want: []string{tokenA}},
		"blank lines, empty items":   {text: "\n\n," + tokenA + ",,\n", want: []string{tokenA}},
		"white space around a line":  {text: " \t" + tokenA + " ", want: []string{tokenA}},
		"none":                       {text: "", err: "no token is listed"},
		"comments only":              {text: "# a\n#b", err: "no token is listed"},
		"separators only":            {text: " ,, \n", err: "no token is listed"},
		"white space in a line":      {text: tokenA + "\n\nsecret words are here", err: "line 3: white space"},
		"white space behind a comma": {text: tokenA + ", " + tokenB, err: "line 1: white space"},
		"a tab":                      {text: "aaaaaaaa\taaaaaaaa", err: "line 1: white space"},
		"a lone CR":                  {text: tokenA + "\r" + tokenB, err: "line 1: white space"},
		"a comment behind a token":   {text: tokenA + " # mine", err: "line 1: white space"},
		"15 characters":              {text: tokenB + "\naaaaaaaaaaaaaaa", err: "line 2: a token must have at least 16 characters"},
		"a no-break space":           {text: "aaaaaaaa\u00a0aaaaaaaa", err: "line 1: a token consists of"},
		"NUL":                        {text: "aaaaaaaa\x00aaaaaaaa", err: "line 1: a token consists of"},
		"UTF-16":                     {text: "\xff\xfea\x00a\x00", err: "line 1: a token consists of"},
		"= inside":                   {text: "aaaaaaaa=aaaaaaaa", err: "line 1: a token consists of"},
		"= only":                     {text: "=================", err: "line 1: a token consists of"},
		"a quoted token":             {text: `"` + tokenA + `"`, err: "line 1: a token consists of"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseTokens(row.text)
			require.Equal(t, row.want, got)
			if row.err == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, row.err)
			require.NotContains(t, err.Error(), "aaaaaaaa", "a secret")
			require.NotContains(t, err.Error(), "secret", "a secret")
		})
	}
}

func TestACallerNeedsOneOfTheTokens(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{Tokens: []string{tokenA, tokenB}}))
	for authorization, status := range map[string]int{
		"Bearer " + tokenA:         200,
		"bearer " + tokenB:         200,
		"BEARER   " + tokenB + " ": 200,
		"Bearer " + tokenA + "a":   401,
		"Bearer " + tokenA[1:]:     401,
		"Bearer":                   401,
		"Bearer ":                  401,
		"Basic " + tokenA:          401,
		tokenA:                     401,
		"Bearer #":                 401,
		"":                         401,
	} {
		t.Run(authorization, func(t *testing.T) {
			t.Parallel()
			res := send(t, s, "POST", "/write", header{"Authorization": authorization})
			require.Equal(t, status, res.status)
			if status == 401 {
				require.Equal(t, `Bearer realm="twilio-conversations-mcp"`, res.header.Get("WWW-Authenticate"))
				require.Contains(t, res.body, "Authorization: Bearer")
			}
		})
	}
}

func TestAnEmptyTokenIsNotAccepted(t *testing.T) {
	t.Parallel()
	s := serve(t, newPolicy(t, Options{Tokens: []string{""}}))
	require.Equal(t, 401, send(t, s, "POST", "/", header{"Authorization": "Bearer "}).status)
}

// A tokenFileTest is a server whose tokens are in a file.
type tokenFileTest struct {
	t     *testing.T
	path  string
	clock *clock
	log   *logBuffer
	admit func(token string) bool
}

func newTokenFileTest(t *testing.T, o Options) *tokenFileTest {
	f := &tokenFileTest{t: t, path: filepath.Join(t.TempDir(), "tokens"), clock: newClock(), log: &logBuffer{}}
	f.write(tokenA)
	o.TokenFile, o.Log, o.now = f.path, f.log.logger(), f.clock.Now
	s := serve(t, newPolicy(t, o))
	f.admit = func(token string) bool {
		res := send(t, s, "POST", "/", header{"Authorization": "Bearer " + token})
		require.Contains(t, []int{200, 401}, res.status)
		return res.status == 200
	}
	return f
}

func (f *tokenFileTest) write(text string) {
	require.NoError(f.t, os.WriteFile(f.path, []byte(text), 0o600))
}

func TestAChangedTokenFileTakesEffectWithinTenSeconds(t *testing.T) {
	t.Parallel()
	f := newTokenFileTest(t, Options{})
	require.True(t, f.admit(tokenA))

	f.write("# rotated\n" + tokenB)
	require.True(t, f.admit(tokenA), "the file is not read for each request")
	f.clock.advance(10 * time.Second)
	require.True(t, f.admit(tokenB))
	require.False(t, f.admit(tokenA))
	require.Contains(t, f.log.String(), "the token file has changed")
	require.NotContains(t, f.log.String(), tokenB)
}

func TestATokenFileReplacedByARenameIsReadAgain(t *testing.T) {
	t.Parallel()
	f := newTokenFileTest(t, Options{})
	other := f.path + ".new"
	require.NoError(t, os.WriteFile(other, []byte(tokenB), 0o600))
	require.NoError(t, os.Rename(other, f.path))
	f.clock.advance(10 * time.Second)
	require.True(t, f.admit(tokenB))
	require.False(t, f.admit(tokenA))
}

func TestNoTokenOfAnUnusableTokenFileIsAccepted(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(f *tokenFileTest)
		logged string
	}{
		"empty":     {func(f *tokenFileTest) { f.write("") }, "no token is listed"},
		"comments":  {func(f *tokenFileTest) { f.write("# " + tokenA) }, "no token is listed"},
		"missing":   {func(f *tokenFileTest) { require.NoError(f.t, os.Remove(f.path)) }, "no such file"},
		"invalid":   {func(f *tokenFileTest) { f.write(tokenA + "\nshort") }, "line 2: a token must have"},
		"too large": {func(f *tokenFileTest) { f.write(strings.Repeat(tokenA+"\n", 5000)) }, "the maximum is 65536 bytes"},
		"a directory": {func(f *tokenFileTest) {
			require.NoError(f.t, os.Remove(f.path))
			require.NoError(f.t, os.Mkdir(f.path, 0o700))
		}, "is not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTokenFileTest(t, Options{})
			require.True(t, f.admit(tokenA))
			row.change(f)
			for range 3 {
				f.clock.advance(10 * time.Second)
				require.False(t, f.admit(tokenA))
			}
			require.Contains(t, f.log.String(), row.logged)
			require.Equal(t, 1, strings.Count(f.log.String(), "level=ERROR"), "the problem is logged once")

			require.NoError(t, os.RemoveAll(f.path))
			f.write(tokenB)
			f.clock.advance(10 * time.Second)
			require.True(t, f.admit(tokenB), "a valid file is accepted again")
		})
	}
}

func TestTokensOfTheOptionsDoNotDependOnTheFile(t *testing.T) {
	t.Parallel()
	f := newTokenFileTest(t, Options{Tokens: []string{tokenB}})
	require.True(t, f.admit(tokenA))
	require.True(t, f.admit(tokenB))
	f.write("")
	f.clock.advance(10 * time.Second)
	require.False(t, f.admit(tokenA))
	require.True(t, f.admit(tokenB))
}

func TestAnUnusableTokenFileIsRefusedAtStart(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens")
	require.NoError(t, os.WriteFile(path, []byte(tokenA+"\n"+tokenA+" x\n"), 0o600))
	_, err := New(Options{TokenFile: path})
	require.ErrorContains(t, err, "TokenFile: "+path+": line 2: white space")
	require.NotContains(t, err.Error(), tokenA)
}
