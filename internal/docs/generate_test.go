package docs_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/tools"
	"twilio-conversations-mcp/twilioapi/sandbox"
)

var update = flag.Bool("update", false, "write operations/*.md")

// Not parallel: with -update it writes what the other tests read.
func TestTheOperationPagesAreUpToDate(t *testing.T) {
	for _, o := range slices.Concat(operations, account) {
		file := "operations/" + o.name + ".md"
		want := generate(t, o)
		if *update {
			require.NoError(t, os.WriteFile(file, []byte(want), 0o644))
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, want, string(got), "stale: run go test ./internal/docs -update")
	}
}

// generate writes the page of an operation.
func generate(t *testing.T, o operation) string {
	t.Helper()
	w := &strings.Builder{}
	fmt.Fprintf(w, "# %s\n\n%s\n\n", o.title, o.description)
	fmt.Fprintf(w, "- Request: `%s %s`\n- Tool: `%s`\n- Success: %s\n\n", o.method, o.path, o.tool, o.status)
	fmt.Fprintf(w, "%s\n\n", strings.Join(o.notes, "\n\n"))
	fmt.Fprintf(w, "## Parameters\n\n%s\n", parameters(t, o))
	fmt.Fprintf(w, "## Example\n\nAs a tool call:\n\n```json\n%s\n```\n\nAs a request with curl:\n\n```sh\n%s\n```\n\n", arguments(o), curl(o, o.example))
	result := o.result
	if result == "" {
		result = send(t, o, o.example)
	}
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, []byte(result), "", "  "))
	fmt.Fprintf(w, "%s\n\n%s\n", o.exampleNote, block(indented.String()))
	fmt.Fprintf(w, "## Result\n\n%s\n", fields(t, o))
	fmt.Fprintf(w, "## Errors\n\n%s\n", errorTable(t, o))
	if o.refused != nil {
		fmt.Fprintf(w, "%s\n\n%s\n", o.refusedNote, block(send(t, o, o.refused)))
	}
	fmt.Fprintf(w, "## See also\n\n%s. Twilio's own page: %s.\n", o.seeAlso, cmp.Or(o.reference, "[Conversation Scoped Webhook resource](https://www.twilio.com/docs/conversations/api/conversation-scoped-webhook-resource)"))
	return w.String()
}

func block(body string) string { return "```json\n" + body + "\n```\n" }

// A schema is what the pages need of JSON Schema.
type schema struct {
	Type        string     `json:"type"`
	Description string     `json:"description"`
	Properties  properties `json:"properties"`
	Required    []string   `json:"required"`
	Pattern     string     `json:"pattern"`
	Items       *schema    `json:"items"`
	OneOf       []*schema  `json:"oneOf"`
}

// properties are the properties of a schema in the order of the file.
type properties []property

type property struct {
	name string
	*schema
}

func (p *properties) UnmarshalJSON(b []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(b))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		s := &schema{}
		if err := decoder.Decode(s); err != nil {
			return err
		}
		*p = append(*p, property{fmt.Sprint(name), s})
	}
	return nil
}

func published(t *testing.T, file string) *schema {
	t.Helper()
	b, err := os.ReadFile("../../schemas/" + file)
	require.NoError(t, err)
	s := &schema{}
	require.NoError(t, json.Unmarshal(b, s))
	return s
}

// parameters is the table of a tool's parameters.
func parameters(t *testing.T, o operation) string {
	t.Helper()
	s := published(t, o.tool+".input.json")
	w := &strings.Builder{}
	w.WriteString("| Parameter | Type | Meaning |\n| --- | --- | --- |\n")
	for _, p := range s.Properties {
		typeName := p.typeName()
		if slices.Contains(s.Required, p.name) {
			typeName += ", required"
		}
		fmt.Fprintf(w, "| `%s` | %s | %s |\n", p.name, typeName, cell(p.Description))
	}
	fmt.Fprintf(w, "\n%s\n", o.where)
	return w.String()
}

func (s *schema) typeName() string {
	if len(s.OneOf) == 2 {
		return s.OneOf[0].typeName() + " or null"
	}
	if s.Type == "array" {
		return "list of " + s.Items.Type + "s"
	}
	return s.Type
}

