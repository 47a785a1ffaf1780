package twilioapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A requestScope is what the requests of one call have in common.
type requestScope struct {
	conversation string // SID or unique name
	credentials  Credentials
}

// scope returns the scope of a call.
func (c *Client) scope(conversation string) (requestScope, error) {
	credentials, err := c.credentials()
	if err != nil {
		return requestScope{}, notSent(err)
	}
	return requestScope{conversation, credentials}, nil
}

// isSID reports whether s is a SID: the prefix of its kind and 32 hexadecimal
// digits.
func isSID(prefix, s string) bool {
	digits, found := strings.CutPrefix(s, prefix)
	return found && len(digits) == 32 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// allows reports whether a webhook of the conversation may have this
// conversation_sid. If the conversation was given by its unique name, its SID is
// not known.
func (s requestScope) allows(sid jsontext.Value) bool {
	switch sid.Kind() {
	case 'n':
		return true
	case '"':
		return bytes.EqualFold(sid[1:len(sid)-1], []byte(s.conversation)) || !isSID("CH", s.conversation)
	default:
		return false
	}
}

// A request is one operation on the webhooks of a conversation.
type request struct {
	requestScope
	method  string
	sid     *string // of a webhook; nil for all of the conversation
	address string  // of an [Operation]; "" for a collection of a conversation
	maxBody int     // bytes of the response; 0: maxBody
	params  form
	// isolated makes a GET use a connection of its own over HTTP/1.1, as writes do.
	isolated bool
	lock     Lock // nil, or what must be held until there is a response
	// decode returns the body of a 2xx response as JSON, or an error if it cannot
	// be the response to this request.
	decode func(meta responseMeta, body []byte) (json.RawMessage, error)
}

// do sends a request, and retries it as long as that is safe and ctx allows.
func (c *Client) do(ctx context.Context, r *request) (*response, error) {
	res, failure := c.retry(ctx, r.method, func() (*response, *Error) {
		if r.lock != nil {
			return c.sendLocked(ctx, r)
		}
		return c.send(ctx, r)
	})
	if failure != nil && failure.Status == http.StatusUnauthorized {
		failure.Sent = r.credentials.describe()
	}
	return res, failure.orNil()
}

// sendLocked sends a request if its lock is held, which it is until the request ends.
func (c *Client) sendLocked(ctx context.Context, r *request) (*response, *Error) {
	until, err := r.lock.Check(ctx)
	if err != nil {
		return nil, notSent(storeError(err))
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	return c.send(ctx, r)
}

func (c *Client) newRequest(ctx context.Context, r *request) (*http.Request, error) {
	address := r.address
	if address == "" {
		path, err := r.path()
		if err != nil {
			return nil, err
		}
		address = c.root + path
	}
	req, err := r.params.newRequest(ctx, r.method, address)
	if err != nil {
		return nil, err
	}
	req.Header["Accept"] = acceptJSON
	req.Header["User-Agent"] = c.userAgent
	req.Header["Authorization"] = []string{r.credentials.authorization()}
	return req, nil
}

var acceptJSON = []string{"application/json"}

// path returns the path of the webhooks, or of one, below the API's root. The
// names in it stay single path elements, whatever they contain.
func (r *request) path() (string, error) {
	if !isPathElement(r.conversation) {
		return "", errors.New(`ConversationSid must not be empty, "." or ".."; it is a SID (CH...) or a unique name`)
	}
	path := "/Conversations/" + url.PathEscape(r.conversation) + "/Webhooks"
	if r.sid == nil {
		return path, nil
	}
	if !isPathElement(*r.sid) {
		return "", errors.New(`the Sid must not be empty, "." or ".."; it is the SID of a webhook (WH...)`)
	}
	return path + "/" + url.PathEscape(*r.sid), nil
}

// isPathElement reports whether a name can be an element of a path. Servers and
// proxies remove the others, escaped or not.
func isPathElement(name string) bool { return name != "" && name != "." && name != ".." }

// A form has parameters as Twilio expects them: the key of a list is repeated,
// and what was not given has no key.
type form url.Values

func (f form) text(key string, value *string) {
	if value != nil {
		f[key] = []string{*value}
	}
}

func (f form) integer(key string, value *int64) {
	if value != nil {
		f[key] = []string{strconv.FormatInt(*value, 10)}
	}
}

// newRequest puts the parameters into the body of a POST, or into the query.
func (f form) newRequest(ctx context.Context, method, address string) (*http.Request, error) {
	encoded := url.Values(f).Encode()
	if method != http.MethodPost {
		if encoded != "" {
			address += "?" + encoded
		}
		return http.NewRequestWithContext(ctx, method, address, nil)
	}
	req, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(encoded))
	if err == nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return req, err
}
