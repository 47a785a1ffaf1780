package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"twilio-conversations-mcp/internal/events"
)

// EventsOptions returns the options of MCP Events, without the client of Twilio, the
// log and the metrics.
func (c *Config) EventsOptions(lookup LookupFunc) (o events.Options, err error) {
	o = events.Options{Version: Version()}
	keys := strings.FieldsFunc(lookup.value("MCP_EVENTS_KEY"), func(r rune) bool { return strings.ContainsRune(",\r\n\t ", r) })
	if len(keys) == 0 || c.HTTP == "" || c.ReadOnly {
		return o, nil
	}
	if c.PublicURL == "" {
		return o, errors.New("MCP_EVENTS_KEY needs --public-url, the base URL of this server as Twilio sees it, such as https://mcp.example.com")
	}
	for _, key := range keys {
		if len(key) < events.MinKeyLength || !isReal(key) {
			return o, fmt.Errorf("MCP_EVENTS_KEY: a key must have at least %d bytes, such as the output of openssl rand -hex 32", events.MinKeyLength)
		}
	}
	o.Keys, o.PublicURL = keys, c.PublicURL
	if token := lookup.value("TWILIO_AUTH_TOKEN"); isReal(token) && !c.callerCredentials() {
		o.AuthToken = token
	}
	if o.AllowedCallbacks, err = networks("--allow-callback", c.AllowCallback); err != nil {
		return o, err
	}
	o.RootCAs, err = c.RootCAs()
	return o, err
}

// networks returns the networks that a flag names.
func networks(flag string, texts []string) (networks []netip.Prefix, err error) {
	for _, text := range texts {
		network, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %.64q is not a network, such as 10.0.0.0/8", flag, text)
		}
		networks = append(networks, network)
	}
	return networks, nil
}
