package sandbox

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

// maxAlerts is how many alerts are kept, the newest ones.
const maxAlerts = 1000

// An alert is the resource of https://www.twilio.com/docs/usage/monitor-alert. The last three fields are only in
// the answer to a fetch.
type alert struct {
	AccountSID       string `json:"account_sid"`
	SID              string `json:"sid"`
	APIVersion       string `json:"api_version"`
	LogLevel         string `json:"log_level"`
	ErrorCode        string `json:"error_code"`
	MoreInfo         string `json:"more_info"`
	AlertText        string `json:"alert_text"`
	ResourceSID      string `json:"resource_sid"`
	ServiceSID       string `json:"service_sid"`
	RequestMethod    string `json:"request_method"`
	RequestURL       string `json:"request_url"`
	DateGenerated    string `json:"date_generated"`
	DateCreated      string `json:"date_created"`
	DateUpdated      string `json:"date_updated"`
	URL              string `json:"url"`
	RequestVariables string `json:"request_variables,omitempty"`
	ResponseHeaders  string `json:"response_headers,omitempty"`
	ResponseBody     string `json:"response_body,omitempty"`
}

// addAlert adds an alert about a delivery that failed. The caller holds s.mu.
func (s *Sandbox) addAlert(d Delivery, body, headers string, at time.Time) {
	s.counts.alerts++
	sid, date := fmt.Sprintf("NO%032x", s.counts.alerts), at.UTC().Format(time.RFC3339)
	s.alerts = append(s.alerts, alert{
		AccountSID: accountSID, SID: sid, APIVersion: "v1", LogLevel: "error", ErrorCode: fmt.Sprint(d.Code),
		MoreInfo: fmt.Sprintf("https://www.twilio.com/docs/errors/%d", d.Code), AlertText: alertText(d),
		ResourceSID: d.Conversation, ServiceSID: d.service, RequestMethod: d.Method, RequestURL: d.URL,
		DateGenerated: date, DateCreated: date, DateUpdated: date, URL: s.monitor + "/v1/Alerts/" + sid,
		RequestVariables: d.Body, ResponseHeaders: headers, ResponseBody: body,
	})
	s.alerts = s.alerts[max(0, len(s.alerts)-maxAlerts):]
}

func alertText(d Delivery) string {
	return fmt.Sprintf("Msg=%s&ErrorCode=%d&url=%s&httpResponse=%d&EventType=%s", d.Error, d.Code, d.URL, d.Status, d.Event)
}

// listAlerts lists the alerts of a period, the newest first.
func (s *Sandbox) listAlerts(r *http.Request) response {
	start, startErr := period(r.Form.Get("StartDate"))
	end, endErr := period(r.Form.Get("EndDate"))
	level := r.Form.Get("LogLevel")
	switch {
	case startErr != nil || endErr != nil:
		return badRequest(20001, "StartDate and EndDate must be dates, YYYY-MM-DD or ISO 8601")
	case level != "" && !slices.Contains([]string{"error", "warning", "notice", "debug"}, level):
		return badRequest(20001, "LogLevel must be error, warning, notice or debug")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var items []item
	for _, a := range slices.Backward(s.alerts) {
		at, _ := time.Parse(time.RFC3339, a.DateGenerated)
		if at.Before(start) || !end.IsZero() && at.After(end) || level != "" && level != a.LogLevel {
			continue
		}
		a.RequestVariables, a.ResponseHeaders, a.ResponseBody = "", "", ""
		items = append(items, item{a.SID, a})
	}
	return s.page(r, listing{key: "alerts", defaultSize: 50, maxSize: 1000, isDescending: true}, items)
}

// period parses a limit of a period. A day means its beginning.
func period(date string) (time.Time, error) {
	if date == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, date); err == nil {
		return day, nil
	}
	return time.Parse(time.RFC3339, date)
}

func (s *Sandbox) fetchAlert(r *http.Request) response {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.alerts, func(a alert) bool { return a.SID == r.PathValue("alert") })
	if i < 0 {
		return notFound(r)
	}
	return response{status: http.StatusOK, body: s.alerts[i]}
}
