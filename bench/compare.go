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
		reference, err := b.measure(ctx, b.referenceFor(s), s)
		if err != nil {
			return nil, err
		}
		server, err := b.measure(ctx, b.server, s)
		if err != nil {
			return nil, err
		}
		r[i].reference, r[i].server = reference, server
	}
	return r, nil
}

// referenceFor returns the program that the server is compared with.
func (b *bench) referenceFor(s setup) program {
	if s.coldStart {
		return b.coldReference
	}
	return b.reference
}

// values returns the values of a metric in all rounds.
func (r rounds) values(m metric) (reference, server []float64) {
	for _, round := range r {
		reference = append(reference, round.reference[m])
		server = append(server, round.server[m])
	}
	return reference, server
}
