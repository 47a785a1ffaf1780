package access

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	tokenAdvice = "send one of the server's tokens as Authorization: Bearer"

	minTokenLength  = 16
	maxTokenFile    = 64 << 10 // bytes
	tokenFileMaxAge = 5 * time.Second
)

// b64token is the syntax of bearer tokens in RFC 6750, section 2.1.
var b64token = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) })

// ParseTokens returns the bearer tokens that a text lists, separated by line
// breaks or commas. Lines that begin with # are comments; a byte order mark is
// ignored. Each token must have the syntax of RFC 6750 and at least 16 characters.
// Errors name the line, and never quote a token. A text without tokens is an error.
func ParseTokens(text string) ([]string, error) {
	var tokens []string
	number := 0
	for line := range strings.Lines(strings.TrimPrefix(text, "\ufeff")) {
		number++
		line = strings.Trim(line, " \t\r\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		for token := range strings.SplitSeq(line, ",") {
			if token == "" {
				continue
			}
			if err := checkToken(token); err != nil {
				return nil, fmt.Errorf("line %d: %w", number, err)
			}
			tokens = append(tokens, token)
		}
	}
	if len(tokens) == 0 {
		return nil, errors.New("no token is listed")
	}
	return tokens, nil
}

func checkToken(token string) error {
	switch {
	case strings.ContainsAny(token, " \t\r\v\f"):
		return errors.New("white space inside a line; separate tokens with commas or line breaks")
	case !b64token().MatchString(token):
		return errors.New("a token consists of letters, digits and -._~+/, and may end with =")
	case len(token) < minTokenLength:
		return fmt.Errorf("a token must have at least %d characters", minTokenLength)
	}
	return nil
}

// A tokenList holds the accepted bearer tokens, as hashes.
type tokenList struct {
	fixed [][sha256.Size]byte
	path  string // of the file with more tokens; may be empty
	log   *slog.Logger
	now   func() time.Time

	mu       sync.Mutex // guards the fields below
	readAt   time.Time  // when the file was read
	fromFile [][sha256.Size]byte
	problem  string // why fromFile is empty
}

// setTokens takes the accepted tokens from Tokens and TokenFile.
func (p *Policy) setTokens(o Options) error {
	if len(o.Tokens) == 0 && o.TokenFile == "" {
		return nil
	}
	p.tokens = &tokenList{fixed: hashes(o.Tokens), path: o.TokenFile, log: o.Log, now: o.now}
	if o.TokenFile == "" {
		return nil
	}
	tokens, err := readTokenFile(o.TokenFile)
	if err != nil {
		return &OptionError{"TokenFile", err}
	}
	p.tokens.fromFile, p.tokens.readAt = hashes(tokens), o.now()
	return nil
}

func hashes(tokens []string) (sums [][sha256.Size]byte) {
	for _, token := range tokens {
		sums = append(sums, sha256.Sum256([]byte(token)))
	}
	return sums
}

// readTokenFile reads a regular file: another, such as a pipe, could be read
// only once.
func readTokenFile(path string) ([]string, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxTokenFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxTokenFile:
		return nil, fmt.Errorf("%s is too large; the maximum is %d bytes", path, maxTokenFile)
	}
	tokens, err := ParseTokens(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return tokens, nil
}

func (l *tokenList) admit(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	if token, ok := bearerToken(r); ok && l.contains(token) {
		return Caller{Principal: fmt.Sprintf("token %x", sha256.Sum256([]byte(token)))}, true
	}
	w.Header().Set("WWW-Authenticate", `Bearer realm="twilio-conversations-mcp"`)
	http.Error(w, tokenAdvice, http.StatusUnauthorized)
	return Caller{}, false
}

// contains compares hashes in constant time, so that timing reveals nothing
// about the tokens.
func (l *tokenList) contains(token string) bool {
	got, known := sha256.Sum256([]byte(token)), 0
	for _, accepted := range [][][sha256.Size]byte{l.fixed, l.current()} {
		for _, want := range accepted {
			known |= subtle.ConstantTimeCompare(got[:], want[:])
		}
	}
	return known == 1
}

// current returns the tokens of the file. It reads the file again if it was
// read too long ago.
func (l *tokenList) current() [][sha256.Size]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now := l.now(); l.path != "" && now.Sub(l.readAt) >= tokenFileMaxAge {
		l.readAt = now
		l.readAgain()
	}
	return l.fromFile
}

// readAgain replaces the tokens of the file. A file that cannot be read or is
// invalid holds none.
func (l *tokenList) readAgain() {
	tokens, err := readTokenFile(l.path)
	before, problem := l.fromFile, l.problem
	l.fromFile, l.problem = hashes(tokens), ""
	switch {
	case err != nil:
		if l.problem = err.Error(); l.problem != problem {
			l.log.Error("no token of the token file is accepted", "error", err)
		}
	case !slices.Equal(before, l.fromFile):
		l.log.Info("the token file has changed", "tokens", len(tokens))
	}
}

// bearerToken returns the token of an Authorization header with the scheme
// Bearer.
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, token != "" && strings.EqualFold(scheme, "Bearer")
}
