// Bench compares the performance of the MCP server in the parent directory with
// that of a minimal server that answers the same calls (in the directory
// baseline), or with another build of the server.
//
// The servers run as separate processes, in alternating rounds, against a
// stand-in for the Twilio API that is a process of its own. Bench verifies
// every response: a wrong response is an error, a slow one is not. It runs on
// Linux only, because it reads CPU time and memory from /proc.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
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

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) > 0 && args[0] == "upstream" {
		return runUpstream(ctx, args[1:])
	}
	o, err := parseFlags(args)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	b := newBench(o, dir, out)
	defer b.close()
	if err := b.build(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s, %s, %d CPUs", time.Now().Format(time.DateOnly), runtime.Version(), runtime.NumCPU())
	return b.run(ctx)
}

// options are the values of the flags.
type options struct {
	rounds  int
	window  time.Duration
	brief   bool
	only    regexp.Regexp
	against string
	growth  bool
	svg     string
}

func parseFlags(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ExitOnError)
	flags.IntVar(&o.rounds, "rounds", 5, "measure each server `n` times in each scenario")
	flags.DurationVar(&o.window, "time", 2*time.Second, "measure for this `duration` in each round")
	flags.BoolVar(&o.brief, "brief", false, "only check that everything works: one round of 100 ms each")
	flags.TextVar(&o.only, "only", regexp.MustCompile(""), "run only the scenarios whose names match this `regexp`")
	flags.StringVar(&o.against, "against", "", "compare with this `executable`, another build of the server, instead of the baseline")
	flags.BoolVar(&o.growth, "growth", false, "measure 1 to 1,024 calls in flight and API responses of 1 to 64 KiB instead of the scenarios")
	flags.StringVar(&o.svg, "svg", "", "with -growth, also draw a chart into this `file`")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q: bench takes only flags", flags.Arg(0))
	}
	if o.brief {
		o.rounds, o.window = 1, 100*time.Millisecond
	}
	return o, o.validate()
}

func (o *options) validate() error {
	switch {
	case o.rounds < 1:
		return fmt.Errorf("-rounds is %d: it must be at least 1", o.rounds)
	case o.window <= 0:
		return fmt.Errorf("-time is %v: it must be positive", o.window)
	case o.only.String() != "" && o.growth:
		return errors.New("-only selects scenarios: it is not valid with -growth")
	case o.svg != "" && !o.growth:
		return errors.New("-svg requires -growth")
	}
	return nil
}

// A program is an executable to measure. Its name appears in tables and errors.
type program struct{ name, path string }

// A bench holds what all measurements share.
type bench struct {
	options
	dir        string // of temporary files
	out        io.Writer
	warmUp     time.Duration // before each measurement
	coldStarts int           // rounds of a cold start
	upstreams  map[upstreamConfig]*upstream

	// The server is compared with the reference, or with coldReference in a
	// cold start.
	server, reference, coldReference program
}

func newBench(o options, dir string, out io.Writer) *bench {
	b := &bench{options: o, dir: dir, out: out, coldStarts: 20, upstreams: map[upstreamConfig]*upstream{}}
	if o.brief {
		b.coldStarts = 2
	}
	b.warmUp = max(o.window/4, 250*time.Millisecond)
	return b
}

// run measures what the flags ask for and prints the results.
func (b *bench) run(ctx context.Context) error {
	fmt.Fprintf(b.out, "; %d × %v\n\n", b.rounds, b.window)
	if b.growth {
		return b.runGrowth(ctx)
	}
	return b.runScenarios(ctx)
}

func (b *bench) close() {
	for _, u := range b.upstreams {
		u.stop()
	}
	_ = os.RemoveAll(b.dir)
}

// build builds the servers to measure, or finds the one that -against names.
func (b *bench) build(ctx context.Context) (err error) {
	if b.server, err = b.goBuild(ctx, "server", ".."); err != nil {
		return err
	}
	if b.against != "" {
		b.reference, err = findProgram("other", b.against)
		b.coldReference = b.reference
		return err
	}
	if b.reference, err = b.goBuild(ctx, "baseline", "baseline"); err != nil {
		return err
	}
	b.coldReference, err = b.goBuild(ctx, "mcp-go", "mcpgo")
	return err
}

// goBuild builds the command in source as for a release, without debug
// information.
func (b *bench) goBuild(ctx context.Context, name, source string) (program, error) {
	path := filepath.Join(b.dir, name)
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, ".")
	cmd.Dir = source
	if out, err := cmd.CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("building %s: %w: %s", name, err, out)
	}
	return program{name, path}, nil
}

// findProgram returns the program at path, which is relative to the current
// directory.
func findProgram(name, path string) (program, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = exec.LookPath(path)
	}
	if err != nil {
		return program{}, fmt.Errorf("-against must name an executable: %w", err)
	}
	return program{name, path}, nil
}

// tableHeader returns the first two lines of a Markdown table.
func tableHeader(cells ...string) string {
	return tableRow(cells...) + strings.Repeat("| --- ", len(cells)) + "|\n"
}

// tableRow returns a line of a Markdown table.
func tableRow(cells ...string) string {
	return "| " + strings.Join(cells, " | ") + " |\n"
}
