// Bench measures the product side by side with the floor, the least that
// answers the same calls, and prints what one costs more than the other.
//
// Both run as processes of their own, in turn, in front of an upstream that is
// a third. Every answer is verified. What is too slow is no failure; what is
// wrong is.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// A bench holds what all runs share.
type bench struct {
	dir            string // temporary
	rounds, spawns int
	time, warm     time.Duration
	upstreams      map[api]*upstream
	out            io.Writer
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "upstream" {
		return serveUpstream(ctx, args[1:])
	}
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	times := flags.Int("rounds", 5, "runs of each server in each scenario")
	duration := flags.Duration("time", 2*time.Second, "how long a run is measured")
	brief := flags.Bool("brief", false, "only show that all works: one round of 100 ms each")
	only := flags.String("only", "", "only the scenarios whose names match this `regexp`")
	grow := flags.Bool("grow", false, "instead: from 1 to 1,024 in flight, and answers from 1 to 64 KiB")
	svg := flags.String("svg", "", "draw what -grow finds into this `file`")
	steady := flags.Duration("steady", 0, "instead: so long at a steady 200 calls a second")
	_ = flags.Parse(args)
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	b := &bench{rounds: max(1, *times), spawns: 20, time: *duration, upstreams: map[api]*upstream{}, out: out}
	if *brief {
		b.rounds, b.spawns, b.time = 1, 2, 100*time.Millisecond
	}
	b.warm = max(b.time/4, 250*time.Millisecond)
	if b.dir, err = os.MkdirTemp("", "bench"); err != nil {
		return err
	}
	defer b.close()
	if err := b.build(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %s, %d cores; medians of rounds of %v: %d\n\n", time.Now().Format(time.DateOnly), runtime.Version(), runtime.NumCPU(), b.time, b.rounds)
	growing := *grow || *svg != ""
	if !growing && *steady == 0 {
		return b.goals(ctx, wanted)
	}
	if growing {
		err = b.grow(ctx, *svg)
	}
	if err == nil && *steady > 0 {
		err = b.steady(ctx, *steady)
	}
	return err
}

// build builds the three servers as a user would, without debug information.
func (b *bench) build(ctx context.Context) error {
	for program, from := range map[string][2]string{"product": {"..", "."}, "floor": {".", "./floor"}, "plain": {".", "./plain"}} {
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(b.dir, program), from[1])
		cmd.Dir = from[0]
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("building %s: %w: %s", program, err, out)
		}
	}
	return nil
}

func (b *bench) close() {
	for _, u := range b.upstreams {
		u.stop()
	}
	_ = os.RemoveAll(b.dir)
}

var (
	http1    = setup{inFlight: 1}
	http16   = setup{inFlight: 16}
	http64   = setup{inFlight: 64}
	stdio1   = setup{inFlight: 1, stdio: true}
	stdio16  = setup{inFlight: 16, stdio: true}
	far      = setup{inFlight: 64, api: api{latency: 20 * time.Millisecond, tls: true}}
	farHTTP2 = setup{inFlight: 64, api: api{latency: 20 * time.Millisecond, tls: true, http2: true}}
	start    = setup{inFlight: 1, stdio: true, cold: true}
)

// The scenarios and their goals, which are ratios unless they say otherwise.
var scenarios = []struct {
	name, goal, format string
	setup              setup
	figure             int
}{
	{"HTTP, 1 in flight: calls/s", "≥ 0.75", "%.0f", http1, calls},
	{"HTTP, 16 in flight: calls/s", "≥ 0.65", "%.0f", http16, calls},
	{"HTTP, 64 in flight: calls/s", "≥ 0.65", "%.0f", http64, calls},
	{"stdio, 1 in flight: calls/s", "≥ 0.80", "%.0f", stdio1, calls},
	{"stdio, 16 in flight: calls/s", "≥ 0.60", "%.0f", stdio16, calls},
	{"HTTP, 16 in flight: CPU s per 1,000 calls", "≤ 2.0", "%.3f", http16, cpu},
	{"stdio, 16 in flight: CPU s per 1,000 calls", "≤ 2.0", "%.3f", stdio16, cpu},
	{"20 ms, TLS, HTTP/1.1, 64 in flight: calls/s", "≥ 0.97", "%.0f", far, calls},
	{"20 ms, TLS, HTTP/1.1, 64 in flight: p99 ms", "≤ 1.12", "%.1f", far, p99},
	{"20 ms, TLS, HTTP/2, 64 in flight: calls/s", "≥ 0.97", "%.0f", farHTTP2, calls},
	{"20 ms, TLS, HTTP/2, 64 in flight: p99 ms", "≤ 1.12", "%.1f", farHTTP2, p99},
	{"HTTP, 64 in flight: new connections per 1,000 calls", "≤ 1, absolute", "%.2f", http64, connections},
	{"20 ms, TLS, HTTP/1.1, 64 in flight: new connections per 1,000 calls", "≤ 1, absolute", "%.2f", far, connections},
	{"HTTP, 16 in flight: MiB at peak", "≤ 1.5", "%.1f", http16, peak},
	{"HTTP, 64 in flight: MiB at peak", "≤ 1.6", "%.1f", http64, peak},
	{"stdio, cold start: ms, against plain mcp-go", "≤ 1.15", "%.1f", start, cold},
}

