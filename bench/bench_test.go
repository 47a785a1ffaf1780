package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPercentileIsOneOfTheLatencies(t *testing.T) {
	t.Parallel()
	hundred := make([]time.Duration, 100)
	for i := range hundred {
		hundred[i] = time.Duration(i+1) * time.Millisecond
	}
	for _, test := range []struct {
		sorted []time.Duration
		p      int
		want   float64
	}{
		{hundred, 0, 1},
		{hundred, 50, 51},
		{hundred, 99, 100},
		{hundred[:1], 99, 1},
		{hundred[:2], 50, 2},
		{[]time.Duration{1500 * time.Microsecond}, 50, 1.5},
	} {
		require.InDelta(t, test.want, percentile(test.sorted, test.p), 1e-9, "p%d of %d", test.p, len(test.sorted))
	}
}

func TestAMedianLeavesTheValuesInTheirOrder(t *testing.T) {
	t.Parallel()
	values := []float64{3, 1, 2, 10}
	require.InDelta(t, 2.5, median(values), 0)
	require.InDelta(t, 2, median(values[:3]), 0)
	require.Equal(t, []float64{3, 1, 2, 10}, values)
}

func TestRatiosAreTakenWithinARound(t *testing.T) {
	t.Parallel()
	require.Equal(t, []float64{2, 0.5}, ratios([]float64{2, 4}, []float64{1, 8}))
	require.Equal(t, []float64{2}, ratios([]float64{2, 4}, []float64{1}))
	require.Equal(t, []float64{math.Inf(1)}, ratios([]float64{1}, []float64{0}))
}

func TestTheRatioIsThatOfTheServerToTheReference(t *testing.T) {
	t.Parallel()
	ratio, noise := formatRatios([]float64{100, 200, 100}, []float64{50, 100, 80})
	require.Equal(t, "0.50 [0.50–0.80]", ratio)
	require.Equal(t, "[0.50–2.00]", noise)
}

func TestOneRoundHasNoNoise(t *testing.T) {
	t.Parallel()
	_, noise := formatRatios([]float64{100}, []float64{50})
	require.Equal(t, "–", noise)
}

