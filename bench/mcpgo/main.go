// Mcpgo is an MCP server for list_conversation_webhooks over stdio, written as
// the README of mcp-go shows. Its time from start to first result is what the
// server's is compared with.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net/http"
	"net/url"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

var baseURL = flag.String("base-url", "", "scheme and host of the API")

func main() {
	flag.Parse()
	s := server.NewMCPServer("mcpgo", "1.0.0", server.WithToolCapabilities(false))
	tool := mcp.NewTool("list_conversation_webhooks",
		mcp.WithDescription("Lists the webhooks of a Twilio conversation."),
		mcp.WithString("ConversationSid", mcp.Required(), mcp.Description("The conversation's SID.")),
	)
	s.AddTool(tool, listWebhooks)
	if err := server.ServeStdio(s); err != nil {
		log.Fatal(err)
	}
}

func listWebhooks(_ context.Context, request mcp.CallToolRequest) (*mcp.CallToolResult, error) {
	conversation, err := request.RequireString("ConversationSid")
	if err != nil {
		return mcp.NewToolResultError(err.Error()), nil
	}
	res, err := http.Get(*baseURL + "/v1/Conversations/" + url.PathEscape(conversation) + "/Webhooks")
	if err != nil {
		return mcp.NewToolResultError(err.Error()), nil
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	return mcp.NewToolResultStructured(json.RawMessage(page), string(page)), err
}
