package serve_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/internal/serve"
)

// Two readers of a duplicate member may take different values. A message that
// has one is refused, whatever reads it later.
func TestADuplicateMemberIsRefused(t *testing.T) {
	t.Parallel()
	const tooMany = `has more than 64 members`
	many := strings.Builder{}
	for i := range 65 {
		fmt.Fprintf(&many, `"x%d":0,`, i)
	}
	for name, row := range map[string]struct{ message, want string }{
		"envelope":                {`{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`, `the message has a duplicate member \"method\"`},
		"envelope, case":          {`{"jsonrpc":"2.0","id":1,"method":"ping","Method":"tools/list"}`, `the message has a duplicate member \"Method\"`},
		"envelope, escaped":       {`{"jsonrpc":"2.0","id":1,"method":"ping","meth\u006fd":"tools/list"}`, `the message has a duplicate member \"method\"`},
		"before the id":           {`{"method":"ping","Method":"ping","jsonrpc":"2.0","id":1}`, `duplicate member \"Method\"`},
		"params":                  {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Name":"hold"}}`, `params has a duplicate member \"Name\"`},
		"params, Unicode folds":   {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"arguments":{},"argumentſ":{},"name":"echo"}}`, `params has a duplicate member`},
		"params of another":       {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"a","cursor":"b"}}`, `params has a duplicate member \"cursor\"`},
		"_meta":                   {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"a":1,"A":2}}}`, `_meta has a duplicate member \"A\"`},
		"_meta given twice":       {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{},"_META":{}}}`, `params has a duplicate member \"_META\"`},
		"deeper":                  {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"x":{"y":[{"a":1,"a":2}]}}}`, `\"x\" is invalid: duplicate object member name \"a\" within \"/y/0\"`},
		"deeper in _meta":         {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","_meta":{"x":{"a":1,"a":2}}}}`, `\"x\" is invalid: duplicate object member name`},
		"arguments of another":    {`{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"x","arguments":{"a":"1","a":"2"}}}`, `\"arguments\" is invalid: duplicate object member name \"a\"`},
		"invalid Unicode":         {`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\ud800"}}`, `\"name\" is invalid: invalid surrogate pair`},
		"too long":                {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"` + strings.Repeat("x", 64<<10) + `"}}`, `\"cursor\" is invalid: it is longer than 65536 bytes`},
		"too many in params":      {`{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{` + many.String() + `"y":0}}`, "params " + tooMany},
		"too many in the message": {`{` + many.String() + `"jsonrpc":"2.0","method":"ping","id":1}`, "the message " + tooMany},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newFixture().start(t)
			s.send(row.message)
			answer := s.answer()
			require.Contains(t, answer, `"id":1,"error":{"code":-32600,`)
			require.Contains(t, answer, row.want)
		})
	}
}

// The tool checks its arguments itself, and answers in a way that models read.
func TestArgumentsReachTheToolAsTheyWereSent(t *testing.T) {
	t.Parallel()
	const arguments = `{"a":1e400, "a" : 9007199254740993,"b":"\ud83d"}`
	s := newFixture().start(t)
	s.send(`{"jsonrpc":"2.0","id":1,"params":{"arguments":` + arguments + `,"name":"ech\u006f"},"method":"tools/call"}`)
	require.Contains(t, s.answer(), `"text":"`+strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(arguments)+`"`)
}

// A gateway may allow tools by the Mcp-Name header. The tool that runs is the
// one that the header names.
func TestTheToolThatRunsIsTheOneInTheHeader(t *testing.T) {
	t.Parallel()
	s := newFixture().listen(t, serve.HTTPOptions{})
	for name, row := range map[string]struct {
		names  []string
		params string
		status int
		want   string
	}{
		"the same":          {[]string{"echo"}, `"name":"echo"`, 200, `"content"`},
		"Base64":            {[]string{"=?base64?ZWNobw==?="}, `"name":"echo"`, 200, `"content"`},
		"another":           {[]string{"echo"}, `"name":"hold"`, 400, `Mcp-Name is \"echo\", but params.name is \"hold\"`},
		"name then Name":    {[]string{"echo"}, `"name":"hold","Name":"echo"`, 400, "duplicate member"},
		"Name then name":    {[]string{"echo"}, `"Name":"hold","name":"echo"`, 400, "duplicate member"},
		"only Name":         {[]string{"echo"}, `"Name":"echo"`, 400, `params.name is \"\"`},
		"name twice":        {[]string{"echo"}, `"name":"hold","name":"echo"`, 400, "duplicate member"},
		"two headers":       {[]string{"echo", "hold"}, `"name":"hold"`, 400, "Mcp-Name is duplicated"},
		"two equal headers": {[]string{"echo", "echo"}, `"name":"echo"`, 400, "Mcp-Name is duplicated"},
		"not Base64":        {[]string{"=?base64?!?="}, `"name":"echo"`, 400, "Mcp-Name is not valid Base64"},
		"not a string":      {[]string{"echo"}, `"name":5`, 400, `params.name is \"\"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			head := "POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n"
			for _, n := range row.names {
				head += "Mcp-Name: " + n + "\r\n"
			}
			body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{` + row.params + `,` + meta + `}}`
			status, answer := s.raw(t, fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s", head, len(body), body))
			require.Contains(t, status, fmt.Sprint(row.status))
			require.Contains(t, answer, row.want)
			require.Contains(t, answer, `"id":1`)
		})
	}
}

