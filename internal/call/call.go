// Package call is the call command: one tool call from the command line.
package call

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

// Run calls a tool and prints the structured result as indented JSON on stdout,
// and the notes to it on stderr. The arguments "-" are read from stdin; with nil,
// Run prints the input schema of the tool instead. A tool error is returned as an
// error with its text.
func Run(ctx context.Context, s *serve.Server, tool string, arguments *string, stdin io.Reader, stdout, stderr io.Writer) error {
	offered, err := s.Tool(tool)
	if err != nil {
		return err
	}
	if arguments == nil {
		return printJSON(stdout, offered.Definition.RawInputSchema)
	}
	raw := []byte(*arguments)
	if *arguments == "-" {
		if raw, err = io.ReadAll(stdin); err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
	}
	raw = bytes.TrimPrefix(raw, []byte("\ufeff")) // the byte order mark of PowerShell's pipes
	if err := checkSyntax(raw); err != nil {
		return err
	}
	result, err := s.Call(ctx, tool, raw)
	if err != nil {
		return err
	}
	return printResult(result, stdout, stderr)
}

func printResult(result *mcp.CallToolResult, stdout, stderr io.Writer) error {
	texts := make([]string, len(result.Content))
	for i, content := range result.Content {
		text, _ := mcp.AsTextContent(content)
		texts[i] = text.Text
	}
	if result.IsError {
		return errors.New(strings.Join(texts, "\n"))
	}
	for _, note := range texts[1:] {
		fmt.Fprintln(stderr, note)
	}
	return printJSON(stdout, result.RawStructuredContent)
}

// checkSyntax returns an error that says where text is not valid JSON.
func checkSyntax(text []byte) error {
	var discard json.RawMessage
	err := json.Unmarshal(text, &discard)
	syntax, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return err
	}
	before := text
	if !strings.HasPrefix(syntax.Error(), "unexpected end") {
		before = text[:syntax.Offset-1] // the offset is behind the invalid character
	}
	line := bytes.Count(before, []byte("\n"))
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	return fmt.Errorf("the arguments are not valid JSON: line %d, column %d: %w", line+1, column+1, syntax)
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