// response returns a correct response to a call with this id.
func response(id int, page []byte) []byte {
	text, err := json.Marshal(string(page))
	if err != nil {
		panic(err)
	}
	return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"result":{"content":[{"type":"text","text":%s}],"structuredContent":%s}}`+"\n", id, text, page)
}

func TestOnlyACorrectFirstResponseIsExpected(t *testing.T) {
	t.Parallel()
	page := listResponse(0)
	right := string(response(firstID, page))
	_, err := newExpectation([]byte(right), page)
	require.NoError(t, err)
	for name, wrong := range map[string]string{
		"not JSON":                       right[:100],
		"a JSON-RPC error":               `{"jsonrpc":"2.0","id":100000000,"error":{"code":-32603,"message":"no"}}`,
		"a tool error":                   strings.Replace(right, `"result":{`, `"result":{"isError":true,`, 1),
		"another id":                     strings.Replace(right, "100000000", "100000001", 1),
		"no content":                     strings.Replace(right, `"content":[`, `"other":[`, 1),
		"no structured content":          strings.Replace(right, `"structuredContent"`, `"other"`, 1),
		"another text":                   strings.Replace(right, `{\"meta\"`, `{ \"meta\"`, 1),
		"another structured content":     strings.Replace(right, `"target":"webhook"`, `"target":"studio"`, 1),
		"a member more in the structure": strings.Replace(right, `"structuredContent":{`, `"structuredContent":{"more":1,`, 1),
	} {
		require.NotEqual(t, right, wrong, name)
		_, err := newExpectation([]byte(wrong), page)
		require.Error(t, err, name)
	}
}

func TestALaterResponseMayDifferOnlyInItsID(t *testing.T) {
	t.Parallel()
	page := listResponse(0)
	want, err := newExpectation(response(firstID, page), page)
	require.NoError(t, err)
	id, ok := want.match(response(firstID+42, page))
	require.True(t, ok)
	require.Equal(t, firstID+42, id)
	for name, wrong := range map[string][]byte{
		"empty":           nil,
		"shorter id":      response(99_999_999, page),
		"id not a number": bytes.Replace(response(firstID, page), []byte("100000000"), []byte(`"1000000"`), 1),
		"one other byte":  bytes.Replace(response(firstID, page), []byte("2016"), []byte("2017"), 1),
		"one byte less":   bytes.TrimSuffix(response(firstID, page), []byte("\n")),
	} {
		_, ok := want.match(wrong)
		require.False(t, ok, name)
	}
}

func TestAResponseMustAnswerACallInFlight(t *testing.T) {
	t.Parallel()
	page := listResponse(0)
	want, err := newExpectation(response(firstID, page), page)
	require.NoError(t, err)
	for id, valid := range map[int]bool{firstID + 2: true, firstID + 3: true, firstID: false, firstID + 4: false, -10_000_000: false} {
		c := newClient(newStdioConn(io.Discard, bytes.NewReader(response(id, page))), want, 2)
		for i := range c.slots {
			require.NoError(t, c.send(&c.slots[i]))
		}
		s, err := c.receive()
		if !valid {
			require.ErrorContains(t, err, "wrong response", id)
			continue
		}
		require.NoError(t, err, id)
		require.Equal(t, id, s.id)
	}
}

func TestARequestCarriesTheIDOfItsCall(t *testing.T) {
	t.Parallel()
	var sent bytes.Buffer
	c := newClient(newStdioConn(&sent, nil), nil, 2)
	require.NoError(t, c.send(&c.slots[1]))
	require.NoError(t, c.send(&c.slots[1]))
	require.Equal(t, strings.ReplaceAll(toolCall, "100000000", "100000003")+"\n"+
		strings.ReplaceAll(toolCall, "100000000", "100000005")+"\n", sent.String())
}

func TestAnHTTPResponseIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ response, body, err string }{
		"with a length":   {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "{}", ""},
		"chunked":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", "{}", ""},
		"refused":         {"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 4\r\n\r\nbusy", "", "503 Service Unavailable: busy"},
		"cut off":         {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "", "unexpected EOF"},
		"not HTTP":        {"{}\n", "", "malformed HTTP"},
		"a bad chunk":     {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "", "invalid byte in chunk length"},
		"a bad length":    {"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}", "", "bad Content-Length"},
		"without headers": {"HTTP/1.1 200 OK\r\n", "", "unexpected EOF"},
	} {
		next := "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext"
		c := &conn{head: "POST", r: bufio.NewReader(strings.NewReader(test.response))}
		if test.err == "" {
			c.r = bufio.NewReader(strings.NewReader(test.response + next))
		}
		body, err := c.read()
		if test.err != "" {
			require.ErrorContains(t, err, test.err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, test.body, string(body), name)
		body, err = c.read()
		require.NoError(t, err, name)
		require.Equal(t, "next", string(body), name)
	}
}

func TestCallsAreSummarized(t *testing.T) {
	t.Parallel()
	began, ms := time.Now(), time.Millisecond
	from := snapshot{at: began, connections: 1, usage: usage{cpu: time.Second}}
	to := snapshot{at: began.Add(2 * time.Second), connections: 2, usage: usage{cpu: 2 * time.Second, memory: 10, peakMemory: 11}}
	require.Equal(t, result{callRate: 2, p50: 3, p99: 4, cpuTime: 250, newConns: 250, memory: 10, peakMemory: 11},
		summarize(from, to, []time.Duration{3 * ms, ms, 2 * ms, 4 * ms}))
}

func TestTheUsageOfAProcessIsParsed(t *testing.T) {
	t.Parallel()
	stat := "7 (a ) 1 name) S 1 7 7 0 -1 4194304 100 0 0 0 150 25 0 0 20 0 9 0 100 1000 200"
	status := "Name:\ta\nVmHWM:\t   3072 kB\nVmRSS:\t   2048 kB\n"
	u, err := parseUsage([]byte(stat), []byte(status))
	require.NoError(t, err)
	require.Equal(t, usage{cpu: 1750 * time.Millisecond, memory: 2, peakMemory: 3}, u)
	for _, test := range []struct{ stat, status, err string }{
		{"", status, "too few fields"},
		{"7 (a) S 1", status, "too few fields"},
		{strings.Replace(stat, "150", "x", 1), status, "invalid syntax"},
		{stat, "", "VmRSS:"}, // as of a process that has ended
		{stat, "VmRSS:\t1 kB\n", "VmHWM:"},
	} {
		_, err := parseUsage([]byte(test.stat), []byte(test.status))
		require.ErrorContains(t, err, test.err)
	}
}

func TestAListFitsIntoItsSize(t *testing.T) {
	t.Parallel()
	for size, webhooks := range map[int]int{0: 3, 1: 1, 1 << 10: 1, 4 << 10: 7, 64 << 10: 136, 1 << 20: 136} {
		var list struct {
			Webhooks []struct{ Sid string }
		}
		page := listResponse(size)
		require.NoError(t, json.Unmarshal(page, &list), size)
		require.Len(t, list.Webhooks, webhooks, size)
		if webhooks > 1 && size > 0 {
			require.LessOrEqual(t, len(page), min(size, 64<<10))
		}
	}
}

func TestFlagsThatContradictEachOtherAreRefused(t *testing.T) {
	t.Parallel()
	for args, want := range map[string]string{
		"all":                `unexpected argument "all"`,
		"-rounds 0":          "-rounds is 0: it must be at least 1",
		"-time 0s":           "-time is 0s: it must be positive",
		"-svg x":             "-svg requires -growth",
		"-growth -only HTTP": "-only selects scenarios",
	} {
		_, err := parseFlags(strings.Fields(args))
		require.ErrorContains(t, err, want)
	}
	o, err := parseFlags([]string{"-only", "^HTTP.*16", "-against", "other"})
	require.NoError(t, err)
	require.Equal(t, 5, o.rounds)
	require.True(t, o.only.MatchString("HTTP, 16 in flight"))
	require.False(t, o.only.MatchString("stdio, 16 in flight"))
}

func TestTheOtherServerMustBeExecutable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "server")
	_, err := findProgram("other", path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	_, err = findProgram("other", path)
	require.ErrorIs(t, err, os.ErrPermission)
	require.NoError(t, os.Chmod(path, 0o700))
	p, err := findProgram("other", path)
	require.NoError(t, err)
	require.Equal(t, program{"other", path}, p)
}

func TestTicksEncloseTheValues(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		low, high float64
		want      string
	}{
		{0.3, 7, "0.2 0.5 1 2 5 10"},
		{2, 5, "2 5"},
		{1900, 21000, "1000 2000 5000 10000 20000 50000"},
		{3, 3, "2 5"},
		{1, 1, "1"},
	} {
		var labels []string
		for _, tick := range logTicks(test.low, test.high) {
			labels = append(labels, tick.Label)
		}
		require.Equal(t, test.want, strings.Join(labels, " "))
	}
}

func TestAChartNamesBothServersInEachPlot(t *testing.T) {
	t.Parallel()
	var points []point
	for _, x := range []int{1, 16} {
		points = append(points, point{x, rounds{{
			reference: result{callRate: 5000, p99: 0.5, peakMemory: 15},
			server:    result{callRate: 4000, p99: 0.7, peakMemory: 20},
		}}})
	}
	file := filepath.Join(t.TempDir(), "chart.svg")
	require.NoError(t, writeChart(file, "other", "server", points))
	svg, err := os.ReadFile(file)
	require.NoError(t, err)
	for text, count := range map[string]int{"other": 3, "server": 3, "calls in flight": 3, "p99, ms": 1} {
		require.Equal(t, count, strings.Count(string(svg), ">"+text+"</text>"), text)
	}
}
