// Floor is the least that answers MCP's tools/call of
// list_conversation_webhooks: the standard library, one parse, one call of the
// API, one write. It checks nothing, so nothing that checks can be faster.
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
	api     = http.Client{Transport: tuned()}
)

func main() {
	flag.Parse()
	serve := stdio
	if *address != "" {
		serve = overHTTP
	}
	if err := serve(); err != nil && !errors.Is(err, io.EOF) {
		log.Fatal(err)
	}
}

func tuned() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	return t
}

func overHTTP() error {
	ln, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "url=http://%s/mcp\n", ln.Addr())
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		message, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		answer := handle(message)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
		_, _ = w.Write(answer)
	}))
}

// stdio answers each line in a goroutine of its own.
func stdio() error {
	var writing sync.Mutex
	in := bufio.NewReaderSize(os.Stdin, 64<<10)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return err
		}
		go func() {
			answer := handle(line)
			writing.Lock()
			defer writing.Unlock()
			_, _ = os.Stdout.Write(answer)
		}()
	}
}

// handle returns the answer to a message, on one line.
func handle(message []byte) []byte {
	var m struct {
		ID     json.RawMessage
		Method string
		Params struct {
			Arguments struct{ ConversationSid string }
		}
	}
	err := json.Unmarshal(message, &m)
	switch {
	case err != nil:
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":%q}}`+"\n", err)
	case m.ID == nil:
		return nil // a notification
	case m.Method == "initialize":
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},`+
			`"serverInfo":{"name":"floor","version":"1"}}}`+"\n", m.ID)
	}
	page, err := list(m.Params.Arguments.ConversationSid)
	if err != nil {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":%q}}`+"\n", m.ID, err)
	}
	answer := make([]byte, 0, len(page)*5/2+256)
	answer = append(answer, `{"jsonrpc":"2.0","id":`...)
	answer = append(answer, m.ID...)
	answer = append(answer, `,"result":{"content":[{"type":"text","text":"`...)
	for _, c := range page {
		if c == '"' || c == '\\' { // compact JSON holds nothing else to escape
			answer = append(answer, '\\')
		}
		answer = append(answer, c)
	}
	answer = append(answer, `"}],"structuredContent":`...)
	answer = append(answer, page...)
	return append(answer, "}}\n"...)
}

func list(conversation string) ([]byte, error) {
	req, err := http.NewRequest("GET", *baseURL+"/v1/Conversations/"+url.PathEscape(conversation)+"/Webhooks", nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(os.Getenv("TWILIO_ACCOUNT_SID"), os.Getenv("TWILIO_AUTH_TOKEN"))
	res, err := api.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}
