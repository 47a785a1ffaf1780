package tools

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"twilio-conversations-mcp/schemas"
	"twilio-conversations-mcp/twilioapi"
)

const (
	maxWebhooks  = 5    // that are looked at; a conversation has no more
	maxAlerts    = 1000 // the longest page there is
	maxResponses = 3    // groups of alerts whose newest one is read whole
)

// read reads everything at once. It fails if the conversation cannot be read; what
// else cannot is listed as unavailable.
func (c *check) read(ctx context.Context, twilio *twilioapi.Client, conversation string) (info twilioapi.CallInfo, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &reading{ctx: ctx, twilio: twilio}
	r.Go(func() {
		var result twilioapi.Result
		result, err = twilio.Read(ctx, twilioapi.FetchConversation, twilioapi.Parameters{"ConversationSid": {conversation}})
		if info = result.Info; err != nil {
			cancel()
			return
		}
		c.conversation = newResource(result.JSON)
		c.readService(r)
	})
	r.Go(func() {
		page, _ := r.read(conversationWebhooks, twilioapi.ListWebhooks, twilioapi.Parameters{"ConversationSid": {conversation}})
		c.webhooks = page.list("webhooks")
		c.webhooks = c.webhooks[:min(len(c.webhooks), maxWebhooks)]
	})
	var account *level
	r.Go(func() { account = r.readLevel("account", twilioapi.FetchAccountWebhooks, nil) })
	r.Go(func() { c.readAlerts(r) })
	r.Wait()
	if account != nil {
		c.levels = append([]level{*account}, c.levels...)
	}
	c.result.Unavailable = r.unavailable
	return info, err
}

// readService reads the configuration of the conversation's Service.
func (c *check) readService(r *reading) {
	sid := c.conversation.text("chat_service_sid")
	if sid == "" {
		r.fail("the service's webhook configuration", "The conversation has no chat_service_sid.")
		return
	}
	if l := r.readLevel("service", twilioapi.FetchServiceWebhooks, twilioapi.Parameters{"ChatServiceSid": {sid}}); l != nil {
		c.levels = append(c.levels, *l)
	}
}

// readAlerts reads one page of alerts, the newest ones.
func (c *check) readAlerts(r *reading) {
	since := min(time.Duration(c.hours)*time.Hour, 30*24*time.Hour-time.Minute) // Twilio has no older ones
	page, ok := r.read("the debugger's alerts", twilioapi.ListAlerts, twilioapi.Parameters{
		"StartDate": {time.Now().UTC().Add(-since).Format(time.RFC3339)}, "PageSize": {strconv.Itoa(maxAlerts)},
	})
	c.alerts, c.hasAlerts = page.list("alerts"), ok
	if len(c.alerts) > maxAlerts {
		c.alerts = c.alerts[:maxAlerts]
	}
	if page.object("meta").text("next_page_url") == "" {
		return
	}
	for _, alert := range c.alerts {
		if at := alert.text("date_generated"); at != "" && (c.alertsFrom == "" || at < c.alertsFrom) {
			c.alertsFrom = at
		}
	}
}

// A reading reads several resources at once.
type reading struct {
	sync.WaitGroup
	ctx    context.Context
	twilio *twilioapi.Client

	mu          sync.Mutex
	unavailable []schemas.Unavailable
}

// read reads a resource, or notes why it is not available.
func (r *reading) read(what string, o twilioapi.Operation, p twilioapi.Parameters) (resource, bool) {
	result, err := r.twilio.Read(r.ctx, o, p)
	if err != nil {
		r.fail(what, whyUnavailable(err))
		return nil, false
	}
	return newResource(result.JSON), true
}

func (r *reading) readLevel(name string, o twilioapi.Operation, p twilioapi.Parameters) *level {
	configuration, ok := r.read("the "+name+"'s webhook configuration", o, p)
	if !ok {
		return nil
	}
	return &level{name, configuration}
}

func (r *reading) fail(what, why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.unavailable = append(r.unavailable, schemas.Unavailable{What: what, Why: why})
}

// whyUnavailable describes why something could not be read.
func whyUnavailable(err error) string {
	failure, ok := errors.AsType[*twilioapi.Error](err)
	if !ok {
		return endSentence(err.Error())
	}
	why := whatHappened(failure)
	if failure.Status == 401 || failure.Status == 403 || failure.Code == 70051 {
		why += " The API key may lack the permission to read it."
	}
	return why
}

// looked lists what was looked at: the conversation's state and what else could be
// read.
func (c *check) looked() string {
	all := []string{"the conversation's state"}
	if !c.isUnavailable(conversationWebhooks) {
		all = append(all, fmt.Sprintf("its webhooks (%d)", len(c.webhooks)))
	}
	for _, l := range c.levels {
		all = append(all, "the "+l.name+"'s configuration")
	}
	if c.hasAlerts {
		all = append(all, "the debugger's alerts "+c.period())
	}
	return strings.Join(all, ", ")
}

func (c *check) isUnavailable(what string) bool {
	for _, u := range c.result.Unavailable {
		if u.What == what {
			return true
		}
	}
	return false
}

// period says of which time alerts were read.
func (c *check) period() string {
	if c.alertsFrom != "" {
		return fmt.Sprintf("since %s (only the newest %d alerts were read)", c.alertsFrom, len(c.alerts))
	}
	return fmt.Sprintf("in the last %d hours", c.hours)
}
