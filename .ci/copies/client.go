package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// An outcome is what a caller saw.
type outcome struct {
	Requests     int            `json:"requests"`  // calls sent
	Responses    map[string]int `json:"responses"` // by HTTP status
	Created      []string       `json:"created"`   // conversations in which a webhook was created
	Milliseconds []float64      `json:"milliseconds"`
	Errors       []string       `json:"errors"`
}

func merge(outcomes []outcome) outcome {
	total := outcome{Responses: map[string]int{}}
	for _, o := range outcomes {
		total.Requests += o.Requests
		for status, n := range o.Responses {
			total.Responses[status] += n
		}
		total.Created = append(total.Created, o.Created...)
		total.Milliseconds = append(total.Milliseconds, o.Milliseconds...)
		total.Errors = append(total.Errors, o.Errors...)
	}
	return total
}

// A caller makes calls, one after another, until it made callsEach and over is
// closed. Every fourth one creates a webhook, each in another conversation.
type caller interface {
	call(ctx context.Context, over <-chan struct{}) outcome
}

// A nodeClient is client.mjs.
type nodeClient struct {
	url, era      string
	certificate   string // file, PEM
	conversations []string
}

func (c nodeClient) call(ctx context.Context, over <-chan struct{}) outcome {
	args := append([]string{"client.mjs", c.url, c.era, strconv.Itoa(callsEach), strconv.FormatInt(pauseOfCalls.Milliseconds(), 10)}, c.conversations...)
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+c.certificate)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	stdin, err := cmd.StdinPipe()
	if err == nil {
		go func() { <-over; _ = stdin.Close() }()
		err = cmd.Run()
	}
	var o outcome
	if err == nil {
		err = json.Unmarshal(stdout.Bytes(), &o)
	}
	if err != nil {
		o.Errors = append(o.Errors, fmt.Sprintf("client.mjs: %v: %s", err, stderr.String()))
	}
	return o
}

// A goClient posts each call with net/http and reads the response to its end.
type goClient struct {
	url, era      string
	client        *http.Client
	conversations []string
}

func (c goClient) call(ctx context.Context, over <-chan struct{}) outcome {
	o := outcome{Responses: map[string]int{}}
	for number := 0; ; number++ {
		if number >= callsEach {
			select {
			case <-over:
				return o
			default:
			}
		}
		tool, arguments := "list_conversation_webhooks", map[string]any{"ConversationSid": "support/42"}
		if number%4 == 3 && len(o.Created) < len(c.conversations) {
			conversation := c.conversations[len(o.Created)]
			o.Created = append(o.Created, conversation)
			tool = "create_conversation_webhook"
			arguments = map[string]any{"ConversationSid": conversation, "Target": "webhook", "Configuration.Url": "https://example.com/", "Configuration.Filters": []string{"onMessageAdded"}}
		}
		started := time.Now()
		o.Requests++
		status, err := c.post(ctx, number, tool, arguments)
		if status != 0 {
			o.Responses[strconv.Itoa(status)]++
		}
		if err != nil {
			o.Errors = append(o.Errors, err.Error())
		} else {
			o.Milliseconds = append(o.Milliseconds, float64(time.Since(started).Microseconds())/1000)
		}
		time.Sleep(pauseOfCalls)
	}
}

// post makes one call. The status is 0 if there was no response.
func (c goClient) post(ctx context.Context, id int, tool string, arguments map[string]any) (status int, err error) {
	params := map[string]any{"name": tool, "arguments": arguments}
	if c.era == "modern" {
		params["_meta"] = map[string]any{
			"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
			"io.modelcontextprotocol/clientCapabilities": map[string]any{},
		}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
	if err != nil {
		return 0, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	if c.era == "modern" {
		request.Header.Set("Mcp-Protocol-Version", "2026-07-28")
		request.Header.Set("Mcp-Method", "tools/call")
		request.Header.Set("Mcp-Name", tool)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return response.StatusCode, err
	}
	return response.StatusCode, checkAnswer(response.StatusCode, text, id)
}

// checkAnswer reports what is wrong with the answer to the call id.
func checkAnswer(status int, text []byte, id int) error {
	var answer struct {
		ID     *int
		Result *struct {
			IsError           bool
			StructuredContent json.RawMessage
		}
	}
	err := json.Unmarshal(text, &answer)
	switch {
	case status != http.StatusOK:
		return fmt.Errorf("HTTP status %d: %s", status, strings.TrimSpace(string(text)))
	case err != nil:
		return err
	case answer.ID == nil || *answer.ID != id:
		return errors.New("the answer is to another call")
	case answer.Result == nil || answer.Result.IsError || answer.Result.StructuredContent == nil:
		return fmt.Errorf("the call failed: %s", text)
	}
	return nil
}
