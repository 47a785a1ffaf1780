package docs

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"sync"
)

// MaxQuery is the number of bytes of a query that a search reads, and
// MaxResults the number of pages that it returns.
const (
	MaxQuery   = 400
	MaxResults = 10
)

// Results is the answer to a search.
type Results struct {
	Total   int // pages that match
	Results []Result
}

// A Result is a page that matches, with the passage that matches best.
type Result struct {
	Page    Page
	Passage string // plain text
}

// minShare is the share of the best score that a page needs to be a result.
const minShare = 0.3

// Search returns the pages that match a query best, the best one first, at most
// [MaxResults]. Without words to look for, it returns every page with its
// description. The kind limits the search to pages of that kind; if it is
// empty, all are searched.
func Search(query string, kind Kind) Results {
	if strings.TrimSpace(query) == "" {
		return everyPage(kind)
	}
	var ranked []scored
	words := index().words(query)
	for _, p := range index().pages {
		if kind != "" && p.page.Kind != kind {
			continue
		}
		if s := index().score(p, words); s.score > 0 {
			ranked = append(ranked, s)
		}
	}
	slices.SortStableFunc(ranked, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	found := Results{Total: len(ranked), Results: []Result{}}
	for _, s := range ranked[:min(len(ranked), MaxResults)] {
		if s.score < ranked[0].score*minShare {
			break
		}
		found.Results = append(found.Results, Result{s.page, index().passage(s.section, words)})
	}
	return found
}

func everyPage(kind Kind) Results {
	found := Results{Results: []Result{}}
	for _, p := range All() {
		if kind == "" || p.Kind == kind {
			found.Results = append(found.Results, Result{p, p.Description})
		}
	}
	found.Total = len(found.Results)
	return found
}

// A section is the part of a page below one heading.
type section struct {
	heading string             // empty above the first one
	blocks  []block            // paragraphs, list items and table rows
	count   map[string]float64 // how often each term occurs
	length  float64            // number of terms
}

// A block is a part of a section that can be read alone.
type block struct {
	text    string
	subject string             // the first cell of a row
	has     map[string]float64 // how much each of its terms counts
}

// newBlock returns a block that is found by the terms of another text.
func newBlock(text, found string) block {
	b := block{text: text, has: map[string]float64{}}
	for _, term := range terms(found) {
		b.has[term] = 1
	}
	return b
}

type indexedPage struct {
	page     Page
	sections []section
}

type searchIndex struct {
	pages    []indexedPage
	sections float64
	in       map[string]float64 // in how many sections a term occurs
	average  float64            // length of a section
}

type scored struct {
	page    Page
	section section // the one that matches best
	score   float64
}

var index = sync.OnceValue(func() *searchIndex {
	x := &searchIndex{in: map[string]float64{}}
	for _, p := range All() {
		x.add(p)
	}
	x.average /= x.sections
	return x
})

// How often a term counts: one of the title or the description in each section
// of the page, one of a heading or of a first cell besides in its section.
const titleWeight, descriptionWeight, headingWeight, subjectWeight = 1.5, 2, 2, 1

func (x *searchIndex) add(p Page) {
	indexed := indexedPage{page: p}
	for _, text := range strings.Split(p.source, "\n## ") {
		heading, body, _ := strings.Cut(text, "\n")
		body = strings.TrimPrefix(body, "\n"+p.Description+"\n")
		if heading == "Sources" || heading == "See also" {
			continue // they name what other pages describe
		}
		s := section{heading: heading, blocks: blocks(body), count: map[string]float64{}}
		if strings.HasPrefix(heading, "# ") {
			s.heading, s.blocks = "", slices.Insert(s.blocks, 0, newBlock(p.Description, p.Description))
		}
		s.tally(p.Name+" "+p.Title, titleWeight)
		s.tally(p.Description, descriptionWeight)
		s.tally(heading, headingWeight)
		s.tally(plain(body), 1)
		for _, b := range s.blocks {
			s.tally(b.subject, subjectWeight)
		}
		for term := range s.count {
			x.in[term]++
		}
		x.sections++
		x.average += s.length
		indexed.sections = append(indexed.sections, s)
	}
	x.pages = append(x.pages, indexed)
}

func (s *section) tally(text string, weight float64) {
	for _, term := range terms(text) {
		s.count[term] += weight
		s.length += weight
	}
}

// secondWeight is the share of the second best section in the score of a page.
const secondWeight = 0.3

// score ranks a page by its best sections, with BM25 (k1 = 1.2, b = 0.75).
func (x *searchIndex) score(p indexedPage, words []word) scored {
	best, second := scored{page: p.page}, 0.0
	for _, s := range p.sections {
		score := 0.0
		for _, w := range words {
			n := s.count[w.term]
			score += w.rarity * n * 2.2 / (n + 1.2*(0.25+0.75*s.length/x.average))
		}
		if score > best.score {
			second, best.score, best.section = best.score, score, s
		} else {
			second = max(second, score)
		}
	}
	best.score += second * secondWeight
	return best
}

// A word is a term of a query.
type word struct {
	term   string
	rarity float64 // inverse document frequency
}

func (x *searchIndex) words(query string) []word {
	var words []word
	for _, term := range queryTerms(query) {
		words = append(words, word{term, math.Log(1 + (x.sections-x.in[term]+0.5)/(x.in[term]+0.5))})
	}
	return words
}

// passage returns the heading of a section and the block that shares the rarest
// terms with the query, the first of several.
func (x *searchIndex) passage(s section, words []word) string {
	best, bestScore := "", -1.0
	for _, b := range s.blocks {
		score := 0.0
		for _, w := range words {
			score += w.rarity * b.has[w.term]
		}
		if score > bestScore {
			best, bestScore = b.text, score
		}
	}
	if s.heading != "" {
		best = plain(s.heading) + ": " + best
	}
	return shorten(best)
}

// maxPassage is the number of characters of a passage.
const maxPassage = 400

func shorten(text string) string {
	if r := []rune(text); len(r) > maxPassage {
		return strings.TrimSpace(string(r[:maxPassage-1])) + "…"
	}
	return text
}
