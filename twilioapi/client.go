// Package twilioapi is a client of Twilio's Conversations API, version 1, for the
// webhooks of a conversation.
//
// A [Client] sends requests as https://www.twilio.com/docs/usage/requests-to-twilio
// describes (HTTP Basic, forms with repeated keys), retries what is safe to
// retry, and returns Twilio's own JSON. Every error of a call is an [*Error], which
// says whether the call did anything.
package twilioapi

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"runtime"
	"strings"
	"time"
	"unicode/utf8"
)

// DefaultTimeout limits a call if [Config.Timeout] is zero.
const DefaultTimeout = 30 * time.Second

// Config says where Twilio is and how to call it.
type Config struct {
	// BaseURL is the scheme and host of the API. It overrides Edge and Region.
	// If empty, Twilio's own host is used.
	BaseURL string
	// Edge and Region choose the host by the rule of
	// https://www.twilio.com/docs/global-infrastructure; an edge alone means
	// region us1.
	Edge, Region string
	// ServiceSID (IS...) selects the Conversation Service. If empty, it is the
	// account's default one.
	ServiceSID string
	// RootCAs are the certificate authorities that Twilio's certificate is
	// verified with. If nil, they are the system's.
	RootCAs *x509.CertPool
	// Connections is how many idle connections are kept. It should be the number
	// of concurrent calls, or calls beyond it have to dial. Zero means 32.
	Connections int
	// IsolateReads makes each read over HTTP/1.1 use a connection of its own, as
	// writes always do. A surplus response from the server is then never taken
	// for the response to another caller.
	IsolateReads bool
	// Credentials returns the credentials of a call. If it is nil, only the clients
	// that [Client.WithCredentials] returns can call Twilio.
	Credentials CredentialsFunc
	// Timeout limits each call with its retries. Zero means [DefaultTimeout].
	Timeout time.Duration
	// Store is what this client shares with those of other processes. If nil, ensures
	// and lost creates of other processes are not taken into account.
	Store Store
	// Version is the version of this program, for the User-Agent header.
	Version string
	// Sleep waits between attempts, or returns the context's error. If nil, it
	// uses a timer.
	Sleep func(context.Context, time.Duration) error

	// OnResponse, OnRetry and OnReconciled observe requests, for metrics. They
	// are called concurrently; nil ones are not called.

	// OnResponse is called after each request with the HTTP method, the status
	// and the time until the header of the response was read. The status is 0
	// if there was no response.
	OnResponse func(method string, status int, d time.Duration)
	// OnRetry is called before a request is sent again. The reason is one of
	// "429", "502", "503", "504", "not_sent", "no_response" and
	// "unusable_response".
	OnRetry func(reason string)
	// OnReconciled is called when a create of unknown outcome was reconciled.
	// The outcome is one of "found", "not_found" and "unknown".
	OnReconciled func(outcome string)
}

// Credentials are HTTP Basic credentials of Twilio's API: an API key and its
// secret, or an account SID and its auth token. They print as "[secret]".
type Credentials struct{ Username, Password string }

// String hides the credentials from fmt and from logs.
func (Credentials) String() string { return "[secret]" }

// GoString hides the credentials from fmt's %#v.
func (Credentials) GoString() string { return "[secret]" }

// authorization returns the header of RFC 7617.
func (c Credentials) authorization() string {
	plain := append(append(append(make([]byte, 0, 128), c.Username...), ':'), c.Password...)
	return string(base64.StdEncoding.AppendEncode(append(make([]byte, 0, 256), "Basic "...), plain))
}

// describe says what can be seen of credentials without telling a secret: whether they
// are those that were meant, and whether they were cut.
func (c Credentials) describe() string {
	const length = 32 // of Twilio's secrets
	secret := fmt.Sprintf("a secret of %d characters", utf8.RuneCountInString(c.Password))
	if utf8.RuneCountInString(c.Password) != length {
		secret += fmt.Sprintf(", where Twilio's have %d", length)
	}
	switch {
	case isSID("SK", c.Username):
		return fmt.Sprintf("The API key that was sent is SK...%s, with %s.", c.Username[len(c.Username)-4:], secret)
	case isSID("AC", c.Username):
		return fmt.Sprintf("The account SID that was sent is AC...%s, with %s.", c.Username[len(c.Username)-4:], secret)
	default:
		return fmt.Sprintf("The username that was sent has %d characters and is neither an API key's SID nor an account SID.", utf8.RuneCountInString(c.Username))
	}
}

