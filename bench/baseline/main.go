// Baseline is a minimal MCP server for list_conversation_webhooks over stdio and
// HTTP. It uses only the standard library, parses each request once, calls the
// API once, and writes each response once. It validates nothing, so a server
// that validates its input is expected to be slower.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"sync"
)

var (
	address = flag.String("http", "", "serve over HTTP at this `address` instead of stdio")
	baseURL = flag.String("base-url", "", "scheme and host of the API")
	client  = http.Client{Transport: newTransport()}
)

func main() {
	flag.Parse()
	serve := serveStdio
	if *address != "" {
		serve = serveHTTP
	}
	if err := serve(); err != nil && !errors.Is(err, io.EOF) {
		log.Fatal(err)
	}
}

// newTransport returns a transport that keeps connections open for all calls in
// flight; the default transport keeps two.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	return t
}

// serveHTTP serves MCP over streamable HTTP at every path.
func serveHTTP() error {
	ln, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "url=http://%s/mcp\n", ln.Addr())
	return http.Serve(ln, http.HandlerFunc(servePOST))
}

func servePOST(w http.ResponseWriter, r *http.Request) {
	message, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	response := handle(message)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(response)))
	_, _ = w.Write(response)
}

// serveStdio handles each line of standard input in its own goroutine.
func serveStdio() error {
	var mu sync.Mutex // guards standard output
	in := bufio.NewReaderSize(os.Stdin, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return err
		}
		go func() {
			response := handle(line)
			mu.Lock()
			defer mu.Unlock()
			_, _ = os.Stdout.Write(response)
		}()
	}
}

// A request is a JSON-RPC request or notification.
type request struct {
	ID     json.RawMessage
	Method string
	Params struct {
		Arguments struct{ ConversationSid string }
	}
}

// handle returns the response to a message, on one line. The response to a
// notification is empty.
func handle(message []byte) []byte {
	var r request
	err := json.Unmarshal(message, &r)
	switch {
	case err != nil:
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":%q}}`+"\n", err)
	case r.ID == nil:
		return nil
	case r.Method == "initialize":
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},`+
			`"serverInfo":{"name":"baseline","version":"1"}}}`+"\n", r.ID)
	}
	page, err := listWebhooks(r.Params.Arguments.ConversationSid)
	if err != nil {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":%q}}`+"\n", r.ID, err)
	}
	return toolResult(r.ID, page)
}

// toolResult returns the response with a page of webhooks, as text and as
// structured content.
func toolResult(id, page []byte) []byte {
	response := make([]byte, 0, len(page)*5/2+256)
	response = append(response, `{"jsonrpc":"2.0","id":`...)
	response = append(response, id...)
	response = append(response, `,"result":{"content":[{"type":"text","text":"`...)
	for _, c := range page {
		if c == '"' || c == '\\' { // compact JSON has no other bytes to escape
			response = append(response, '\\')
		}
		response = append(response, c)
	}
	response = append(response, `"}],"structuredContent":`...)
	response = append(response, page...)
	return append(response, "}}\n"...)
}

// listWebhooks returns the API's response as it is.
func listWebhooks(conversation string) ([]byte, error) {
	req, err := http.NewRequest(http.MethodGet, *baseURL+"/v1/Conversations/"+url.PathEscape(conversation)+"/Webhooks", nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(os.Getenv("TWILIO_ACCOUNT_SID"), os.Getenv("TWILIO_AUTH_TOKEN"))
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}
