package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

func decodeCreate(ctx context.Context, raw []byte) (schemas.CreateConversationWebhookInput, error) {
	return decode[schemas.CreateConversationWebhookInput](ctx, createParameters, raw, nil)
}

var createParameters = newParameters[schemas.CreateConversationWebhookInput](schemas.CreateConversationWebhook.Input(), false)

// Whatever the arguments, they are decoded to what they say or refused in
// sentences; nothing panics, and no refusal is long.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{"ConversationSid":"CHaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","Target":"webhook","Configuration.Url":"https://example.com","Configuration.Filters":["onMessageAdded"],"Configuration.ReplayAfter":0}`,
		`{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":["\ud83d\ude00","\\u"]}`,
		`{"ConversationSid":"x","ConversationSid":"y","Target":"studio","Configuration.ReplayAfter":1e400}`,
		`{"ConversationSid":"x","Target":"studio","_meta":{"a":[1]},"Configuration.Url":null,"Configuration.FlowSid":""}`,
		`{"a":{"b":[1,{"c":null}]},"\ud800":-1.5e-999999999}`, "{\"a\\nb\":\"\\ud800\"}", `{"a":1} x`, `{"a":1`, `{"Target":[[`,
		`{"ConversationSid":"x","Page":1e9223372036854775807}`, `{"ConversationSid":[[[[[[[["x"]]]]]]]]}`,
		`[]`, `"x"`, `null`, ``, `5`, ` `, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		in, err := decodeCreate(t.Context(), raw)
		if err != nil {
			require.IsType(t, argumentError{}, err)
			require.NotEmpty(t, err.Error())
			require.Less(t, len(err.Error()), 10_000)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		require.True(t, json.Valid(raw))
		require.NotEmpty(t, in.ConversationSid)
		require.Contains(t, []string{"webhook", "trigger", "studio"}, in.Target)
		again, err := json.Marshal(in)
		require.NoError(t, err)
		repeated, err := decodeCreate(t.Context(), again)
		require.NoError(t, err)
		require.Equal(t, in.ConversationSid, repeated.ConversationSid)
		require.Equal(t, in.ReplayAfter, repeated.ReplayAfter)
	})
}

func TestAnIntegerMayBeWrittenInAnyWay(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{
		"0": 0, "-0": 0, "0.00": 0, "0e99999999": 0, "-1": -1, "5.0": 5, "5e0": 5, "1E2": 100, "1.50e+1": 15, "500e-2": 5,
		"9007199254740993": 9007199254740993, "9007199254740993.0": 9007199254740993, "0.9007199254740993e16": 9007199254740993,
		"9223372036854775807": 9223372036854775807, "-9223372036854775808": -9223372036854775808,
	} {
		n, problem := parseNumber(text)
		require.Equal(t, want, n, text)
		require.Empty(t, problem, text)
	}
	for _, text := range []string{"1.5", "1e-400", "1e-99999999", "4.99999999999999999999", "-0.1e-5"} {
		_, problem := parseNumber(text)
		require.Equal(t, "must be an integer, not a fraction.", problem, text)
	}
	for _, text := range []string{"9223372036854775808", "-9223372036854775809", "9.3e18", "1e400", "1e9223372036854775807", "-10e9223372036854775807", "1e99999999999"} {
		_, problem := parseNumber(text)
		require.Contains(t, problem, "is out of range", text)
	}
}

// attacks are arguments of about n bytes that cost much to read or to refuse.
func attacks(n int) map[string]string {
	repeat := func(prefix, part, suffix string) string {
		return prefix + strings.TrimSuffix(strings.Repeat(part, (n-len(prefix)-len(suffix))/len(part)), ",") + suffix
	}
	var names strings.Builder
	for i := 0; names.Len() < n-20; i++ {
		fmt.Fprintf(&names, `,"a%d":9e99`, i)
	}
	return map[string]string{
		"unknown names":  "{" + names.String()[1:] + "}",
		"ignored names":  strings.ReplaceAll("{"+names.String()[1:]+"}", `"a`, `"_`),
		"large numbers":  repeat(`{"Configuration.Filters":[`, "9e99,", "]}"),
		"nested arrays":  repeat(`{"Configuration.Filters":[`, "[9e99,9e99,9e99],", "]}"),
		"deep arrays":    repeat(`{"Target":`, "[", ""),
		"half surrogate": repeat(`{"Configuration.Url":"`, `\ud800`, `"}`),
		"one name":       repeat("{", `"Target":1,`, "}"),
		"a long name":    repeat(`{"`, "n", `":1}`),
		"a long string":  repeat(`{"Target":"`, "w", `"}`),
		"a long number":  repeat(`{"Configuration.ReplayAfter":`, "9", "}"),
		"a long one":     repeat(`{"ConversationSid":"x","Target":"webhook","Configuration.Url":"`, "w", `"}`),
		"keywords":       repeat(`{"ConversationSid":"x","Target":"trigger","Configuration.Triggers":[`, `"a",`, "]}"),
	}
}

// Not parallel: what other tests allocate would be counted.
func TestReadingArgumentsAllocatesLittle(t *testing.T) {
	for _, size := range []int{maxArguments / 4, maxArguments, 4 << 20} {
		for name, text := range attacks(size) {
			raw := []byte(text)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := decodeCreate(t.Context(), raw)
			runtime.ReadMemStats(&after)
			read := min(len(raw), maxArguments)
			require.LessOrEqual(t, after.TotalAlloc-before.TotalAlloc, uint64(10*read+1<<20), "%s of %d bytes", name, size)
			if name != "a long one" || size > maxArguments {
				require.Error(t, err, name)
				require.Less(t, len(err.Error()), 5000, name)
			}
		}
	}
}

func TestArgumentsBeyondTheMaximumAreNotRead(t *testing.T) {
	t.Parallel()
	_, err := decodeCreate(t.Context(), []byte(strings.Repeat("x", maxArguments+1)))
	require.EqualError(t, err, "The arguments have 65537 bytes; the maximum is 65536.")
}

func TestReadingStopsAtTheTwentiethProblem(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"unknown names": "{" + strings.Repeat(`"%d":1,`, 20) + "this is not JSON",
		"items":         `{"Configuration.Filters":[` + strings.Repeat("9e%d99,", 20) + "this is not JSON",
	} {
		for i := range 20 {
			text = strings.Replace(text, "%d", fmt.Sprint(i+1), 1)
		}
		_, err := decodeCreate(t.Context(), []byte(text))
		require.IsType(t, argumentError{}, err, name)
		require.Len(t, err, 21, name)
		require.True(t, strings.HasSuffix(err.Error(), " There may be more problems."), err)
		require.NotContains(t, err.Error(), "not valid JSON", name)
	}
}

func TestReadingEndsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := decodeCreate(ctx, []byte(`{"ConversationSid":"x","Target":"studio"}`))
	require.IsType(t, &twilioapi.Error{}, err)
	require.ErrorIs(t, err, context.Canceled)
}

// BenchmarkDecode shows a rate that does not depend on the size: time grows
// linearly.
func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{1 << 10, 4 << 10, 16 << 10, maxArguments} {
		for name, text := range attacks(size) {
			b.Run(fmt.Sprintf("%s/%d", strings.ReplaceAll(name, " ", "-"), size), func(b *testing.B) {
				raw := []byte(text)
				b.SetBytes(int64(len(raw)))
				b.ReportAllocs()
				for b.Loop() {
					_, _ = decodeCreate(b.Context(), raw)
				}
			})
		}
	}
}
