package config

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/internal/serve"
)

// Call makes one tool call as an agent would, through an MCP client in this
// process and the server's own stdio transport, and prints the result as
// indented JSON. Without arguments it prints the tool's input schema. A tool
// error is returned as an error with its text.
func Call(ctx context.Context, s *serve.Server, tool string, arguments *string, stdin io.Reader, stdout io.Writer) error {
	about, err := s.Tool(tool)
	if err != nil {
		return err
	}
	if arguments == nil {
		return printJSON(stdout, about.Definition.RawInputSchema)
	}
	raw := []byte(*arguments)
	if *arguments == "-" {
		if raw, err = io.ReadAll(stdin); err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
	}
	if err := wellFormed(raw); err != nil {
		return err
	}
	result, err := s.Call(ctx, tool, raw)
	if err != nil {
		return err
	}
	text, _ := mcp.AsTextContent(result.Content[0])
	if result.IsError {
		return errors.New(text.Text)
	}
	// The text is the structured content, without the escapes that Go's
	// encoder puts into it on its way.
	return printJSON(stdout, []byte(text.Text))
}

// wellFormed says where text stops being JSON.
func wellFormed(text []byte) error {
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	bad, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return err
	}
	before := text
	if !strings.HasPrefix(bad.Error(), "unexpected end") {
		before = text[:bad.Offset-1] // the offset is behind what is wrong
	}
	line := bytes.Count(before, []byte("\n"))
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("the arguments are no JSON: line %d, column %d: %w", line+1, column+1, bad)
}

func printJSON(w io.Writer, raw []byte) error {
	var out bytes.Buffer
	if err := json.Indent(&out, bytes.TrimSpace(raw), "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err := out.WriteTo(w)
	return err
}
