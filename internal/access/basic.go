package access

import "net/http"

const basicAdvice = "send your Twilio credentials as HTTP Basic: an API key and its secret, or an account SID and its auth token"

// admitBasic accepts any credentials: they are Twilio's, and Twilio checks them.
func admitBasic(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	username, password, _ := r.BasicAuth()
	if username != "" && password != "" {
		return Caller{Principal: "user " + username, Username: username, Password: password}, true
	}
	w.Header().Set("WWW-Authenticate", `Basic realm="Twilio", charset="UTF-8"`)
	http.Error(w, basicAdvice, http.StatusUnauthorized)
	return Caller{}, false
}
