package serve

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/mark3labs/mcp-go/mcp"
)

// An rpcError is the error member of a JSON-RPC response.
type rpcError = mcp.JSONRPCErrorDetails

func newRPCError(code int, text string) *rpcError { return &rpcError{Code: code, Message: text} }

// A message is one JSON-RPC 2.0 message from a client: a request, a
// notification, which has no id, or a response, which has no method. A response
// is ignored, because this server sends no requests.
type message struct {
	id     jsontext.Value // as the client wrote it
	method string

	// params is a JSON object, or nil. The fields below are members of it.
	params    jsontext.Value
	name      jsontext.Value // of a tool or a prompt
	uri       jsontext.Value // of a resource
	requestID jsontext.Value // of the request that a notification cancels
	arguments jsontext.Value // not checked for duplicate names and invalid Unicode
	meta      jsontext.Value // _meta
	responses jsontext.Value // inputResponses: the answers to what an earlier result asked
	state     jsontext.Value // requestState of that result

	// The fields below are members of _meta.
	version      string         // MCP protocol version; since 2026-07-28
	capabilities jsontext.Value // of the client
	traceparent  string
}

// Limits on what a message holds besides the arguments of a tool call, which
// the tool limits itself.
const (
	maxID      = 1 << 10  // bytes; a reply that waits to be written holds its id
	maxMembers = 64       // of the message, of params and of _meta; their names are compared with each other
	maxValue   = 64 << 10 // bytes of the value of one member
)

// byteOrderMark is what some programs write in front of UTF-8.
var byteOrderMark = []byte("\ufeff")

// decoders holds decoders that are not in use.
var (
	decoders  = sync.Pool{New: func() any { return new(decoder) }}
	noMessage = strings.NewReader("")
)

// A decoder reads a message that is in memory.
type decoder struct {
	jsontext.Decoder
	message bytes.Buffer
}

func (d *decoder) free() {
	d.Reset(noMessage)
	d.message = bytes.Buffer{}
	decoders.Put(d)
}

