package tools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"

	"github.com/mark3labs/mcp-go/mcp"

	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

func ExampleSelect() {
	selected, err := tools.Select(tools.Selection{Toolsets: []string{"webhooks", "manage"}, ReadOnly: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, tool := range selected {
		fmt.Println(tool.Definition.Name)
	}
	_, err = tools.Select(tools.Selection{Toolsets: []string{"webhook"}, ReadOnly: true})
	fmt.Println(err)
	// Output:
	// list_conversation_webhooks
	// fetch_conversation_webhook
	// unknown toolset "webhook": valid are webhooks, manage, conversations, configuration, docs, all
}

func ExampleTool() {
	server := httptest.NewServer(sandbox.New(sandbox.Options{}))
	defer server.Close()
	client, err := twilioapi.New(twilioapi.Config{BaseURL: server.URL, Credentials: func() (twilioapi.Credentials, error) {
		return twilioapi.Credentials{Username: "SK1", Password: "secret"}, nil
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	selected, _ := tools.Select(tools.Selection{Toolsets: []string{"webhooks"}})
	for _, arguments := range []string{`{"PageSize":9}`, `{"ConversationSid":"CHbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"}`} {
		result, info := selected[0].Call(context.Background(), client, tools.Request{Arguments: json.RawMessage(arguments)})
		text, _ := mcp.AsTextContent(result.Content[0])
		fmt.Printf("%.68s… error %v, HTTP status %d\n", text.Text, result.IsError, info.Status)
	}
	// Output:
	// Nothing was sent: the arguments are invalid. ConversationSid is requ… error true, HTTP status 0
	// {"meta":{"page":0,"page_size":5,"first_page_url":"https://conversati… error false, HTTP status 200
}
