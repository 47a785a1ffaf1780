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

// newAEAD panics if the length of the derived key were wrong.
func newAEAD(key string) cipher.AEAD {
	derived, err := hkdf.Key(sha256.New, []byte(key), nil, "twilio-conversations-mcp events token 1", 32)
	if err != nil {
		panic(err)
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		panic(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return aead
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

// marshal returns the fields of a subscription, one after another.
func (s *subscription) marshal() []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(s.expires.Unix()))
	b = binary.BigEndian.AppendUint32(b, uint32(s.position+1))
	b = append(b, s.event)
	b = append(b, s.id[:]...)
	b = append(b, s.conversation[:]...)
	b = append(append(b, byte(len(s.secret))), s.secret...)
	b = binary.BigEndian.AppendUint16(b, uint16(len(s.callback)))
	return append(b, s.callback...)
}

// unmarshal reads what marshal and seal have written. It returns nil for what they
// cannot have written.
func unmarshal(b []byte) *subscription {
	const fixed = 4 + 4 + 1 + 16 + 16 + 1
	if len(b) < fixed {
		return nil
	}
	s := &subscription{
		expires:  time.Unix(int64(binary.BigEndian.Uint32(b)), 0),
		position: int64(binary.BigEndian.Uint32(b[4:])) - 1,
		event:    b[8],
	}
	copy(s.id[:], b[9:])
	copy(s.conversation[:], b[25:])
	secret := int(b[fixed-1])
	b = b[fixed:]
	if len(b) < secret+2 || int(s.event) >= len(eventTypes) {
		return nil
	}
	s.secret, b = string(b[:secret]), b[secret:]
	length := int(binary.BigEndian.Uint16(b))
	if b = b[2:]; len(b) < length {
		return nil
	}
	s.callback = string(b[:length])
	return s
}
