package main

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"time"
)

// publicURL is the --public-url of a server with OAuth.
const publicURL = "http://127.0.0.1"

// An issuer is an OAuth authorization server with one key. It publishes the key,
// and has issued one access token.
type issuer struct {
	*httptest.Server
	token string
}

// startIssuer starts an issuer on loopback. Its token is valid for a day.
func startIssuer() (*issuer, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	i := &issuer{Server: httptest.NewServer(mux)}
	mux.HandleFunc("GET /.well-known/openid-configuration", answer(map[string]string{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}))
	mux.HandleFunc("GET /keys", answer(map[string]any{"keys": []map[string]string{{
		"kty": "RSA", "alg": "RS256", "use": "sig", "kid": "1", "n": encode(key.N.Bytes()), "e": "AQAB",
	}}}))
	i.token, err = sign(key, map[string]any{
		"iss": i.URL, "aud": publicURL + "/mcp", "sub": "user", "client_id": "bench",
		"scope": "webhooks:read", "exp": time.Now().Add(24 * time.Hour).Unix(),
	})
	return i, err
}

// answer returns a handler that answers with v as JSON.
func answer(v any) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
}

// sign returns a JWT in the compact form, signed with RS256.
func sign(key *rsa.PrivateKey, claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	signed := encode([]byte(`{"alg":"RS256","typ":"at+jwt","kid":"1"}`)) + "." + encode(payload)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:])
	return signed + "." + encode(signature), err
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
