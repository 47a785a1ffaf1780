package twilioapi

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Parameters are the parameters of a request by their documented names. A list has
// several values; what was not given has no entry.
type Parameters = url.Values

// An Operation describes a request that reads, or that replaces settings. What is
// done for every request (retries, limits, metrics, errors) is done for it too.
type Operation struct {
	method    string // "": GET
	path      string // below /v1; {Name} stands for the parameter of that name
	inService bool   // whether the path is below that of the client's Service
	onMonitor bool   // whether the host is the one of Monitor
	list      string // the array that the response has, or "" if it is one resource
	// identity is a member of the resource, or of each item of the list. It is null
	// or, if the last parameter in the path is a SID, that SID. A resource has it.
	identity string
	maxBody  int // bytes of the response; 0: maxBody
}

// maxListBody limits a page of up to 100 resources, in bytes; maxAlertsBody one of
// up to 1,000 alerts; maxAlertBody one alert with a request and its response.
const (
	maxListBody   = 4 << 20
	maxAlertsBody = 8 << 20
	maxAlertBody  = 1 << 20
)

// The operations of [Client.Read].
var (
	ListConversations            = Operation{path: "/Conversations", inService: true, list: "conversations", maxBody: maxListBody}
	FetchConversation            = Operation{path: "/Conversations/{ConversationSid}", inService: true, identity: "sid"}
	ListWebhooks                 = Operation{path: "/Conversations/{ConversationSid}/Webhooks", inService: true, list: "webhooks", identity: "conversation_sid"}
	ListMessages                 = Operation{path: "/Conversations/{ConversationSid}/Messages", inService: true, list: "messages", identity: "conversation_sid", maxBody: maxListBody}
	ListParticipantConversations = Operation{path: "/ParticipantConversations", inService: true, list: "conversations", maxBody: maxListBody}
	ListServices                 = Operation{path: "/Services", list: "services", maxBody: maxListBody}
	FetchAccountWebhooks         = Operation{path: "/Configuration/Webhooks", identity: "account_sid"}
	FetchServiceWebhooks         = Operation{path: "/Services/{ChatServiceSid}/Configuration/Webhooks", identity: "chat_service_sid"}
	ListAddressConfigurations    = Operation{path: "/Configuration/Addresses", list: "address_configurations", maxBody: maxListBody}
	ListAlerts                   = Operation{path: "/Alerts", onMonitor: true, list: "alerts", maxBody: maxAlertsBody}
	FetchAlert                   = Operation{path: "/Alerts/{Sid}", onMonitor: true, identity: "sid", maxBody: maxAlertBody}
)

// writes returns the operation that replaces what o reads.
func (o Operation) writes() Operation {
	o.method = http.MethodPost
	return o
}

// Read returns what a GET of an operation returns.
func (c *Client) Read(ctx context.Context, o Operation, p Parameters) (Result, error) {
	r, err := c.request(o, p)
	if err != nil {
		return Result{}, err
	}
	return newResult(c.doInTime(ctx, r))
}

// WithTimeout returns a context for a call that makes several requests, which are
// limited together as a single one is.
func (c *Client) WithTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.timeout)
}

// request returns the request of an operation.
func (c *Client) request(o Operation, p Parameters) (*request, error) {
	scope, err := c.scope("")
	if err != nil {
		return nil, err
	}
	path, rest, last, err := o.fill(p)
	if err != nil {
		return nil, notSent(err)
	}
	address := c.base + path
	switch {
	case o.onMonitor:
		address = c.monitor + path
	case o.inService:
		address = c.root + path
	}
	return &request{
		requestScope: scope, method: cmp.Or(o.method, http.MethodGet), address: address, params: form(rest), maxBody: o.maxBody,
		decode: func(_ responseMeta, body []byte) (json.RawMessage, error) { return o.decode(body, last) },
	}, nil
}

// fill returns the path with its parameters, the parameters that are not in it, and
// the last one that is.
func (o Operation) fill(p Parameters) (path string, rest Parameters, last string, err error) {
	rest = maps.Clone(p)
	elements := strings.Split(o.path, "/")
	for i, element := range elements {
		name, isParameter := strings.CutPrefix(element, "{")
		if !isParameter {
			continue
		}
		name = strings.TrimSuffix(name, "}")
		if last = p.Get(name); !isPathElement(last) {
			return "", nil, "", fmt.Errorf(`%s must not be empty, "." or ".."`, name)
		}
		elements[i] = url.PathEscape(last)
		delete(rest, name)
	}
	return strings.Join(elements, "/"), rest, last, nil
}

// decode decodes a response to a request whose path has last as its last parameter.
func (o Operation) decode(body []byte, last string) (json.RawMessage, error) {
	identified := o.list != ""
	object, err := decodeObject(body, o.list, func(name []byte, value jsontext.Value) error {
		if o.identity == "" || string(name) != o.identity {
			return nil
		}
		identified = true
		if value.Kind() == 'n' || value.Kind() == '"' && (!looksLikeSID(last) || bytes.EqualFold(value[1:len(value)-1], []byte(last))) {
			return nil
		}
		return errors.New("the response is about another resource")
	})
	if err == nil && !identified {
		err = fmt.Errorf("the response has no %s", o.identity)
	}
	return object, err
}

// looksLikeSID reports whether a name is a SID of any kind, and not a unique name.
func looksLikeSID(name string) bool { return len(name) == 34 && isSID(name[:2], name) }
