package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/mark3labs/mcp-go/client"
	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// Call makes one tool call as an agent would, through an MCP client in this
// process, and prints the result as indented JSON. Without arguments it prints
// the tool's input schema. A tool error is returned as an error with its text.
func Call(ctx context.Context, s *server.MCPServer, tool, arguments string, stdin io.Reader, stdout io.Writer) error {
	raw := []byte(arguments)
	if arguments == "-" {
		var err error
		if raw, err = io.ReadAll(stdin); err != nil {
			return fmt.Errorf("reading standard input: %w", err)
		}
	}
	if err := wellFormed(raw); arguments != "" && err != nil {
		return err
	}
	about := s.GetTool(tool)
	if about == nil {
		return fmt.Errorf("there is no tool %q; the tools are %s", tool,
			strings.Join(slices.Sorted(maps.Keys(s.ListTools())), " and "))
	}
	if arguments == "" {
		return printJSON(stdout, about.Tool.RawInputSchema)
	}
	c, err := connect(ctx, s)
	if err != nil {
		return err
	}
	defer c.Close()
	result, err := c.CallTool(ctx, mcp.CallToolRequest{Params: mcp.CallToolParams{Name: tool, RawArguments: raw}})
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

func connect(ctx context.Context, s *server.MCPServer) (*client.Client, error) {
	c, err := client.NewInProcessClient(s)
	if err != nil {
		return nil, err
	}
	if err := c.Start(ctx); err != nil {
		return nil, err
	}
	_, err = c.Initialize(ctx, mcp.InitializeRequest{Params: mcp.InitializeParams{
		ProtocolVersion: mcp.LATEST_PROTOCOL_VERSION,
		ClientInfo:      mcp.Implementation{Name: "call", Version: "1"},
	}})
	return c, err
}

// wellFormed says where text stops being JSON.
func wellFormed(text []byte) error {
	var any json.RawMessage
	err := json.Unmarshal(text, &any)
	bad, ok := errors.AsType[*json.SyntaxError](err)
	if !ok {
		return err
	}
	before := text[:min(int(bad.Offset), len(text))]
	line := bytes.Count(before, []byte("\n"))
	column := len(before) - (bytes.LastIndexByte(before, '\n') + 1)
	return fmt.Errorf("the arguments are no JSON: line %d, column %d: %w", line+1, column, bad)
}

func printJSON(w io.Writer, raw []byte) error {
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err := out.WriteTo(w)
	return err
}
