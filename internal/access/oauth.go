package access

import (
	"errors"
	"net/http"
)

type resourceServer struct{}

func (p *Policy) setOAuth(o Options) error {
	if o.Issuer != "" {
		return &OptionError{"Issuer", errors.ErrUnsupported}
	}
	return nil
}

func (s *resourceServer) admit(w http.ResponseWriter, r *http.Request) (Caller, bool) {
	return Caller{}, false
}

// RefuseScope answers a request that requires a scope which the caller does not
// have: 403, and a challenge with which a client can ask for the scope.
func (p *Policy) RefuseScope(w http.ResponseWriter, c Caller, scope string) {
}
