package events

import (
	"encoding/base64"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func example(change ...func(*subscription)) *subscription {
	s := &subscription{
		id: newID(principal, "https://example.com/hook", messageAdded, room), event: 0, conversation: [16]byte{0xbb, 1: 0xbb, 15: 1},
		position: 41, expires: time.Unix(1_800_000_000, 0), secret: strings.Repeat("s", 32), callback: "https://example.com/hook",
	}
	for _, f := range change {
		f(s)
	}
	return s
}

func TestATokenHoldsItsSubscription(t *testing.T) {
	t.Parallel()
	sealer := newSealer([]string{keyA}, 450)
	for name, change := range map[string]func(*subscription){
		"as it is":          func(*subscription) {},
		"no messages known": func(s *subscription) { s.position = -1 },
		"another event":     func(s *subscription) { s.event = 9 },
		"a long secret":     func(s *subscription) { s.secret = strings.Repeat("\x00", 64) },
		"a long callback":   func(s *subscription) { s.callback += strings.Repeat("x", 190) },
	} {
		want := example(change)
		token, ok := sealer.seal(want)
		require.True(t, ok, name)
		require.LessOrEqual(t, len(token), 450, name)
		require.Equal(t, want, sealer.open(token), name)
		again, _ := sealer.seal(want)
		require.NotEqual(t, token, again, "a token is made once")
	}
}

func TestTheLengthOfATokenTellsLittle(t *testing.T) {
	t.Parallel()
	sealer, lengths := newSealer([]string{keyA}, 480), map[int]bool{}
	for n := range 230 {
		token, ok := sealer.seal(example(func(s *subscription) { s.callback += strings.Repeat("x", n) }))
		if ok {
			lengths[len(token)] = true
		}
	}
	require.LessOrEqual(t, len(lengths), 5)
}

func TestATokenHasAtMostTheLengthThatFits(t *testing.T) {
	t.Parallel()
	for length := 150; length <= 490; length++ {
		sealer := newSealer([]string{keyA}, length)
		fits := example(func(s *subscription) {
			s.callback = strings.Repeat("x", sealer.capacity-len(example().marshal())+len(s.callback))
		})
		token, ok := sealer.seal(fits)
		require.True(t, ok)
		require.LessOrEqual(t, len(token), length)
		fits.callback += "x"
		_, ok = sealer.seal(fits)
		require.False(t, ok)
	}
}

func TestOldKeysOpenTokensAndTheFirstSeals(t *testing.T) {
	t.Parallel()
	token, _ := newSealer([]string{keyA}, 450).seal(example())
	rotated := newSealer([]string{keyB, keyA}, 450)
	require.NotNil(t, rotated.open(token))
	require.Nil(t, newSealer([]string{keyB}, 450).open(token))
	token, _ = rotated.seal(example())
	require.NotNil(t, newSealer([]string{keyB}, 450).open(token))
	require.Nil(t, newSealer([]string{keyA}, 450).open(token))
}

// 10,000 tokens that were not made by the server, or changed since: forged, cut,
// extended, with bits swapped, of other keys, of other versions, or spelled otherwise.
func TestNoOtherTokenIsAccepted(t *testing.T) {
	t.Parallel()
	sealer, other := newSealer([]string{keyA, keyB}, 450), newSealer([]string{keyA + "x"}, 450)
	genuine, _ := sealer.seal(example())
	second, _ := sealer.seal(example())
	foreign, _ := other.seal(example())
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	change := []func() string{
		func() string { // forged
			b := make([]byte, random.IntN(400))
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			return base64.RawURLEncoding.EncodeToString(b)
		},
		func() string { return genuine[:random.IntN(len(genuine))] },
		func() string { return genuine + genuine[:1+random.IntN(20)] },
		func() string { i := 1 + random.IntN(len(genuine)-1); return genuine[:i] + second[i:] },
		func() string {
			for {
				b := []byte(genuine)
				b[random.IntN(len(b))] = alphabet[random.IntN(64)]
				if string(b) != genuine {
					return string(b)
				}
			}
		},
		func() string { return foreign },
		func() string { return genuine + "=" },
		func() string { return strings.ToLower(genuine) },
		func() string { return genuine[:10] + "\n" + genuine[10:] },
		func() string {
			return base64.RawURLEncoding.EncodeToString(append([]byte{2}, mustDecode(t, genuine)[1:]...))
		},
	}
	for i := range 10_000 {
		token := change[i%len(change)]()
		if token == second || token == genuine {
			continue // cut so that all of it is of one token
		}
		require.Nil(t, sealer.open(token), "%d: %s", i%len(change), token)
	}
	require.NotNil(t, sealer.open(genuine))
}

func mustDecode(t *testing.T, token string) []byte {
	t.Helper()
	raw, err := base64.RawURLEncoding.DecodeString(token)
	require.NoError(t, err)
	return raw
}

func TestTheIDOfASubscriptionDependsOnWhatIdentifiesIt(t *testing.T) {
	t.Parallel()
	seen := map[[16]byte]bool{}
	for _, parts := range [][4]string{
		{"a", "b", "c", "d"}, {"ab", "", "c", "d"}, {"a", "bc", "", "d"}, {"", "ab", "c", "d"}, {"a", "b", "c", "e"}, {"a", "b", "d", "c"},
	} {
		id := newID(parts[0], parts[1], parts[2], parts[3])
		require.False(t, seen[id])
		seen[id] = true
		require.Equal(t, id, newID(parts[0], parts[1], parts[2], parts[3]))
	}
	require.Regexp(t, `^sub_[0-9a-f]{32}$`, example().ID())
}

// Whatever a key has sealed, reading it does not fail.
func FuzzUnmarshal(f *testing.F) {
	f.Add(example().marshal())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s := unmarshal(b); s != nil {
			require.Equal(t, s, unmarshal(s.marshal()))
		}
	})
}

// Opening a token and opening none should take the same time.
func BenchmarkOpen(b *testing.B) {
	sealer := newSealer([]string{keyA, keyB}, 450)
	token, _ := sealer.seal(example())
	for name, text := range map[string]string{"token": token, "cut": token[:40], "forged": strings.Repeat("A", len(token)), "none": ""} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				sealer.open(text)
			}
		})
	}
}
