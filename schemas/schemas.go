// Package schemas is what the model is told: the input and output of every
// tool, as JSON Schema.
//
// The Go types are the source. Their JSON tags are the names that Twilio
// documents, and the comment of a field is its description: the model reads the
// same sentence as godoc. "go test ./schemas -update" writes the *.json files
// from them, which are embedded here and served; the plain test fails when they
// are stale.
//
// The types mirror the two pages of Twilio's reference, "Create a new webhook
// scoped to the conversation" and "Retrieve a list of all webhooks scoped to
// the conversation". Limits that only Twilio's error dictionary names (codes
// 50361 to 50372) stand in the descriptions and are left to Twilio to enforce.
package schemas

import (
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

//go:embed *.json
var published embed.FS

// A Contract is the name of a tool, typed by the arguments that the tool takes.
type Contract[Input any] string

// Input returns the published JSON Schema of the tool's arguments.
func (c Contract[Input]) Input() json.RawMessage { return read(string(c) + ".input.json") }

// Output returns the published JSON Schema of the tool's structured result.
func (c Contract[Input]) Output() json.RawMessage { return read(string(c) + ".output.json") }

func read(name string) json.RawMessage {
	b, err := published.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("schemas: no published schema: %v", err))
	}
	return b
}

// An Integer is a whole number as JSON Schema understands it: 5, 5.0 and 5e0
// are the same. It is encoded in base 10.
type Integer int64

// ErrFraction and ErrRange are why a number is no [Integer].
var (
	ErrFraction = errors.New("it is a fraction")
	ErrRange    = errors.New("it does not fit into 64 bits")
)

// UnmarshalJSON reads a number, exactly. It returns [ErrFraction], [ErrRange], or
// another error for what is no number.
func (i *Integer) UnmarshalJSON(b []byte) error {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(string(b)), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if _, err := strconv.ParseFloat(string(b), 64); errors.Is(err, strconv.ErrSyntax) {
		return fmt.Errorf("%.40q is no number", b)
	}
	sign := strings.TrimRight(whole[:1], "0123456789")
	digits := strings.TrimLeft(strings.TrimPrefix(whole, sign)+fraction, "0")
	if digits == "" {
		*i = 0
		return nil
	}
	scale, err := strconv.Atoi(cmp.Or(exponent, "0"))
	const far = 1 << 30 // any number as far off does
	if err != nil || scale > far || scale < -far {
		scale = far
		if exponent[0] == '-' {
			scale = -scale
		}
	}
	significant := strings.TrimRight(digits, "0")
	scale += len(digits) - len(significant) - len(fraction)
	if scale < 0 {
		return ErrFraction
	}
	if len(significant)+scale > len("9223372036854775807") {
		return ErrRange
	}
	n, err := strconv.ParseInt(sign+significant+strings.Repeat("0", scale), 10, 64)
	if err != nil {
		return ErrRange
	}
	*i = Integer(n)
	return nil
}
