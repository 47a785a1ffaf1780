package twilioapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// maxDepth limits the nesting of JSON. Some clients cannot parse deeply nested
// values.
const maxDepth = 100

var (
	errTooDeep     = fmt.Errorf("the response is nested deeper than %d levels", maxDepth)
	errNumberRange = errors.New("the response has a number that is out of range")
)

// normalizeJSON returns the one JSON value in text as every client can parse it:
// without white space, and with U+FFFD instead of invalid UTF-8 and unpaired
// surrogates. Numbers keep their digits. It is an error if text is invalid, has a
// name twice in one object, is nested too deeply, or has a number beyond the range
// of float64.
func normalizeJSON(text []byte) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, len(text)+1))
	dec := jsontext.NewDecoder(bytes.NewBuffer(text), jsontext.AllowInvalidUTF8(true))
	enc := jsontext.NewEncoder(out, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	for {
		token, err := dec.ReadToken()
		if err == io.EOF && out.Len() > 0 {
			return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case dec.StackDepth() > maxDepth:
			return nil, errTooDeep
		case token.Kind() == '0' && !isFloat64(token):
			return nil, errNumberRange
		case out.Len() > 0 && enc.StackDepth() == 0:
			return nil, errors.New("more than one value")
		}
		if err := enc.WriteToken(token); err != nil {
			return nil, err
		}
	}
}

// isFloat64 reports whether a number is in the range of float64.
func isFloat64(number jsontext.Token) bool {
	f, err := strconv.ParseFloat(number.String(), 64)
	return err == nil && !math.IsInf(f, 0)
}
