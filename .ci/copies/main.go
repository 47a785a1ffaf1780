// Copies runs three copies of the server behind nginx and takes them out of
// service, stops and starts them one after another while clients call. It fails
// unless every call got exactly one response and was run exactly once. Before, the
// copies, which share a Redis, ensure webhooks while copies and Redis fail: it fails if
// a second webhook is created.
//
// Usage: copies SERVER (the built program; nginx and node are found by PATH)
package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"sync"
	"time"
)

const (
	callsEach    = 250 // at least; of eight callers: two clients, two eras, HTTP and HTTPS
	createsEach  = 60
	pauseOfCalls = 20 * time.Millisecond
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: copies SERVER")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "copies:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, server string) error {
	dir, err := os.MkdirTemp("", "copies")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	seed := rand.Uint64()
	s, err := startSite(ctx, server, dir, seed)
	defer s.stop()
	if err != nil {
		return err
	}
	for _, f := range faults {
		if err := s.ensure(ctx, f); err != nil {
			return err
		}
	}
	if err := s.losing(ctx, seed); err != nil {
		return fmt.Errorf("seed %d: %w", seed, err)
	}
	if err := s.verifyLogs(); err != nil {
		return err
	}
	if err := s.routing(ctx); err != nil {
		return err
	}
	for i := range s.copies { // whose calls are counted in the log
		if err := errors.Join(s.restart(ctx, i), os.Truncate(s.copyLog(i), 0)); err != nil {
			return err
		}
	}
	return s.check(ctx)
}

// check lets all callers call while one copy after another is replaced.
func (s *site) check(ctx context.Context) error {
	list, err := s.callers(ctx)
	if err != nil {
		return err
	}
	over := make(chan struct{})
	results := make([]outcome, len(list))
	var wait sync.WaitGroup
	for i, c := range list {
		wait.Go(func() { results[i] = c.call(ctx, over) })
	}
	for i := range s.copies {
		if err = s.replace(ctx, i); err != nil {
			break
		}
	}
	close(over)
	wait.Wait()
	if err != nil {
		return err
	}
	total := merge(results)
	if err := s.verify(ctx, total); err != nil {
		return err
	}
	slices.Sort(total.Milliseconds)
	at := func(share float64) float64 { return total.Milliseconds[int(share*float64(len(total.Milliseconds)-1))] }
	fmt.Printf("ok  copies  %d calls, %d of them creates, got one response each: p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n",
		total.Requests, len(total.Created), at(0.5), at(0.99), at(1))
	return nil
}