func TestMessagesAreAnswered(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, message, want string }{
		{"a number", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, `{"jsonrpc":"2.0","id":9007199254740993,"result":{}}`},
		{"a fraction", `{"jsonrpc":"2.0","id":1.50,"method":"ping"}`, `{"jsonrpc":"2.0","id":1.50,"result":{}}`},
		{"a negative", `{"jsonrpc":"2.0","id":-0,"method":"ping"}`, `{"jsonrpc":"2.0","id":-0,"result":{}}`},
		{"a string", `{"jsonrpc":"2.0","id":"a\u0062<&","method":"ping"}`, `{"jsonrpc":"2.0","id":"a\u0062<&","result":{}}`},
		{"a long id", `{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 1022) + `","method":"ping"}`, `"id":"` + strings.Repeat("x", 1022) + `","result":{}`},
		{"id too long", `{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 1023) + `","method":"ping"}`, `"id":null,"error":{"code":-32600,"message":"id must have at most 1024 bytes"}`},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"id must be a string or a number"}}`},
		{"id true", `{"jsonrpc":"2.0","id":true,"method":"ping"}`, `"id":null,"error":{"code":-32600`},
		{"id object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, `"id":null,"error":{"code":-32600`},
		{"id list", `{"jsonrpc":"2.0","id":[1],"method":"ping"}`, `"id":null,"error":{"code":-32600`},
		{"junk", `junk`, `"id":null,"error":{"code":-32700`},
		{"half", `{"jsonrpc":"2.0","id":1`, `"id":null,"error":{"code":-32700`},
		{"two", ping + ping, `"id":null,"error":{"code":-32700`},
		{"a batch", `[` + ping + `]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"batches are not supported; send one message at a time"}}`},
		{"no object", `5`, `"id":null,"error":{"code":-32600`},
		{"null", `null`, `"id":null,"error":{"code":-32600`},
		{"no version", `{"id":1,"method":"ping"}`, `"id":1,"error":{"code":-32600`},
		{"version 1", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, `"id":1,"error":{"code":-32600`},
		{"no method", `{"jsonrpc":"2.0","id":1}`, `"id":1,"error":{"code":-32600,"message":"method is missing"`},
		{"empty method", `{"jsonrpc":"2.0","id":1,"method":""}`, `"id":1,"error":{"code":-32600`},
		{"method a number", `{"jsonrpc":"2.0","id":1,"method":5}`, `"id":1,"error":{"code":-32600`},
		{"long unknown method", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 60<<10) + `"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"method \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\" is longer than 64 bytes; there is no such method"}}`},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"nope"}`, `"id":1,"error":{"code":-32601`},
		{"with a CR", ping + "\r", `{"jsonrpc":"2.0","id":"p","result":{}}`},
		{"params a list", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`, `"id":1,"error":{"code":-32602,"message":"params must be an object`},
		{"no params", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, `"id":1,"error":{"code":-32602`},
		{"unknown tool", call("1", "nope"), `"id":1,"error":{"code":-32602,"message":"there is no tool \"nope\"; the tools are echo, hold, nan and panic"}`},
		{"a panic", call("1", "panic"), `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"internal error; the server's log has the details"}}`},
		{"no JSON", call("1", "nan"), `{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"the result could not be written as JSON"}}`},
		{"too long", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 1<<20) + `"}`, `"id":null,"error":{"code":-32600,"message":"the message is longer than 1048576 bytes"}`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newFixture().start(t)
			s.send(row.message)
			require.Contains(t, s.answer(), row.want)
			s.send(ping)
			require.Equal(t, `{"jsonrpc":"2.0","id":"p","result":{}}`, s.answer(), "the next request is served")
		})
	}
}
