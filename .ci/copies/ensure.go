package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync"
	"time"
)

const (
	conversationsEach = 60 // of a fault
	ensuresEach       = 10 // at once, of one conversation
	pauseOfEnsures    = 200 * time.Millisecond
)

// A fault happens while webhooks are ensured. It may explain that so many of the 600
// ensures are refused.
type fault struct {
	name    string
	refused int
	happens func(ctx context.Context, s *site) error
}

// faults are tried one after another. A copy is killed or stopped with the calls that it
// has been sent, of six conversations. Without Redis no new webhook is ensured: for as long
// as it is stopped, and for the second or two until the copies try again, all are refused.
var faults = []fault{
	{"nothing", 0, func(context.Context, *site) error { return nil }},
	{"a copy is killed", 60, func(ctx context.Context, s *site) error { return s.killCopy(ctx, 0) }},
	{"a copy is stopped for 30 s", 60, func(_ context.Context, s *site) error { return pause(s.copies[1].process.cmd, 30*time.Second) }},
	{"redis is restarted", 60 + 50*4, func(ctx context.Context, s *site) error { return s.restartRedis(ctx) }},
	{"redis is stopped for 5 s", 60 + 50*7, func(_ context.Context, s *site) error { return pause(s.redis.cmd, 5*time.Second) }},
}

// An answer is what a caller of a tool got.
type answer struct {
	sid     string
	outcome string // of an error: not_sent, refused, failed or unknown; "" if there was no answer
	problem string
}

// callTool calls a tool that returns a webhook, through nginx.
func (s *site) callTool(ctx context.Context, tool, conversation, target string) answer {
	arguments := map[string]any{"ConversationSid": conversation, "Target": "webhook", "Configuration.Url": "https://example.com/" + target, "Configuration.Filters": []string{"onMessageAdded"}}
	body, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": map[string]any{"name": tool, "arguments": arguments}})
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.plain+"/mcp", bytes.NewReader(body))
	if err != nil {
		return answer{problem: err.Error()}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json, text/event-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return answer{problem: err.Error()}
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	var got struct {
		Result struct {
			Meta struct {
				Error struct{ Outcome string }
			} `json:"_meta"`
			StructuredContent struct{ SID string }
		}
	}
	_ = json.Unmarshal(text, &got)
	return answer{got.Result.StructuredContent.SID, got.Result.Meta.Error.Outcome, fmt.Sprintf("%d %s", response.StatusCode, text)}
}

// ensure ensures one webhook of each conversation, ten times at once, while a fault
// happens. No conversation may have a second one, and every answer must name the first.
func (s *site) ensure(ctx context.Context, f fault) error {
	began := time.Now()
	answers := make([][ensuresEach]answer, conversationsEach)
	conversations, err := s.newConversations(ctx, conversationsEach)
	if err != nil {
		return err
	}
	var wait sync.WaitGroup
	slots := make(chan struct{}, 6)
	happened := make(chan error, 1)
	for i, conversation := range conversations {
		if i == conversationsEach/3 {
			go func() { happened <- f.happens(ctx, s) }()
		}
		time.Sleep(pauseOfEnsures)
		slots <- struct{}{}
		wait.Go(func() {
			var calls sync.WaitGroup
			for j := range ensuresEach {
				calls.Go(func() { answers[i][j] = s.callTool(ctx, "ensure_conversation_webhook", conversation, "") })
			}
			calls.Wait()
			<-slots
		})
	}
	wait.Wait()
	if err := <-happened; err != nil {
		return fmt.Errorf("%s: %w", f.name, err)
	}
	refused, example := 0, ""
	for i, conversation := range conversations {
		sids, err := s.webhooks(ctx, conversation)
		if err != nil {
			return err
		}
		if len(sids) > 1 {
			return fmt.Errorf("%s: a conversation has %d webhooks", f.name, len(sids))
		}
		for _, a := range answers[i] {
			switch {
			case a.sid == "":
				refused, example = refused+1, a.problem
			case !sids[a.sid]:
				return fmt.Errorf("%s: an ensure returned %s, which is not there", f.name, a.sid)
			}
		}
	}
	if refused > f.refused {
		return fmt.Errorf("%s: %d ensures were refused, the last one: %s", f.name, refused, example)
	}
	fmt.Printf("ok  copies  %s: %d ensures, %d of them refused, no second webhook, %.1f s\n", f.name, conversationsEach*ensuresEach, refused, time.Since(began).Seconds())
	return nil
}