// parse reads a message. It ignores a byte order mark in front of it. It is the only
// reader of what it returns: what it does not read is passed to a tool or to the
// method of an extension as it is, and not read twice.
// An error that belongs to no request in particular comes with a nil id, as
// https://www.jsonrpc.org/specification#response_object says.
func parse(raw []byte) (message, *rpcError) {
	raw = bytes.TrimPrefix(raw, byteOrderMark)
	p := parser{raw: raw, decoder: decoders.Get().(*decoder)}
	defer p.decoder.free()
	p.decoder.message = *bytes.NewBuffer(raw)
	p.decoder.Reset(&p.decoder.message, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	kind := p.decoder.PeekKind()
	var err error
	if kind == '{' {
		err = p.envelope()
	} else {
		err = p.decoder.SkipValue()
	}
	if err == nil {
		err = p.end()
	}
	switch {
	case err != nil:
		return message{}, newRPCError(mcp.PARSE_ERROR, "the message is not valid JSON: "+describe(err))
	case kind == '[':
		return message{}, newRPCError(mcp.INVALID_REQUEST, "batches are not supported; send one message at a time")
	case kind != '{':
		return message{}, newRPCError(mcp.INVALID_REQUEST, "a message must be a JSON object")
	}
	return p.message()
}

// A parser reads one message. Once it has found a problem other than invalid
// JSON, it goes on, because the response to the client needs the id.
type parser struct {
	raw     []byte
	decoder *decoder
	problem *rpcError // the first one

	read            message
	jsonrpc, method jsontext.Value
	isResponse      bool // has a result or an error
}

func (p *parser) envelope() error {
	_, err := p.object("the message", func(name []byte) (err error) {
		switch string(name) {
		case "jsonrpc":
			p.jsonrpc, err = p.value(name)
		case "id":
			p.read.id, err = p.value(name)
		case "method":
			p.method, err = p.value(name)
		case "params":
			p.read.params, err = p.objectOrNull("params", p.param)
		default:
			p.isResponse = p.isResponse || string(name) == "result" || string(name) == "error"
			_, err = p.value(name)
		}
		return err
	})
	return err
}

// param reads a member of params.
func (p *parser) param(name []byte) (err error) {
	switch string(name) {
	case "name":
		p.read.name, err = p.value(name)
	case "uri":
		p.read.uri, err = p.value(name)
	case "requestId":
		p.read.requestID, err = p.value(name)
	case "arguments":
		if p.read.arguments, err = p.anyValue(); isEmptyArray(p.read.arguments) {
			p.read.arguments = nil
		}
	case "inputResponses":
		p.read.responses, err = p.value(name)
	case "requestState":
		p.read.state, err = p.value(name)
	case "_meta":
		p.read.meta, err = p.objectOrNull("_meta", p.metaMember)
	default:
		_, err = p.value(name)
	}
	return err
}

// metaMember reads a member of _meta.
func (p *parser) metaMember(name []byte) error {
	value, err := p.value(name)
	switch string(name) {
	case mcp.MetaKeyProtocolVersion:
		if kind := value.Kind(); kind != '"' && kind != 'n' {
			p.refuse(mcp.INVALID_PARAMS, "the _meta field "+mcp.MetaKeyProtocolVersion+" must be a string")
		}
		p.read.version = text(value)
	case mcp.MetaKeyClientCapabilities:
		p.read.capabilities = value
	case "traceparent":
		p.read.traceparent = text(value)
	}
	return err
}

// message returns what was read, or what is wrong with it.
func (p *parser) message() (message, *rpcError) {
	m := p.read
	if p.method == nil && p.isResponse {
		m.id = nil
		return m, p.problem
	}
	if id := m.id; id != nil && (id.Kind() != '"' && id.Kind() != '0' || !id.IsValid()) {
		m.id = nil
		return m, newRPCError(mcp.INVALID_REQUEST, "id must be a string or a number")
	}
	if len(m.id) > maxID {
		m.id = nil
		return m, newRPCError(mcp.INVALID_REQUEST, fmt.Sprintf("id must have at most %d bytes", maxID))
	}
	if p.problem != nil {
		return m, p.problem
	}
	if m.method = string(mcp.MethodToolsCall); !isText(p.method, m.method) {
		m.method = text(p.method)
	}
	switch {
	case !isText(p.jsonrpc, mcp.JSONRPC_VERSION), p.method != nil && p.method.Kind() != '"':
		return m, newRPCError(mcp.INVALID_REQUEST, `jsonrpc must be "2.0" and method a string`)
	case p.method == nil:
		return m, newRPCError(mcp.INVALID_REQUEST, "method is missing")
	case m.method == "":
		return m, newRPCError(mcp.INVALID_REQUEST, "method must not be empty")
	}
	return m, nil
}

// object reads a JSON object. It calls member with the name of each member, to
// read the value.
func (p *parser) object(path string, member func(name []byte) error) (jsontext.Value, error) {
	if _, err := p.decoder.ReadToken(); err != nil {
		return nil, err
	}
	start := p.decoder.InputOffset() - 1
	var space [8][]byte
	names := space[:0]
	for p.decoder.PeekKind() == '"' {
		quoted, err := p.anyValue()
		if err != nil {
			return nil, err
		}
		name := unquote(quoted)
		switch {
		case p.problem != nil:
		case len(names) == maxMembers:
			p.refuse(mcp.INVALID_REQUEST, fmt.Sprintf("%s has more than %d members", path, maxMembers))
		case slices.ContainsFunc(names, func(n []byte) bool { return bytes.EqualFold(n, name) }):
			p.refuse(mcp.INVALID_REQUEST, fmt.Sprintf("%s has a duplicate member %.64q; names that differ only in case are duplicates", path, name))
		default:
			names = append(names, name)
		}
		if err := member(name); err != nil {
			return nil, err
		}
	}
	_, err := p.decoder.ReadToken() // the closing brace, or what is wrong
	return p.raw[start:p.decoder.InputOffset()], err
}

// objectOrNull reads a JSON object. Of null and of an empty array, as which some
// languages write an empty object, it makes nil. It refuses other values.
func (p *parser) objectOrNull(path string, member func(name []byte) error) (jsontext.Value, error) {
	if p.decoder.PeekKind() == '{' {
		return p.object(path, member)
	}
	value, err := p.anyValue()
	if err == nil && value.Kind() != 'n' && !isEmptyArray(value) {
		p.refuse(mcp.INVALID_PARAMS, path+" must be an object")
	}
	return nil, err
}

func isEmptyArray(v jsontext.Value) bool {
	return v.Kind() == '[' && len(bytes.TrimSpace(v[1:])) == 1
}

// value reads the value of a member. It refuses duplicate names and invalid
// Unicode at any depth, which readers take differently.
func (p *parser) value(name []byte) (jsontext.Value, error) {
	value, err := p.anyValue()
	if err != nil || p.problem != nil {
		return value, err
	}
	if problem := check(value); problem != nil {
		p.refuse(mcp.INVALID_REQUEST, fmt.Sprintf("%.64q is invalid: %s", name, describe(problem)))
	}
	return value, nil
}

// anyValue reads a value of which only the syntax is checked.
func (p *parser) anyValue() (jsontext.Value, error) {
	value, err := p.decoder.ReadValue() // valid until the next read
	end := p.decoder.InputOffset()
	return p.raw[end-int64(len(value)) : end : end], err
}

// end checks that nothing follows the message.
func (p *parser) end() error {
	switch _, err := p.decoder.ReadToken(); err {
	case io.EOF:
		return nil
	case nil:
		return errors.New("more than one value")
	default:
		return err
	}
}

func (p *parser) refuse(code int, problem string) {
	if p.problem == nil {
		p.problem = newRPCError(code, problem)
	}
}

// check returns an error if a JSON value is too long, or for the first duplicate
// name or invalid Unicode in it.
func check(v jsontext.Value) error {
	if len(v) > maxValue {
		return fmt.Errorf("it is longer than %d bytes", maxValue)
	}
	if kind := v.Kind(); kind != '{' && kind != '[' && kind != '"' || v.IsValid() {
		return nil
	}
	_, err := jsontext.AppendFormat(nil, v)
	return err
}

// describe returns what an error of jsontext says, in bounded length.
func describe(err error) string {
	if err == io.EOF {
		return "unexpected end"
	}
	return fmt.Sprintf("%.200s", strings.TrimPrefix(err.Error(), "jsontext: "))
}

// text returns the value of a JSON string, or "" for any other value.
func text(v jsontext.Value) string {
	if v.Kind() != '"' {
		return ""
	}
	return string(unquote(v))
}

// isText reports whether a JSON value is a string with this text.
func isText(v jsontext.Value, text string) bool {
	return v.Kind() == '"' && string(unquote(v)) == text
}

// unquote returns the value of a JSON string.
func unquote(v jsontext.Value) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	unquoted, _ := jsontext.AppendUnquote(make([]byte, 0, len(v)), v) // invalid Unicode is replaced
	return unquoted
}
