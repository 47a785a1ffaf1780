package main

import "context"

// rounds are the results of the reference and of the server in each round.
type rounds []struct{ reference, server result }

// compare measures the reference and the server in alternation.
func (b *bench) compare(ctx context.Context, s setup) (rounds, error) {
	r := make(rounds, b.rounds)
	if s.coldStart {
		r = make(rounds, b.coldStarts)
	}
	for i := range r {
		reference, err := b.measure(ctx, b.referenceFor(s), s.ofReference(), 1)
		if err != nil {
			return nil, err
		}
		server, err := b.measure(ctx, b.server, s, 1)
		if err != nil {
			return nil, err
		}
		r[i].reference, r[i].server = reference[0], server[0]
	}
	return r, nil
}

// referenceFor returns the program that the server is compared with. With OAuth
// that is the server itself, which then runs without.
func (b *bench) referenceFor(s setup) program {
	switch {
	case s.coldStart:
		return b.coldReference
	case s.issuer != nil:
		return program{"server without OAuth", b.server.path}
	}
	return b.reference
}

// ofReference returns the setup of the program that the server is compared with.
func (s setup) ofReference() setup {
	s.issuer = nil
	return s
}

// values returns the values of a metric in all rounds.
func (r rounds) values(m metric) (reference, server []float64) {
	for _, round := range r {
		reference = append(reference, round.reference[m])
		server = append(server, round.server[m])
	}
	return reference, server
}
