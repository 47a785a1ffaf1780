package serve

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// However a message is built, reading it takes little more memory than itself.
func TestReadingAMessageTakesBoundedMemory(t *testing.T) {
	const size = 1 << 20
	var names strings.Builder
	for i := 0; names.Len() < size; i++ {
		fmt.Fprintf(&names, `"x%d":0,`, i)
	}
	for name, text := range map[string]string{
		"members":           `{` + names.String() + `"id":1}`,
		"params":            `{"id":1,"params":{` + names.String() + `"x":0}}`,
		"_meta":             `{"id":1,"params":{"_meta":{` + names.String() + `"x":0}}}`,
		"duplicates":        `{` + strings.Repeat(`"x":0,`, size/6) + `"id":1}`,
		"deeper names":      `{"id":1,"x":{` + names.String() + `"x":0}}`,
		"deeper duplicates": `{"id":1,"x":{` + strings.Repeat(`"x":0,`, size/6) + `"y":1}}`,
		"escapes":           `{"id":1,"method":"` + strings.Repeat(`\u0041`, size/6) + `"}`,
		"surrogates":        `{"id":1,"method":"` + strings.Repeat(`\ud800`, size/6) + `"}`,
		"nesting":           strings.Repeat(`{"x":`, size/5),
		"lists":             `{"id":1,"x":` + strings.Repeat(`[`, size) + `}`,
		"a name":            `{"` + strings.Repeat(`\u0041`, size/6) + `":1,"` + strings.Repeat(`\u0041`, size/6) + `":1}`,
		"arguments":         `{"id":1,"params":{"arguments":{` + names.String() + `"x":0}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = parse([]byte(text))
			runtime.ReadMemStats(&after)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(10*size+1<<20))
		})
	}
}
