package twilioapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"

	jsonv2 "github.com/go-json-experiment/json"
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
func normalizeJSON(text []byte) (json.RawMessage, error) {
	value := jsontext.Value(bytes.Clone(text))
	if value.Compact(jsontext.AllowInvalidUTF8(false), jsontext.AllowDuplicateNames(false)) == nil && isWithinLimits(value) {
		return json.RawMessage(value), nil
	}
	return normalizeTokens(text)
}

// isWithinLimits reports whether compact JSON certainly is within the limits: it is
// an object with few brackets, and nothing in it looks like a number that is long
// or has an exponent.
func isWithinLimits(value []byte) bool {
	const maxDigits = 100
	brackets, number := 0, 0 // number is the length of the number, if it is one
	for i, c := range value {
		switch {
		case c == '[' || c == '{':
			brackets++
		case '0' <= c && c <= '9' || c == '-' || c == '.':
			if number > 0 || strings.IndexByte(":,[", value[max(0, i-1)]) >= 0 {
				number++
			}
			continue
		case number > 0 && (c == 'e' || c == 'E') || number > maxDigits:
			return false
		}
		number = 0
	}
	return value[0] == '{' && brackets <= maxDepth
}

// normalizeTokens is normalizeJSON for any text.
func normalizeTokens(text []byte) (json.RawMessage, error) {
	n := normalizers.Get().(*normalizer)
	defer normalizers.Put(n)
	n.in = *bytes.NewBuffer(text)
	n.out.Reset()
	n.dec.Reset(&n.in, jsontext.AllowInvalidUTF8(true))
	n.enc.Reset(&n.out, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	if err := n.run(); err != nil {
		return nil, err
	}
	return bytes.Clone(bytes.TrimSuffix(n.out.Bytes(), []byte("\n"))), nil
}

// normalized are the options to decode what normalizeJSON returns, which need not be
// checked again.
var normalized = jsonv2.JoinOptions(jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))

// A normalizer has what normalizeJSON can use again.
type normalizer struct {
	in  bytes.Buffer
	out bytes.Buffer
	dec jsontext.Decoder
	enc jsontext.Encoder
}

var normalizers = sync.Pool{New: func() any { return new(normalizer) }}

// run copies one value, token by token.
func (n *normalizer) run() error {
	for {
		token, err := n.dec.ReadToken()
		if err == io.EOF && n.out.Len() > 0 {
			return nil
		}
		switch {
		case err != nil:
			return err
		case n.dec.StackDepth() > maxDepth:
			return errTooDeep
		case token.Kind() == '0' && !isFloat64(token):
			return errNumberRange
		case n.out.Len() > 0 && n.enc.StackDepth() == 0:
			return errors.New("the response has more than one value")
		}
		if err := n.enc.WriteToken(token); err != nil {
			return err
		}
	}
}

// isFloat64 reports whether a number is in the range of float64.
func isFloat64(number jsontext.Token) bool {
	f, err := strconv.ParseFloat(number.String(), 64)
	return err == nil && !math.IsInf(f, 0)
}
