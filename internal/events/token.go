package events

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// A subscription is everything that is known of a subscription.
type subscription struct {
	id           [16]byte
	event        byte     // index of eventTypes
	conversation [16]byte // its SID, without CH
	position     int64    // index of the newest message that the subscriber knew; -1: none, or not messages
	expires      time.Time
	secret       string // of the signatures, decoded
	callback     string // URL
}

// newID returns the id of a subscription, a function of who subscribed to what and
// of the callback.
func newID(principal, callback, event, conversation string) (id [16]byte) {
	h := sha256.New()
	for _, part := range []string{principal, callback, event, conversation} {
		_ = binary.Write(h, binary.BigEndian, uint64(len(part)))
		h.Write([]byte(part))
	}
	copy(id[:], h.Sum(nil))
	return id
}

// ID is the id as subscribers see it.
func (s *subscription) ID() string { return "sub_" + hex.EncodeToString(s.id[:]) }

// conversationSID is the SID of the conversation.
func (s *subscription) conversationSID() string { return "CH" + hex.EncodeToString(s.conversation[:]) }

func (s *subscription) name() string { return eventTypes[s.event].name }

// A token is a version, a nonce, and a sealed subscription with padding.
const (
	maxURL        = 512 // characters of a webhook's URL
	tokenVersion  = 1
	tokenOverhead = 1 + 28 // version; nonce and tag
	tokenBlock    = 64     // bytes; subscriptions are padded to a multiple of it
	minCapacity   = 128    // bytes; less leaves no room for a callback
)

// A sealer makes tokens of subscriptions and reads them.
type sealer struct {
	aeads    func() []cipher.AEAD // the first one seals
	capacity int                  // bytes of a subscription
}

// newSealer returns a sealer of tokens with at most maxLength characters.
func newSealer(keys []string, maxLength int) *sealer {
	return &sealer{
		capacity: base64.RawURLEncoding.DecodedLen(maxLength) - tokenOverhead,
		aeads: sync.OnceValue(func() (aeads []cipher.AEAD) {
			for _, key := range keys {
				aeads = append(aeads, newAEAD(key))
			}
			return aeads
		}),
	}
}

func newAEAD(key string) cipher.AEAD {
	derived := must(hkdf.Key(sha256.New, []byte(key), nil, "twilio-conversations-mcp events token 1", 32))
	return must(cipher.NewGCMWithRandomNonce(must(aes.NewCipher(derived))))
}

// must returns a value that comes without an error for a key of valid length.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// seal returns a token that holds a subscription. It reports false if the token
// would be too long.
func (s *sealer) seal(sub *subscription) (string, bool) {
	plain := sub.marshal()
	if len(plain) > s.capacity {
		return "", false
	}
	padded := make([]byte, min(s.capacity, (len(plain)+tokenBlock-1)/tokenBlock*tokenBlock))
	copy(padded, plain)
	version := []byte{tokenVersion}
	return base64.RawURLEncoding.EncodeToString(s.aeads()[0].Seal(version, nil, padded, version)), true
}

// open returns the subscription that a token holds, or nil. It tries every key, so
// that the time tells nothing about which key opens the token.
func (s *sealer) open(token string) (sub *subscription) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	isCanonical := base64.RawURLEncoding.EncodeToString(raw) == token // the decoder ignores line breaks and the last bits
	if err != nil || !isCanonical || len(raw) < tokenOverhead || raw[0] != tokenVersion {
		raw = make([]byte, tokenOverhead+tokenBlock) // which no key opens
	}
	for _, aead := range s.aeads() {
		if plain, err := aead.Open(nil, nil, raw[1:], raw[:1]); err == nil {
			sub = unmarshal(plain)
		}
	}
	return sub
}

// header is the part of a subscription that has a fixed length. The secret and the
// callback follow.
type header struct {
	Expires, Position uint32 // in seconds since 1970; plus 1
	Event             byte
	ID, Conversation  [16]byte
	Secret            byte   // bytes
	Callback          uint16 // bytes
}

func (s *subscription) marshal() []byte {
	b, _ := binary.Append(nil, binary.BigEndian, header{
		uint32(s.expires.Unix()), uint32(s.position + 1), s.event, s.id, s.conversation, byte(len(s.secret)), uint16(len(s.callback)),
	})
	return append(append(b, s.secret...), s.callback...)
}

// unmarshal reads what marshal and seal have written. It returns nil for what they
// cannot have written.
func unmarshal(b []byte) *subscription {
	var h header
	n, err := binary.Decode(b, binary.BigEndian, &h)
	end := n + int(h.Secret)
	if err != nil || len(b) < end+int(h.Callback) || int(h.Event) >= len(eventTypes) {
		return nil
	}
	return &subscription{
		id: h.ID, event: h.Event, conversation: h.Conversation, position: int64(h.Position) - 1, expires: time.Unix(int64(h.Expires), 0),
		secret: string(b[n:end]), callback: string(b[end : end+int(h.Callback)]),
	}
}