// A CredentialsFunc returns the credentials for one call, or an error that says
// which ones are missing and how to set them.
type CredentialsFunc func() (Credentials, error)

// A Client calls Twilio. It is safe for concurrent use, and any number of
// callers share its connections.
type Client struct {
	transports
	base        string // scheme, host and path of the API
	root        string // the same for the Service, in front of "/Conversations"
	monitor     string // the same for Monitor
	plaintext   bool
	userAgent   []string
	timeout     time.Duration
	credentials CredentialsFunc
	sleep       func(context.Context, time.Duration) error
	creates     *createLog
	ensures     *keyedMutex

	onResponse   func(string, int, time.Duration)
	onRetry      func(string)
	onReconciled func(string)
}

// New returns a client, or an error that names the setting that is invalid.
func New(c Config) (*Client, error) {
	base, err := baseURL(c, "conversations")
	if err != nil {
		return nil, err
	}
	monitor, _ := baseURL(c, "monitor") // valid as base is
	root := base.String() + "/v1"
	if c.ServiceSID != "" {
		if !isSID("IS", c.ServiceSID) {
			return nil, errors.New("the Service SID must be IS and 32 hexadecimal digits")
		}
		root += "/Services/" + c.ServiceSID
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	if c.Credentials == nil {
		c.Credentials = func() (Credentials, error) { return Credentials{}, errors.New("there are no Twilio credentials") }
	}
	return &Client{
		transports: newTransports(c),
		base:       base.String() + "/v1",
		root:       root,
		monitor:    monitor.String() + "/v1",
		plaintext:  base.Scheme == "http" && !isLoopback(base.Hostname()),
		userAgent: []string{fmt.Sprintf("twilio-conversations-mcp/%s (%s %s) go/%s",
			c.Version, runtime.GOOS, runtime.GOARCH, strings.TrimPrefix(runtime.Version(), "go"))},
		timeout:      cmp.Or(c.Timeout, DefaultTimeout),
		credentials:  c.Credentials,
		sleep:        c.Sleep,
		creates:      newCreateLog(c.Store, root, cmp.Or(c.Timeout, DefaultTimeout)),
		ensures:      newKeyedMutex(),
		onResponse:   c.OnResponse,
		onRetry:      c.OnRetry,
		onReconciled: c.OnReconciled,
	}, nil
}

// WithCredentials returns a client that uses other credentials. It shares
// everything else with c.
func (c *Client) WithCredentials(credentials Credentials) *Client {
	other := *c
	other.credentials = func() (Credentials, error) { return credentials, nil }
	return &other
}

// Plaintext reports whether credentials leave this machine unencrypted: the base
// URL is http and its host is not a loopback address.
func (c *Client) Plaintext() bool { return c.plaintext }

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

func isHostLabel(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// baseURL returns the scheme and host of an API of Twilio.
func baseURL(c Config, api string) (*url.URL, error) {
	if c.BaseURL != "" {
		u, err := url.Parse(c.BaseURL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
			return nil, errors.New("the base URL must be an http or https URL with a host, such as https://conversations.twilio.com")
		}
		if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
			return nil, errors.New("the base URL must have no path and no query, such as https://conversations.twilio.com")
		}
		return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
	}
	host := api
	if c.Edge != "" {
		host, c.Region = host+"."+c.Edge, cmp.Or(c.Region, "us1")
	}
	if c.Region != "" {
		host += "." + c.Region
	}
	if !isHostLabel(cmp.Or(c.Edge, "none")) || !isHostLabel(cmp.Or(c.Region, "none")) {
		return nil, errors.New("edge and region must each be one lower-case name, such as dublin and ie1")
	}
	return &url.URL{Scheme: "https", Host: host + ".twilio.com"}, nil
}