// goals measures what there are goals for, and prints a table.
func (b *bench) goals(ctx context.Context, wanted *regexp.Regexp) error {
	measured := map[setup]rounds{}
	for _, s := range scenarios {
		if measured[s.setup] != nil || !wanted.MatchString(s.name) {
			continue
		}
		r, err := b.compare(ctx, s.setup)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		measured[s.setup] = r
		fmt.Fprintln(os.Stderr, "measured:", s.name)
	}
	fmt.Fprintln(b.out, "| scenario | goal | floor | product | ratio [min–max] | noise |\n| --- | --- | --- | --- | --- | --- |")
	for _, s := range scenarios {
		if !wanted.MatchString(s.name) {
			continue
		}
		floor, product := measured[s.setup].of(s.figure)
		ratios := divide(product, floor)
		ratio, noise := fmt.Sprintf("%.2f %s", median(ratios), span(ratios)), span(divide(floor[1:], floor))
		if s.figure == connections {
			ratio, noise = span(product), span(floor)
		}
		fmt.Fprintf(b.out, "| %s | %s | "+s.format+" | "+s.format+" | %s | %s |\n", s.name, s.goal, median(floor), median(product), ratio, noise)
	}
	return nil
}

// rounds are runs of the floor, or of plain for the cold start, each with the
// product's run after it.
type rounds [][2]figures

// compare runs both servers in turn.
func (b *bench) compare(ctx context.Context, s setup) (rounds, error) {
	floor, r := "floor", make(rounds, b.rounds)
	if s.cold {
		floor, r = "plain", make(rounds, b.spawns)
	}
	for i := range r {
		for j, program := range []string{floor, "product"} {
			found, err := b.measure(ctx, program, s)
			if err != nil {
				return nil, err
			}
			r[i][j] = found[0]
		}
	}
	return r, nil
}

// of returns one of the figures of all rounds.
func (r rounds) of(figure int) (floor, product []float64) {
	for _, round := range r {
		floor, product = append(floor, round[0][figure]), append(product, round[1][figure])
	}
	return floor, product
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[n/2] + sorted[(n-1)/2]) / 2
}

// divide divides one by one.
func divide(a, b []float64) []float64 {
	var ratios []float64
	for i := range a {
		ratios = append(ratios, a[i]/b[i])
	}
	return ratios
}

func span(values []float64) string {
	if len(values) == 0 {
		return "–"
	}
	return fmt.Sprintf("[%.2f–%.2f]", slices.Min(values), slices.Max(values))
}

// A point is what was measured at one number of calls in flight, or one size
// of answer.
type point struct {
	x int
	rounds
}

// grow shows how cost grows with the calls in flight and the size of answers.
func (b *bench) grow(ctx context.Context, svg string) error {
	inFlight, err := b.curve(ctx, "calls in flight", []int{1, 4, 16, 64, 256, 1024}, func(n int) setup { return setup{inFlight: n} })
	if err != nil {
		return err
	}
	_, err = b.curve(ctx, "KiB of answer", []int{1, 4, 16, 64}, func(n int) setup { return setup{inFlight: 16, api: api{size: n << 10}} })
	if err != nil || svg == "" {
		return err
	}
	return os.WriteFile(svg, plot(inFlight), 0o644)
}

// curve measures at a number of points and prints them as a table.
func (b *bench) curve(ctx context.Context, name string, at []int, setupAt func(int) setup) ([]point, error) {
	fmt.Fprintf(b.out, "| %s | calls/s: floor | product | ratio | p99 ms: floor | product | ratio | MiB at peak: floor | product | ratio |\n"+
		"| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n", name)
	var points []point
	for _, x := range at {
		r, err := b.compare(ctx, setupAt(x))
		if err != nil {
			return nil, fmt.Errorf("%s, %d: %w", name, x, err)
		}
		points = append(points, point{x, r})
		fmt.Fprintf(b.out, "| %d |", x)
		for _, figure := range []int{calls, p99, peak} {
			floor, product := r.of(figure)
			fmt.Fprintf(b.out, " %.1f | %.1f | %.2f |", median(floor), median(product), median(divide(product, floor)))
		}
		fmt.Fprintln(b.out)
	}
	fmt.Fprintln(b.out)
	return points, nil
}

// steady calls the product 200 times a second, and prints what each tenth of
// the time showed.
func (b *bench) steady(ctx context.Context, d time.Duration) error {
	b.time = d / 10
	found, err := b.measure(ctx, "product", setup{inFlight: 16, pace: time.Second / 200, windows: 10})
	if err != nil {
		return err
	}
	fmt.Fprintln(b.out, "| product, steady, after | calls/s | p50 ms | p99 ms | MiB | at peak |\n| --- | --- | --- | --- | --- | --- |")
	for i, f := range found {
		fmt.Fprintf(b.out, "| %v | %.0f | %.2f | %.2f | %.1f | %.1f |\n", b.time*time.Duration(i+1), f[calls], f[p50], f[p99], f[memory], f[peak])
	}
	return nil
}