// pattern puts the pattern of a value into a sentence. The descriptions of
// parameters have it already.
func (s *schema) pattern() string {
	if s.Pattern == "" {
		return ""
	}
	return " Pattern `" + s.Pattern + "`."
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// fields is the table of a result's fields.
func fields(t *testing.T, o operation) string {
	t.Helper()
	w := &strings.Builder{}
	w.WriteString("| Field | Type | Meaning |\n| --- | --- | --- |\n")
	result := published(t, o.tool+".output.json")
	if i := slices.IndexFunc(result.Properties, func(p property) bool { return p.name == "meta" }); i >= 0 && o.name != "list" { // that page describes it
		result.Properties[i].schema = &schema{Type: "object", Description: "Where the other pages are, see [paging](paging)."}
	}
	writeFields(w, "", result)
	return w.String()
}

func writeFields(w io.Writer, prefix string, s *schema) {
	for _, p := range s.Properties {
		value := p.schema
		if len(p.OneOf) == 2 {
			value = p.OneOf[0]
		}
		fmt.Fprintf(w, "| `%s%s` | %s | %s |\n", prefix, p.name, p.typeName(), cell(value.Description+value.pattern()))
		if value.Type == "array" {
			writeFields(w, prefix+p.name+"[].", value.Items)
		} else {
			writeFields(w, prefix+p.name+".", value)
		}
	}
}

// arguments are the arguments of the example as a tool takes them.
func arguments(o operation) string {
	var lines []string
	if strings.Contains(o.path, "{ConversationSid}") {
		lines = append(lines, `  "ConversationSid": "`+conversation+`"`)
	}
	if len(o.example) == 0 && lines == nil {
		return "{}"
	}
	if o.path == member {
		lines = append(lines, `  "Sid": "`+webhook+`"`)
	}
	for _, p := range o.example {
		lines = append(lines, fmt.Sprintf("  %q: %s", p.name, p.json()))
	}
	return "{\n" + strings.Join(lines, ",\n") + "\n}"
}

func (p parameter) json() string {
	switch {
	case p.number:
		return p.values[0]
	case len(p.values) > 1:
		return `["` + strings.Join(p.values, `", "`) + `"]`
	default:
		return strconv.Quote(p.values[0])
	}
}

// address is the path of an example.
func (o operation) address() string {
	return strings.NewReplacer("{ConversationSid}", conversation, "{Sid}", webhook).Replace(o.path)
}

func curl(o operation, parameters []parameter) string {
	command := []string{"curl --request " + o.method + " '" + base + o.address() + "'", `--user "$TWILIO_API_KEY:$TWILIO_API_SECRET"`}
	for _, p := range parameters {
		for _, value := range p.values {
			command = append(command, "--data-urlencode '"+p.name+"="+value+"'")
		}
	}
	return strings.Join(command, " \\\n  ")
}

// send makes a request to a new sandbox and returns the answer, indented.
func send(t *testing.T, o operation, parameters []parameter) string {
	t.Helper()
	form := url.Values{}
	for _, p := range parameters {
		form[p.name] = p.values
	}
	target, body := o.address(), io.Reader(strings.NewReader(form.Encode()))
	if o.method == http.MethodGet && len(form) > 0 {
		target, body = target+"?"+form.Encode(), nil
	}
	r := httptest.NewRequestWithContext(t.Context(), o.method, target, body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth("SK1", "secret")
	w := httptest.NewRecorder()
	sandbox.New(sandbox.Options{Now: documentedTime}).ServeHTTP(w, r)
	var indented bytes.Buffer
	require.NoError(t, json.Indent(&indented, w.Body.Bytes(), "", "  "))
	return indented.String()
}

// documentedTime is the time in the examples of Twilio's API reference.
func documentedTime() time.Time { return time.Date(2016, 3, 24, 21, 5, 50, 0, time.UTC) }

// errorTable says what the codes of an operation mean, as the errors guide puts
// it, and what to do. Codes with the same advice share a row.
func errorTable(t *testing.T, o operation) string {
	t.Helper()
	rows, advice := explained(t), tools.Advice(o.tool)
	var codes, meanings, todo []string
	for _, code := range slices.Compact(slices.Sorted(slices.Values(o.codes))) {
		require.Contains(t, rows, code, "the errors guide")
		row := rows[code]
		if !slices.Contains(general, code) {
			row.todo = advice[code]
		}
		if slices.Contains(failures, code) {
			row.todo = o.unknown + advice[code]
		}
		if i := slices.Index(todo, row.todo); i >= 0 {
			codes[i], meanings[i] = fmt.Sprintf("%s, %d", codes[i], code), meanings[i]+" "+row.meaning
			continue
		}
		codes, meanings, todo = append(codes, strconv.Itoa(code)), append(meanings, row.meaning), append(todo, row.todo)
	}
	w := &strings.Builder{}
	w.WriteString("| Code | Meaning | What to do |\n| --- | --- | --- |\n")
	for i := range codes {
		fmt.Fprintf(w, "| %s | %s | %s |\n", codes[i], meanings[i], cell(todo[i]))
	}
	w.WriteString("\nEvery code is in [errors](errors).\n")
	return w.String()
}

// An explanation is what the errors guide says of a code.
type explanation struct{ meaning, todo string }

var codeRow = regexp.MustCompile(`(?m)^\| ([0-9, ]+) \|.*?([^|]+) \| ([^|]+) \|$`)

// explained reads the tables of the errors guide.
func explained(t *testing.T) map[int]explanation {
	t.Helper()
	guide, err := os.ReadFile("guides/errors.md")
	require.NoError(t, err)
	all := map[int]explanation{}
	for _, row := range codeRow.FindAllStringSubmatch(string(guide), -1) {
		for text := range strings.SplitSeq(row[1], ", ") {
			code, err := strconv.Atoi(text)
			require.NoError(t, err)
			all[code] = explanation{strings.TrimSpace(row[2]), strings.TrimSpace(row[3])}
		}
	}
	return all
}
