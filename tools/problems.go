package tools

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An argumentError lists what is wrong with the arguments of a call, a sentence
// each. Nothing was sent.
type argumentError []string

func (e argumentError) Error() string { return strings.Join(e, " ") }

// A path is a parameter, or an item of its array, or the arguments as a whole.
type path struct {
	name    string
	item    int
	isItem  bool
	isWhole bool
}

func (p path) String() string {
	name := p.name
	if !plainName().MatchString(name) {
		name = quote(name)
	}
	if p.isItem {
		name += fmt.Sprintf("[%d]", p.item)
	}
	return name
}

var plainName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z.]{1,40}$`) })

// problems are what is wrong with the arguments of a call: at most one for each
// path, and at most maxProblems.
type problems []problem

type problem struct {
	path path
	text string // "is required.": the sentence, after the path if there is one
}

func (p problem) String() string {
	if p.path.isWhole {
		return p.text
	}
	return p.path.String() + " " + p.text
}

func (p problems) full() bool { return len(p) >= maxProblems }

func (p problems) hasPath(at path) bool {
	return slices.ContainsFunc(p, func(other problem) bool { return other.path == at })
}

// add adds a problem, unless its path has one.
func (p *problems) add(at path, format string, args ...any) {
	if !p.full() && !p.hasPath(at) {
		*p = append(*p, problem{at, fmt.Sprintf(format, args...)})
	}
}

// addGeneral adds a sentence about the arguments as a whole.
func (p *problems) addGeneral(sentence string) {
	if !p.full() {
		*p = append(*p, problem{path{isWhole: true}, sentence})
	}
}

// err returns the problems in order of their paths, or nil if there are none.
func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	slices.SortFunc(p, func(a, b problem) int {
		return cmp.Or(cmp.Compare(a.path.name, b.path.name), cmp.Compare(a.path.item, b.path.item))
	})
	var e argumentError
	for _, each := range p {
		e = append(e, each.String())
	}
	if p.full() {
		e = append(e, "There may be more problems.")
	}
	return e
}

// quote returns what a caller sent as one short line.
func quote(v any) string {
	if text, ok := v.(string); ok {
		return strconv.Quote(clip(text, 40))
	}
	return clip(fmt.Sprint(v), 40)
}

// clip returns at most n characters of a text.
func clip(text string, n int) string {
	if runes := []rune(text); len(runes) > n {
		return string(runes[:n]) + "…"
	}
	return text
}
