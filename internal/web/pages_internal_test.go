package web

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheSearchSaysHowManyPagesMatch(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		total, shown int
		want         string
	}{
		{0, 0, "No page matches. Try other words, an error code, or the name of a parameter."},
		{1, 1, "One page matches."},
		{2, 2, "2 pages."},
		{14, 1, "14 pages match; this is the best one."},
		{14, 10, "14 pages match; these are the best 10."},
	} {
		require.Equal(t, row.want, count(row.total, row.shown))
	}
}
