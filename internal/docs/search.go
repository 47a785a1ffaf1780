package docs

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
)

// MaxQuery is the number of bytes of a query that a search reads.
const MaxQuery = 400

// Results is the answer to a search.
type Results struct {
	Total   int // pages that match
	Results []Result
}

// A Result is a page that matches, with the passage that matches best.
type Result struct {
	Page    Page
	Passage string // plain text
	score   float64
}

const (
	minShare    = 0.3 // share of the best score that a page needs to be a result
	secondShare = 0.3 // share of a page's second best section in its score

	// How often a term counts in each section of a page if it is one of the
	// title or the description, and in its section if it is one of the heading or
	// of a row's first cell besides.
	titleWeight, descriptionWeight, headingWeight, subjectWeight = 1.5, 2, 2, 2

	namedWeight = 3 // of the page whose name, or whose tool, is the query

	maxResults = 10
	maxPassage = 400 // characters
)

// Search returns the pages that match a query best, the best one first, at most
// ten. Without words to look for, it returns every page with its
// description. The kind limits the search to pages of that kind; if it is
// empty, all are searched.
func Search(query string, kind Kind) Results {
	every := strings.TrimSpace(query) == ""
	wanted := terms(query[:min(len(query), MaxQuery)])
	slices.Sort(wanted)
	wanted = slices.Compact(wanted)
	found := []Result{}
	if slices.ContainsFunc(wanted, isUnknownCode) {
		return Results{0, found}
	}
	named, _ := Lookup(query)
	for _, p := range All() {
		if kind != "" && p.Kind != kind {
			continue
		}
		if every {
			found = append(found, Result{Page: p, Passage: p.Description})
		} else if r := index().rank(p, wanted); r.score > 0 {
			if p.URI == named.URI {
				r.score *= namedWeight
			}
			found = append(found, r)
		}
	}
	total := len(found)
	if total > 0 && !every {
		slices.SortStableFunc(found, func(a, b Result) int { return cmp.Compare(b.score, a.score) })
		least := found[0].score * minShare
		found = slices.DeleteFunc(found[:min(total, maxResults)], func(r Result) bool { return r.score < least })
	}
	return Results{total, found}
}

// isUnknownCode reports whether a term is an error code that no page has. What else
// a query asks does not matter then.
func isUnknownCode(term string) bool {
	return len(term) == 5 && strings.Trim(term, "0123456789") == "" && index().in[term] == 0
}

// A section is the part of a page below one heading.
type section struct {
	heading string             // empty above the first one
	blocks  []block            // what can be read alone
	count   map[string]float64 // how often each term occurs
	length  float64            // number of terms
}

type searchIndex struct {
	sections map[string][]section // by the name of their page
	in       map[string]float64   // in how many sections a term occurs
	n        float64              // number of sections
	length   float64              // of all sections
}

var index = sync.OnceValue(func() *searchIndex {
	x := &searchIndex{sections: map[string][]section{}, in: map[string]float64{}}
	for _, p := range All() {
		for text := range strings.SplitSeq(p.source(), "\n## ") {
			heading, body, _ := strings.Cut(text, "\n")
			if isSearched(p, heading) {
				x.add(p, heading, body)
			}
		}
	}
	return x
})

// isSearched reports whether a section is searched. Some name what other pages
// describe; the tables of an operation that is not about webhooks are found by its
// head alone, because nearly all of their words are in every such page.
func isSearched(p Page, heading string) bool {
	isHead := strings.HasPrefix(heading, "# ")
	return heading != "Sources" && heading != "See also" && (isHead || p.Kind != Operation || !strings.Contains(p.Name, "-"))
}

func (x *searchIndex) add(p Page, heading, body string) {
	if strings.HasPrefix(heading, "# ") {
		heading = ""
	}
	s := section{heading: heading, blocks: blocks(body), count: map[string]float64{}}
	s.tally(terms(p.Name+" "+p.Title), titleWeight)
	s.tally(terms(p.Description), descriptionWeight)
	s.tally(terms(heading), headingWeight)
	for _, b := range s.blocks {
		s.tally(b.terms, 1)
		s.tally(b.subject, subjectWeight)
	}
	for term := range s.count {
		x.in[term]++
	}
	x.n++
	x.length += s.length
	x.sections[p.Name] = append(x.sections[p.Name], s)
}

func (s *section) tally(terms []string, weight float64) {
	for _, term := range terms {
		s.count[term] += weight
		s.length += weight
	}
}

// rarity is the inverse document frequency of a term.
func (x *searchIndex) rarity(term string) float64 {
	return math.Log(1 + (x.n-x.in[term]+0.5)/(x.in[term]+0.5))
}

// rank scores a page by its best sections, with BM25 (k1 = 1.2, b = 0.75).
func (x *searchIndex) rank(p Page, wanted []string) Result {
	var best section
	var first, second float64
	for _, s := range x.sections[p.Name] {
		score := 0.0
		for _, term := range wanted {
			n := s.count[term]
			score += x.rarity(term) * n * 2.2 / (n + 1.2*(0.25+0.75*s.length*x.n/x.length))
		}
		if score > first {
			first, second, best = score, first, s
		} else {
			second = max(second, score)
		}
	}
	return Result{p, x.passage(best, wanted), first + second*secondShare}
}

// passage returns the heading of a section and the block that shares the rarest
// terms with the query, the first of several.
func (x *searchIndex) passage(s section, wanted []string) string {
	best, most := "", -1.0
	for _, b := range s.blocks {
		shared := 0.0
		for _, term := range wanted {
			if slices.Contains(b.terms, term) {
				shared += x.rarity(term)
			}
			if slices.Contains(b.subject, term) {
				shared += x.rarity(term)
			}
		}
		if shared > most {
			best, most = b.text, shared
		}
	}
	if s.heading != "" {
		best = plain(s.heading) + ": " + best
	}
	if r := []rune(best); len(r) > maxPassage {
		return strings.TrimSpace(string(r[:maxPassage-1])) + "…"
	}
	return best
}