func (s *site) newConversations(ctx context.Context, n int) (all []string, err error) {
	for range n {
		conversation, err := s.newConversation(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, conversation)
	}
	return all, nil
}

// webhooks returns the SIDs of a conversation's webhooks.
func (s *site) webhooks(ctx context.Context, conversation string) (map[string]bool, error) {
	var list struct{ Webhooks []struct{ SID string } }
	err := s.askSandbox(ctx, http.MethodGet, "/"+conversation+"/Webhooks", &list)
	sids := map[string]bool{}
	for _, w := range list.Webhooks {
		sids[w.SID] = true
	}
	return sids, err
}

// losing lets a fifth of the creates get lost while several calls at once create and
// ensure webhooks, equal ones and others, in each of some conversations.
func (s *site) losing(ctx context.Context, seed uint64) error {
	s.upstream.faults.Store(true)
	defer s.upstream.faults.Store(false)
	conversations, err := s.newConversations(ctx, 60)
	if err != nil {
		return err
	}
	random := rand.New(rand.NewPCG(seed, 1))
	total := map[string]int{}
	results := make(chan error, len(conversations))
	var mu sync.Mutex
	for _, conversation := range conversations {
		calls := make([]toolCall, 2+random.IntN(3))
		for i := range calls {
			tools := []string{"create_conversation_webhook", "ensure_conversation_webhook"}
			calls[i] = toolCall{tool: tools[random.IntN(2)], target: fmt.Sprint(random.IntN(2))}
		}
		go func() {
			var wait sync.WaitGroup
			for i := range calls {
				wait.Go(func() { calls[i].answer = s.callTool(ctx, calls[i].tool, conversation, calls[i].target) })
			}
			wait.Wait()
			sids, err := s.webhooks(ctx, conversation)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				err = judge(calls, sids, total)
			}
			results <- err
		}()
	}
	for range conversations {
		err = errors.Join(err, <-results)
	}
	if err == nil {
		fmt.Printf("ok  copies  lost responses, seed %d: calls by outcome %v: none doubled, denied or mixed up\n", seed, total)
	}
	return err
}

type toolCall struct {
	tool, target string
	answer       answer
}

// judge compares the answers to the calls in a conversation with the webhooks that it
// has now.
func judge(calls []toolCall, sids map[string]bool, total map[string]int) error {
	created, ensured, unknown := map[string]bool{}, map[string]string{}, 0
	for _, c := range calls {
		switch {
		case c.answer.sid == "":
			total[c.answer.outcome]++
			if c.answer.outcome == "" {
				return fmt.Errorf("no answer: %s", c.answer.problem)
			}
			if c.answer.outcome == "unknown" {
				unknown++
			}
			continue
		case !sids[c.answer.sid]:
			return fmt.Errorf("%s returned %s, which is not there", c.tool, c.answer.sid)
		case c.tool == "create_conversation_webhook" && created[c.answer.sid]:
			return fmt.Errorf("two creates returned %s", c.answer.sid)
		case c.tool == "create_conversation_webhook":
			created[c.answer.sid] = true
		default:
			ensured[c.answer.sid] = c.target
		}
		total["ok"]++
	}
	returned := len(created)
	for sid := range ensured {
		if !created[sid] {
			returned++
		}
	}
	if len(sids) > returned+unknown {
		return fmt.Errorf("%d webhooks, of which %d were returned and %d may be of calls of unknown outcome", len(sids), returned, unknown)
	}
	return nil
}

// verifyLogs returns an error if a log shows where Redis is, or its password.
func (s *site) verifyLogs() error {
	for i := range s.copies {
		text, err := os.ReadFile(s.copyLog(i))
		if err != nil {
			return err
		}
		if bytes.Contains(text, []byte(redisPassword)) || bytes.Contains(text, []byte(s.redisAddress)) {
			return fmt.Errorf("the log of copy %d shows the URL of Redis", i)
		}
	}
	return nil
}
