package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
)

// routing checks that nginx sends the calls of one conversation to one copy, if the
// client sends the header that --routing-header asks for, and to another one when that
// copy is down.
func (s *site) routing(ctx context.Context) error {
	s.flags = []string{"--routing-header"}
	defer func() { s.flags = nil }()
	for i := range s.copies {
		if err := s.restart(ctx, i); err != nil {
			return err
		}
	}
	first, err := s.copyOfConversation(ctx)
	if err != nil {
		return err
	}
	if err := s.copies[first].process.stop(); err != nil {
		return err
	}
	next, err := s.copyOfConversation(ctx)
	if err != nil {
		return err
	}
	if next == first {
		return fmt.Errorf("routing: the calls went to copy %d, which is down", first)
	}
	fmt.Printf("ok  copies  the calls of a conversation went to copy %d and, while that was down, to copy %d\n", first, next)
	return s.startCopy(ctx, first)
}

// copyOfConversation lists the webhooks of one conversation with the TypeScript client,
// and returns the copy that ran all of these calls.
func (s *site) copyOfConversation(ctx context.Context) (int, error) {
	var before, after [3]int
	if err := s.countCalls(&before); err != nil {
		return 0, err
	}
	over := make(chan struct{})
	close(over)
	o := nodeClient{url: "http://" + s.plain + "/mcp", era: "modern", certificate: s.file("tls.crt")}.call(ctx, over)
	// The client's first call is refused, because it has not seen the tools yet; then it
	// lists them and repeats the call with the header.
	calls := o.Responses["200"]
	if len(o.Errors) > 0 || calls != callsEach {
		return 0, fmt.Errorf("routing: responses by status %v, errors: %v", o.Responses, o.Errors)
	}
	if err := s.countCalls(&after); err != nil {
		return 0, err
	}
	for i := range after {
		if after[i]-before[i] == calls {
			return i, nil
		}
	}
	return 0, fmt.Errorf("routing: calls of the copies before %v, and after %d calls %v", before, calls, after)
}

// countCalls counts the calls in the log of each copy.
func (s *site) countCalls(calls *[3]int) error {
	for i := range s.copies {
		text, err := os.ReadFile(s.copyLog(i))
		if err != nil {
			return err
		}
		calls[i] = bytes.Count(text, []byte(`"tool":"`)) // one line each
	}
	return nil
}
