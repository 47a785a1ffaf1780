// Package schemas defines the input and output of every tool, as JSON Schema.
//
// The Go types are the source. Their JSON tags are the names that Twilio
// documents, and the comment of a field is its description: the model reads the
// same sentence as godoc. "go test ./schemas -update" writes the *.json files
// from them, which are embedded here and served; the plain test fails when they
// are stale.
//
// The types mirror Twilio's reference of the Conversation Scoped Webhook resource.
// Limits that only Twilio's error dictionary names (codes 50361 to 50372) are in the
// descriptions and left to Twilio to enforce.
package schemas

import (
	"embed"
	"encoding/json"
	"fmt"
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
